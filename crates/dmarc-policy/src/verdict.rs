//! What DMARC says of a message: sections 5.3.5 and 5.3.6 of RFC 9989.

use std::fmt;
use std::sync::Arc;

use mail_types::{AuthResult, Domain, MethodResult, Reply, ReplyCode};

use crate::inquiry::Method;
use crate::walk::Published;
use crate::{Policy, Record};

/// What DMARC says of a message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verdict {
    /// The author domain, if there is one that was tested.
    pub author: Option<Domain>,
    /// The result, in the words of RFC 8601: none where no policy applies, pass, fail, temperror
    /// where the DNS, or a method that might have aligned, did not answer, and permerror for a
    /// `From` field that cannot be tested.
    pub result: AuthResult,
    /// The organizational domain of the author domain.
    pub org_domain: Option<Domain>,
    /// The domain whose record applies.
    pub policy_domain: Option<Domain>,
    /// The policy that is published for the author domain, of `p`, `sp` and `np`.
    pub policy: Option<Policy>,
    /// What the owner asks to be done with this message: the policy if it failed, one level lower
    /// while it is being tested. A receiver must not reject for this alone (section 7.4).
    pub disposition: Policy,
    /// How the domain that SPF has tested stands to the author domain.
    pub spf: Alignment,
    /// How the domain of the signature that is closest stands to it.
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

    /// Returns the reply of a receiver that does reject the message, in the form of RFC 9989 section
    /// 8; `None` if the owner of the domain does not ask for that. A receiver must know more than
    /// this to send it (section 7.4).
    ///
    /// The status code is 5.7.1, as there: those of RFC 7372 tell of SPF and DKIM.
    #[must_use]
    pub fn reply(&self) -> Option<Reply> {
        let author = self.author.as_ref().filter(|_| self.result == AuthResult::Fail)?;
        if self.disposition != Policy::Reject {
            return None;
        }
        let text = format!("rejected by the DMARC policy of {author}");
        let reply = Reply::new(ReplyCode::MAILBOX_UNAVAILABLE, &text);
        Some(match "5.7.1".parse() {
            Ok(enhanced) => reply.with_enhanced(enhanced),
            Err(_) => reply,
        })
    }

    /// Returns the part of an `Authentication-Results` field (RFC 9989 section 9.1).
    #[must_use]
    pub fn method_result(&self) -> MethodResult {
        let mut result = MethodResult::new("dmarc", self.result);
        if let Some(policy) = self.policy {
            result = result.with_property("policy", "dmarc", policy.as_str());
        }
        match &self.author {
            Some(author) => result.with_property("header", "from", author.as_str()),
            None => result,
        }
    }

    pub(crate) fn untested(author: &Domain) -> Self {
        Self { author: Some(author.clone()), ..Self::without_author(AuthResult::None) }
    }

    pub(crate) fn temporary(author: &Domain) -> Self {
        Self { author: Some(author.clone()), ..Self::without_author(AuthResult::TempError) }
    }

    pub(crate) fn without_author(result: AuthResult) -> Self {
        Self {
            author: None,
            result,
            org_domain: None,
            policy_domain: None,
            policy: None,
            disposition: Policy::None,
            spf: Alignment::default(),
            dkim: Alignment::default(),
            published: None,
        }
    }

    pub(crate) fn alignment_mut(&mut self, method: Method) -> &mut Alignment {
        match method {
            Method::Spf => &mut self.spf,
            Method::Dkim => &mut self.dkim,
        }
    }

    pub(crate) fn conclude(&mut self, testing: bool) {
        let policy = self.policy.unwrap_or_default();
        self.result = if self.is_aligned() {
            AuthResult::Pass
        } else if self.spf == Alignment::Unknown || self.dkim == Alignment::Unknown {
            AuthResult::TempError
        } else {
            self.disposition = if testing { policy.lowered() } else { policy };
            AuthResult::Fail
        };
    }

    /// Whether a message of both authors is to be treated as this verdict says.
    pub(crate) fn is_worse_than(&self, other: &Self) -> bool {
        let rank = |verdict: &Self| {
            let result = match verdict.result {
                AuthResult::Fail => 3,
                AuthResult::PermError => 2,
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
        Ok(())
    }
}

/// How an authenticated domain stands to the author domain, the closest last: section 4.10.2.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Alignment {
    /// No domain was authenticated.
    #[default]
    Absent,
    /// One was, but it is another organization's, or not the same where that is asked for.
    Different,
    /// There is no telling: the DNS did not answer, or the method has not.
    Unknown,
    /// Both have the same organizational domain.
    SameOrganization,
    /// They are the same.
    Same,
}

impl Alignment {
    /// Tells whether it lets the message pass.
    #[must_use]
    pub fn is_aligned(self) -> bool {
        matches!(self, Self::SameOrganization | Self::Same)
    }
}

impl fmt::Display for Alignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "absent",
            Self::Different => "different",
            Self::Unknown => "unknown",
            Self::SameOrganization => "same organization",
            Self::Same => "same",
        })
    }
}
