//! The verdict of DMARC on a message: sections 5.3.5 and 5.3.6 of RFC 9989.

use std::fmt;
use std::sync::Arc;

use mail_types::dns::Name;
use mail_types::results::{AuthResult, MethodResult};
use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use crate::identifier::Method;
use crate::walk::Published;
use crate::{AuthorFault, Policy, Record};

/// The outcome of DMARC for one message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// The author domain that was tested, if any.
    pub author: Option<Name>,
    /// The result, in the words of RFC 8601: none if no policy applies; pass; fail; temperror if
    /// the DNS, or a method that might have aligned, did not answer; permerror for a `From` field
    /// that cannot be tested, unless a domain in it fails.
    pub result: AuthResult,
    /// The fault of the `From` field; treat the message no milder for it than the result demands.
    pub fault: Option<AuthorFault>,
    /// The organizational domain of the author domain. If nothing depends on it and the author
    /// domain has a record, it is the author domain itself.
    pub org_domain: Option<Name>,
    /// The domain whose record applies.
    pub policy_domain: Option<Name>,
    /// The policy published for the author domain, of `p`, `sp` and `np`.
    pub policy: Option<Policy>,
    /// The owner's request for this message: the policy if the message failed, one level lower in
    /// test mode. A receiver must not reject for this reason alone (section 7.4).
    pub disposition: Policy,
    /// The owner's request if every test with a missing DNS answer had failed, as far as a record
    /// was found; none if all answers came. Do not act more strictly than this on a temporary
    /// error.
    pub pending: Policy,
    /// The alignment of the domain of SPF with the author domain.
    pub spf: Alignment,
    /// The closest alignment of a signature's domain with the author domain.
    pub dkim: Alignment,
    pub(crate) published: Option<Arc<Published>>,
}

impl Verdict {
    /// Returns the record that applies.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.published.as_ref()?.0.as_ref()
    }

    /// Tells whether an authenticated domain aligns with the author domain.
    #[must_use]
    pub fn is_aligned(&self) -> bool {
        self.spf.is_aligned() || self.dkim.is_aligned()
    }

    /// Returns the reply of a receiver that rejects the message, in the form of RFC 9989 section 8;
    /// `None` if the domain owner does not request a rejection. A receiver needs further reasons to
    /// send it (section 7.4).
    ///
    /// The status code is 5.7.1, as there: the codes of RFC 7372 are for SPF and DKIM.
    #[must_use]
    pub fn reply(&self) -> Option<Reply> {
        let author = self.author.as_ref().filter(|_| self.result == AuthResult::Fail)?;
        if self.disposition != Policy::Reject {
            return None;
        }
        let text = format!("rejected by the DMARC policy of {author}");
        let reply = Reply::new(ReplyCode::MAILBOX_UNAVAILABLE, &text);
        Some(reply.with_enhanced(EnhancedCode::REFUSED_BY_POLICY))
    }

    /// Returns the part of an `Authentication-Results` field (RFC 9989 section 9.1).
    ///
    /// ```
    /// use dmarc_policy::{Author, Dmarc, DkimInput};
    /// use mail_types::{dns::Zone, results::AuthResult};
    ///
    /// let zone = Zone::parse("_dmarc.example.com TXT \"v=DMARC1; p=reject\"")?;
    /// let signature = DkimInput { result: AuthResult::Pass, domain: "mail.example.com".parse()?, selector: "s".into() };
    /// let dmarc = Dmarc::new(Author::from_message(b"From: ann@example.com\r\n\r\n")).with_dkim(&[signature]);
    /// let verdict = dmarc.session().run(|question| zone.answer(question));
    /// assert!(verdict.is_aligned() && verdict.dkim.is_aligned() && !verdict.spf.is_aligned());
    /// assert_eq!(verdict.authentication().to_string(), "dmarc=pass policy.dmarc=reject header.from=example.com");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn authentication(&self) -> MethodResult {
        let mut result = MethodResult::new("dmarc", self.result);
        if let Some(policy) = self.policy {
            result = result.with_property("policy", "dmarc", policy.as_str());
        }
        if let Some(fault) = self.fault {
            result = result.with_reason(&fault.to_string());
        }
        match &self.author {
            Some(author) => result.with_property("header", "from", &author.to_string()),
            None => result,
        }
    }

    pub(crate) fn untested(author: &Name) -> Self {
        Self { author: Some(author.clone()), ..Self::without_author(AuthResult::None) }
    }

    pub(crate) fn temporary(author: &Name) -> Self {
        Self { author: Some(author.clone()), ..Self::without_author(AuthResult::TempError) }
    }

    pub(crate) fn without_author(result: AuthResult) -> Self {
        Self {
            author: None,
            result,
            fault: None,
            pending: Policy::None,
            org_domain: None,
            policy_domain: None,
            policy: None,
            disposition: Policy::None,
            spf: Alignment::default(),
            dkim: Alignment::default(),
            published: None,
        }
    }

    /// Tells whether this verdict decides over the other one for a message with both authors.
    pub(crate) fn is_worse_than(&self, other: &Self) -> bool {
        let rank = |verdict: &Self| {
            let result = match verdict.result {
                AuthResult::Fail => 2,
                AuthResult::TempError => 1,
                _ => 0,
            };
            (result, verdict.disposition)
        };
        rank(self) > rank(other)
    }
}

impl fmt::Display for Verdict {
    /// Writes a line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dmarc={}", self.result)?;
        if let Some(author) = &self.author {
            write!(f, " from {author}")?;
        }
        if let (Some(policy), Some(at)) = (self.policy, &self.policy_domain) {
            write!(f, ", policy {policy} of {at}, spf {}, dkim {}", self.spf, self.dkim)?;
        }
        if self.result == AuthResult::Fail {
            write!(f, ": {}", self.disposition)?;
        }
        if let Some(fault) = self.fault {
            write!(f, ": {fault}")?;
        }
        Ok(())
    }
}

/// The alignments of both methods.
#[derive(Clone, Copy, Default)]
pub(crate) struct Alignments {
    pub(crate) spf: Alignment,
    pub(crate) dkim: Alignment,
}

impl Alignments {
    pub(crate) fn of_mut(&mut self, method: Method) -> &mut Alignment {
        match method {
            Method::Spf => &mut self.spf,
            Method::Dkim => &mut self.dkim,
        }
    }

    pub(crate) fn is_aligned(self) -> bool {
        self.spf.is_aligned() || self.dkim.is_aligned()
    }

    /// Tells whether a missing answer may have been an aligned pass.
    pub(crate) fn is_open(self) -> bool {
        self.spf == Alignment::Unknown || self.dkim == Alignment::Unknown
    }

    /// Returns the result, the disposition, and the policy that stays pending. `Err` is the mildest of the possible
    /// policies.
    pub(crate) fn conclude(
        self,
        policy: Result<Policy, Policy>,
        testing: bool,
    ) -> (AuthResult, Policy, Policy) {
        let due = policy.unwrap_or_else(|mildest| mildest);
        let due = if testing { due.lowered() } else { due };
        if self.is_aligned() {
            (AuthResult::Pass, Policy::None, Policy::None)
        } else if self.is_open() || policy.is_err() {
            (AuthResult::TempError, Policy::None, due)
        } else {
            (AuthResult::Fail, due, Policy::None)
        }
    }
}

/// The relation of the domain that a method authenticated to the author domain: section 4.10.2.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Alignment {
    /// The method had nothing to test: no signature, no SPF record, or it was not run.
    #[default]
    Absent,
    /// The method authenticated no domain. This is its result, of several signatures the first one's.
    NotPassed(AuthResult),
    /// The method authenticated a domain of another organization, or under strict alignment another
    /// domain.
    Different,
    /// The DNS did not answer, or the method has a temporary error; or it was not asked, since the
    /// message passes by the other method.
    Unknown,
    /// Both domains have the same organizational domain.
    SameOrganization,
    /// Both domains are the same.
    Same,
}

impl Alignment {
    /// Tells whether it lets the message pass.
    #[must_use]
    pub fn is_aligned(self) -> bool {
        matches!(self, Self::SameOrganization | Self::Same)
    }

    /// Returns the closer one of two.
    pub(crate) fn closer(self, other: Self) -> Self {
        let rank = |alignment| match alignment {
            Self::Absent => 0,
            Self::NotPassed(_) => 1,
            Self::Different => 2,
            Self::Unknown => 3,
            Self::SameOrganization => 4,
            Self::Same => 5,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl fmt::Display for Alignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "absent",
            Self::NotPassed(result) => result.as_str(),
            Self::Different => "different",
            Self::Unknown => "unknown",
            Self::SameOrganization => "same organization",
            Self::Same => "same",
        })
    }
}
