//! The outcome of a check, with its cause.

use std::fmt;
use std::hash::{Hash, Hasher};

use mail_types::dns::{DnsFailure, Name, RecordType};
use mail_types::results::SpfIdentity;
use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use crate::published::Source;
use crate::{Directive, Record, RecordError, SpfResult, Term};

/// The outcome of a check.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Serialize))]
pub struct SpfOutcome {
    result: SpfResult,
    identity: SpfIdentity,
    domain: Option<Name>,
    cause: Cause,
    explanation: Explanation,
    lookups: u16,
    void_lookups: u16,
    terms: u32,
    guess: bool,
}

impl SpfOutcome {
    pub(crate) fn new(
        (identity, domain): (SpfIdentity, Option<Name>),
        result: SpfResult,
        cause: Cause,
        explanation: Explanation,
        (lookups, void_lookups, terms): (u16, u16, u32),
    ) -> Self {
        let guess = false;
        Self { result, identity, domain, cause, explanation, lookups, void_lookups, terms, guess }
    }

    pub(crate) fn guessed(mut self) -> Self {
        self.guess = true;
        self
    }

    /// Returns the result.
    #[must_use]
    pub fn result(&self) -> SpfResult {
        self.result
    }

    /// Returns the checked identity. A result for one identity says nothing about the other.
    #[must_use]
    pub fn identity(&self) -> SpfIdentity {
        self.identity
    }

    /// Returns the checked domain: that of the reverse-path, or the HELO name. `None` if it is not
    /// a domain with two or more labels (RFC 7208 section 4.3).
    #[must_use]
    pub fn domain(&self) -> Option<&Name> {
        self.domain.as_ref()
    }

    /// Returns the cause of the result.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns the domain's explanation of a fail.
    #[must_use]
    pub fn explanation(&self) -> &Explanation {
        &self.explanation
    }

    /// Returns the number of terms that caused DNS queries, at most one more than
    /// [`Limits::lookups`](crate::Limits::lookups).
    #[must_use]
    pub fn lookups(&self) -> u16 {
        self.lookups
    }

    /// Returns the number of void lookups, at most one more than
    /// [`Limits::void_lookups`](crate::Limits::void_lookups).
    #[must_use]
    pub fn void_lookups(&self) -> u16 {
        self.void_lookups
    }

    /// Returns the number of evaluated directives.
    #[must_use]
    pub fn terms(&self) -> u32 {
        self.terms
    }

    /// Tells whether the domain publishes no record, and the result is that of
    /// [`Options::guess`](crate::Options::guess).
    ///
    /// ```
    /// use mail_types::{dns::Zone, smtp::Helo};
    /// use spf_result::Check;
    ///
    /// let zone = Zone::parse("example.com TXT \"v=spf1 a -all\"\nexample.com A 192.0.2.1")?;
    /// let (helo, sender) = (Helo::new("a.example"), "<a@example.com>".parse()?);
    /// let check = Check::mail_from("192.0.2.9".parse()?, &helo, &sender);
    /// let outcome = check.session().run(|question| zone.answer(question));
    /// assert_eq!((outcome.lookups(), outcome.terms(), outcome.is_guess()), (1, 2, false));
    /// let cause = outcome.cause();
    /// assert_eq!(cause.directive().map(ToString::to_string).as_deref(), Some("-all"));
    /// assert_eq!(cause.problem(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_guess(&self) -> bool {
        self.guess
    }

    /// Returns the SMTP reply that refuses or defers the message for fail, temperror and permerror
    /// (RFC 7208 section 8, RFC 7372). A guess never refuses.
    #[must_use]
    pub fn reply(&self) -> Option<Reply> {
        let (code, enhanced, text) = match self.result {
            _ if self.guess => return None,
            SpfResult::Fail => (
                ReplyCode::MAILBOX_UNAVAILABLE,
                EnhancedCode::of::<5, 7, 23>(),
                "SPF validation failed",
            ),
            SpfResult::TempError => {
                (ReplyCode::LOCAL_ERROR, EnhancedCode::of::<4, 7, 24>(), "SPF validation error")
            }
            SpfResult::PermError => (
                ReplyCode::MAILBOX_UNAVAILABLE,
                EnhancedCode::of::<5, 7, 24>(),
                "SPF validation error",
            ),
            _ => return None,
        };
        let reply = match &self.explanation {
            Explanation::Text(text) => {
                Reply::new(code, "The domain's explanation:").with_line(text)
            }
            _ => Reply::new(code, text),
        };
        Some(reply.with_enhanced(enhanced))
    }
}

impl fmt::Display for SpfOutcome {
    /// Writes a line for people: `spf=fail for example.com: -all of example.com matched`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spf={}", self.result)?;
        if let Some(domain) = &self.domain {
            write!(f, " for {domain}")?;
        }
        if self.guess {
            f.write_str(" (a guess)")?;
        }
        write!(f, ": {}", self.cause)
    }
}

/// The cause of a result.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Serialize),
    serde(rename_all = "snake_case", tag = "kind")
)]
#[non_exhaustive]
pub enum Cause {
    /// The client is on the loopback network, which
    /// [passes](crate::Options::loopback_passes).
    Loopback,
    /// The identity has no domain that can be checked (RFC 7208 section 4.3).
    Malformed,
    /// The domain publishes no record.
    NoRecord {
        /// The domain.
        domain: Name,
    },
    /// A directive matched.
    Matched(Matched),
    /// No directive matched (RFC 7208 section 4.7).
    Default {
        /// The domain of the record, at the end of redirections.
        domain: Name,
    },
    /// The evaluation of the record, or of one that it includes, failed.
    Failed {
        /// The domain of the record.
        domain: Name,
        /// The fault.
        problem: Problem,
    },
}

impl Cause {
    /// Returns the domain of the deciding record, if any.
    #[must_use]
    pub fn domain(&self) -> Option<&Name> {
        match self {
            Self::Loopback | Self::Malformed => None,
            Self::NoRecord { domain } | Self::Default { domain } | Self::Failed { domain, .. } => {
                Some(domain)
            }
            Self::Matched(matched) => Some(matched.domain()),
        }
    }

    /// Returns the fault of a failed evaluation.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Failed { problem, .. } => Some(problem),
            _ => None,
        }
    }

    /// Returns the matching directive, if any.
    #[must_use]
    pub fn directive(&self) -> Option<&Directive> {
        match self {
            Self::Matched(matched) => matched.directive(),
            _ => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("the client is on the loopback network"),
            Self::Malformed => f.write_str("no domain with two or more labels to check"),
            Self::NoRecord { domain } => write!(f, "{domain} publishes no SPF record (v=spf1)"),
            Self::Matched(matched) => match matched.directive() {
                Some(directive) => write!(f, "{directive} of {} matched", matched.domain()),
                None => write!(f, "a directive of {} matched", matched.domain()),
            },
            Self::Default { domain } => write!(f, "no mechanism of {domain} matched"),
            Self::Failed { domain, problem } => write!(f, "{domain}: {problem}"),
        }
    }
}

/// A matching directive, and its record.
#[derive(Clone)]
pub struct Matched {
    domain: Name,
    source: Source,
    index: usize,
}

impl Matched {
    pub(crate) fn new(domain: Name, source: Source, index: usize) -> Self {
        Self { domain, source, index }
    }

    /// Returns the domain of the record, at the end of redirections; a matching `include` belongs
    /// to the including record.
    #[must_use]
    pub fn domain(&self) -> &Name {
        &self.domain
    }

    /// Returns the record.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.source.record()
    }

    /// Returns the directive.
    #[must_use]
    pub fn directive(&self) -> Option<&Directive> {
        match self.record()?.terms().get(self.index)? {
            Term::Directive(directive) => Some(directive),
            _ => None,
        }
    }
}

impl Eq for Matched {}

impl Hash for Matched {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.domain, self.index).hash(state);
    }
}

impl PartialEq for Matched {
    fn eq(&self, other: &Self) -> bool {
        let same = self.domain == other.domain && self.index == other.index;
        same && self.record() == other.record()
    }
}

impl fmt::Debug for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directive = self.directive().map(ToString::to_string);
        f.debug_struct("Matched")
            .field("domain", &self.domain)
            .field("directive", &directive)
            .finish_non_exhaustive()
    }
}

/// The fault that prevents the evaluation of a record.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// The record has a syntax error (RFC 7208 section 4.6).
    Syntax(RecordError),
    /// The domain publishes more than one record (RFC 7208 section 4.5).
    SeveralRecords,
    /// The target of an `include` or a `redirect` publishes no record (RFC 7208 sections 5.2 and
    /// 6.1).
    NoRecord,
    /// The target of an `include` or a `redirect` is not a valid name.
    NoName,
    /// More terms cause DNS queries than [`Limits::lookups`](crate::Limits::lookups) allows.
    TooManyLookups,
    /// More void lookups than [`Limits::void_lookups`](crate::Limits::void_lookups) allows.
    TooManyVoidLookups,
    /// An `mx` has more hosts than [`Limits::mx_hosts`](crate::Limits::mx_hosts).
    TooManyMxHosts,
    /// A DNS lookup failed: a temperror.
    Dns {
        /// The type of the records.
        kind: RecordType,
        /// The failure.
        failure: DnsFailure,
    },
}

impl Problem {
    /// Returns the result of the fault.
    #[must_use]
    pub fn result(&self) -> SpfResult {
        match self {
            Self::Dns { .. } => SpfResult::TempError,
            _ => SpfResult::PermError,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(error) => write!(f, "{error}"),
            Self::SeveralRecords => f.write_str("more than one SPF record"),
            Self::NoRecord => f.write_str("no SPF record at the target of include or redirect"),
            Self::NoName => f.write_str("the target of include or redirect is not a valid name"),
            Self::TooManyLookups => f.write_str("too many DNS lookups"),
            Self::TooManyVoidLookups => f.write_str("too many void DNS lookups"),
            Self::TooManyMxHosts => f.write_str("too many MX hosts"),
            Self::Dns { kind, failure } => write!(f, "{kind} lookup failed: {failure}"),
        }
    }
}

/// The domain's explanation of a fail: RFC 7208 section 6.2.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Serialize), serde(rename_all = "snake_case"))]
#[expect(clippy::exhaustive_enums, reason = "a text, no text, or one that cannot be shown")]
pub enum Explanation {
    /// The result is not a fail, or the domain has no explanation.
    Absent,
    /// The text, in printable ASCII. It is untrusted.
    Text(Box<str>),
    /// The explanation cannot be fetched or shown: its domain has no text or several, or the text
    /// is not ASCII, has an invalid macro, or is longer than
    /// [`Limits::explanation`](crate::Limits::explanation).
    Withheld,
}

impl Explanation {
    /// Returns the text, if any.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Withheld => None,
        }
    }
}
