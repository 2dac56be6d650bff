//! What a check has come to, and why.

use std::fmt;

use mail_types::dns::{DnsFailure, Name, RecordType};
use mail_types::results::SpfIdentity;
use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use crate::published::Source;
use crate::{Directive, Record, RecordError, SpfResult, Term};

/// What a check has come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
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

impl Outcome {
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

    /// Returns the identity that was checked. A result for one says nothing of the other.
    #[must_use]
    pub fn identity(&self) -> SpfIdentity {
        self.identity
    }

    /// Returns the domain that was checked: of the reverse-path, or the HELO name. `None` if it is not
    /// a domain with two or more labels (RFC 7208 section 4.3).
    #[must_use]
    pub fn domain(&self) -> Option<&Name> {
        self.domain.as_ref()
    }

    /// Returns why the result is what it is.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns the domain's explanation of a fail.
    #[must_use]
    pub fn explanation(&self) -> &Explanation {
        &self.explanation
    }

    /// Returns how many terms asked the DNS, of at most [`Limits::lookups`](crate::Limits::lookups)
    /// and one more.
    #[must_use]
    pub fn lookups(&self) -> u16 {
        self.lookups
    }

    /// Returns how many lookups found nothing, of at most
    /// [`Limits::void_lookups`](crate::Limits::void_lookups) and one more.
    #[must_use]
    pub fn void_lookups(&self) -> u16 {
        self.void_lookups
    }

    /// Returns how many directives were tried.
    #[must_use]
    pub fn terms(&self) -> u32 {
        self.terms
    }

    /// Tells whether nothing is published, and the result is that of
    /// [`Options::guess`](crate::Options::guess).
    #[must_use]
    pub fn is_guess(&self) -> bool {
        self.guess
    }

    /// Returns a reply that refuses, or puts off, what SPF speaks against (RFC 7208 section 8, RFC
    /// 7372): for fail, temperror and permerror. A guess never refuses.
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

impl fmt::Display for Outcome {
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

/// Why a result is what it is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// The client is on the loopback network, which
    /// [passes](crate::Options::loopback_passes).
    Loopback,
    /// There is no domain that could be checked (RFC 7208 section 4.3).
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
        /// The domain whose record it was, at the end of redirections.
        domain: Name,
    },
    /// The record, or one that it includes, could not be evaluated.
    Failed {
        /// The domain whose record it was.
        domain: Name,
        /// What is wrong.
        problem: Problem,
    },
}

impl Cause {
    /// Returns the domain whose record decided, if there is one.
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

    /// Returns what is wrong, if something is.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Failed { problem, .. } => Some(problem),
            _ => None,
        }
    }

    /// Returns the directive that matched, if one did.
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
            Self::Malformed => f.write_str(
                "the identity has no domain that can be checked, or one of a single label",
            ),
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

/// A directive that matched, and where.
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

    /// Returns the domain whose record it is in, at the end of redirections; an include that
    /// matched is in the record that includes.
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

/// Why a record cannot be evaluated.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// The record is wrong (RFC 7208 section 4.6).
    Syntax(RecordError),
    /// More than one record is published (RFC 7208 section 4.5).
    SeveralRecords,
    /// A domain that is included, or that evaluation is to go on with, publishes no record (RFC 7208
    /// sections 5.2 and 6.1).
    NoRecord,
    /// What evaluation is to go on with, or include, is no name.
    NoName,
    /// More terms ask the DNS than [`Limits::lookups`](crate::Limits::lookups).
    TooManyLookups,
    /// More lookups find nothing than [`Limits::void_lookups`](crate::Limits::void_lookups).
    TooManyVoidLookups,
    /// An `mx` has more hosts than [`Limits::mx_hosts`](crate::Limits::mx_hosts).
    TooManyMxHosts,
    /// The DNS failed: a temperror.
    Dns {
        /// What was asked for.
        kind: RecordType,
        /// How it failed.
        failure: DnsFailure,
    },
}

impl Problem {
    /// Returns the result that it makes.
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
            Self::SeveralRecords => f.write_str("more than one record"),
            Self::NoRecord => f.write_str("no record where one is referred to"),
            Self::NoName => f.write_str("what is referred to is no name"),
            Self::TooManyLookups => f.write_str("too many terms that ask the DNS"),
            Self::TooManyVoidLookups => f.write_str("too many lookups that find nothing"),
            Self::TooManyMxHosts => f.write_str("too many mail exchangers"),
            Self::Dns { kind, failure } => write!(f, "{kind} lookup failed: {failure}"),
        }
    }
}

/// What the domain says of a fail: RFC 7208 section 6.2.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there is a text, none, or none that can be shown")]
pub enum Explanation {
    /// The result is no fail, or the domain explains nothing.
    Absent,
    /// Its words, in printable ASCII. Anybody may have written them.
    Text(Box<str>),
    /// There should be a text, but it cannot be had or shown: it is not one text, not in ASCII, has a
    /// macro that is wrong, or is longer than
    /// [`Limits::explanation`](crate::Limits::explanation).
    Withheld,
}

impl Explanation {
    /// Returns the text, if there is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Withheld => None,
        }
    }
}
