//! The items of a match list.

use std::sync::OnceLock;

use mail_types::exim::{HostPattern, HostPatternError, Trust};
use mail_types::smtp::{Domain, MailHost};
use thiserror::Error;

use crate::Limits;
use crate::need::Need;
use crate::operators::pattern::{Fault, Groups, MatchError, Pattern};
use crate::tree::lookup::Lookup;
use crate::variables::ListKind;

/// The pattern of an item.
#[derive(Clone, Debug)]
pub(crate) enum ListPattern {
    /// Exactly this text.
    Text(Box<[u8]>),
    /// A text with this end.
    Ends(Box<[u8]>),
    Regex(Box<Regex>),
    /// `@`: the name of this host.
    ThisHost,
    /// `+name`
    Named(Box<str>),
    /// `/file`
    File(Box<[u8]>),
    /// `type;/file`: a key of the file.
    Lookup(Box<(Lookup, Box<[u8]>)>),
    /// An item of an address list: the local part, unless any matches, and the domain.
    Address(Option<LocalPart>, Box<Self>),
    /// An empty item, or `<>`, in an address list.
    NullSender,
    Host(Result<HostPattern, HostPatternError>),
    /// An item that every search fails on.
    Refused(ItemProblem),
}

/// The local part of an item in an address list.
#[derive(Clone, Debug)]
pub(crate) enum LocalPart {
    Text(Box<[u8]>),
    Ends(Box<[u8]>),
}

/// A regular expression, compiled at its first use.
#[derive(Clone, Debug)]
pub(crate) struct Regex {
    text: Box<[u8]>,
    compiled: OnceLock<Pattern>,
}

impl Regex {
    fn pattern(&self, limits: &Limits) -> &Pattern {
        self.compiled.get_or_init(|| Pattern::new(&[b"(?i)", &*self.text].concat(), limits))
    }

    pub(crate) fn is_compiled(&self) -> bool {
        self.compiled.get().is_some()
    }

    /// Searches a subject within a number of steps; returns the groups, and the steps done.
    pub(crate) fn matches(
        &self,
        subject: &[u8],
        limits: &Limits,
        steps: usize,
    ) -> Result<(Option<Groups>, usize), MatchError> {
        let mut matcher = self.pattern(limits).matcher(subject)?;
        Ok((matcher.search(0, false, steps)?, matcher.take_steps()))
    }

    fn check(&self, limits: &Limits) -> Result<(), ItemProblem> {
        self.pattern(limits).fault().map_or(Ok(()), |fault| Err(fault.into()))
    }
}

impl ListPattern {
    /// Reads an item, without the `!` before it.
    pub(crate) fn read(text: &[u8], kind: ListKind, trust: Trust) -> Self {
        match text {
            b"+caseful" if matches!(kind, ListKind::Address | ListKind::LocalPart) => {
                Self::Refused(ItemProblem::Caseful)
            }
            b"+ignore_unknown" | b"+include_unknown" | b"+ignore_defer" | b"+include_defer"
                if kind == ListKind::Host =>
            {
                Self::Refused(ItemProblem::UnknownNames)
            }
            [b'+', name @ ..] => match str::from_utf8(name) {
                Ok(name) => Self::Named(name.into()),
                Err(_) => Self::Refused(ItemProblem::UnknownList),
            },
            [b'/', ..] => trusted(trust, Self::File(text.into())),
            [b'^', ..] if kind != ListKind::Host => {
                Self::Regex(Box::new(Regex { text: text.into(), compiled: OnceLock::new() }))
            }
            _ if text.contains(&b';')
                && !(kind == ListKind::Address && is_part_of_address(text)) =>
            {
                lookup(text, kind, trust)
            }
            _ => match kind {
                ListKind::Host => host(text),
                ListKind::Address => address(text, trust),
                ListKind::Domain => domain(text),
                ListKind::LocalPart => plain(text),
            },
        }
    }

    /// Checks that it can match a subject of its kind.
    pub(crate) fn check(
        &self,
        text: &[u8],
        kind: ListKind,
        limits: &Limits,
    ) -> Result<(), ItemProblem> {
        match self {
            Self::Refused(problem) => Err(*problem),
            Self::Regex(regex) => regex.check(limits),
            Self::Host(host) => host.as_ref().map(drop).map_err(|e| ItemProblem::Host(*e)),
            Self::Address(local, pattern) => {
                let domain = match text.iter().rposition(|&b| b == b'@') {
                    Some(_) if text.ends_with(b"@@") => b"@",
                    Some(at) => text.get(at + 1..).unwrap_or_default(),
                    None => text,
                };
                match local {
                    Some(LocalPart::Text(part) | LocalPart::Ends(part)) if part.contains(&b'*') => {
                        Err(ItemProblem::Star)
                    }
                    _ => pattern.check(domain, ListKind::Domain, limits),
                }
            }
            Self::Text(part) | Self::Ends(part) if kind == ListKind::LocalPart => {
                if part.contains(&b'*') { Err(ItemProblem::Star) } else { Ok(()) }
            }
            Self::Text(name) => check_domain(name, false),
            Self::Ends(end) => check_domain(end, true),
            Self::ThisHost
            | Self::Named(_)
            | Self::File(_)
            | Self::Lookup(_)
            | Self::NullSender => Ok(()),
        }
    }

    /// The named list in this item, for a list of this kind.
    pub(crate) fn named_list(&self, kind: ListKind) -> Option<(ListKind, &str)> {
        match self {
            Self::Named(name) => Some((kind, name)),
            Self::Address(_, domain) => domain.named_list(ListKind::Domain),
            _ => None,
        }
    }

    /// The request of this item to the program.
    pub(crate) fn need(&self) -> Option<Need<'_>> {
        match self {
            Self::File(path) => Some(Need::ListFile(path)),
            Self::Lookup(lookup) => {
                let (lookup, file) = &**lookup;
                Some(Need::Lookup { lookup, file: Some(file) })
            }
            Self::Address(_, domain) => domain.need(),
            _ => None,
        }
    }

    pub(crate) fn needs_host_name(&self) -> bool {
        matches!(self, Self::Host(Ok(host)) if host.needs_name())
    }
}

impl LocalPart {
    pub(crate) fn matches(&self, part: &[u8]) -> bool {
        match self {
            Self::Text(text) => text.eq_ignore_ascii_case(part),
            Self::Ends(end) => ends_with(part, end),
        }
    }
}

pub(crate) fn ends_with(text: &[u8], end: &[u8]) -> bool {
    let from = text.len().checked_sub(end.len());
    from.and_then(|from| text.get(from..)).is_some_and(|text| text.eq_ignore_ascii_case(end))
}

/// Refuses patterns that untrusted text must not have.
fn trusted(trust: Trust, pattern: ListPattern) -> ListPattern {
    match trust {
        Trust::Trusted => pattern,
        Trust::Untrusted => ListPattern::Refused(ItemProblem::Untrusted),
    }
}

fn plain(text: &[u8]) -> ListPattern {
    match text {
        [b'*', end @ ..] => ListPattern::Ends(end.into()),
        _ => ListPattern::Text(text.into()),
    }
}

fn domain(text: &[u8]) -> ListPattern {
    match text {
        b"@" => ListPattern::ThisHost,
        b"@[]" => ListPattern::Refused(ItemProblem::Interfaces),
        [b'@', b'm', b'x', b'_', ..] => ListPattern::Refused(ItemProblem::MailExchangers),
        [b'*', b'.', name @ ..] => ListPattern::Ends([b".", &*a_labels(name)].concat().into()),
        [b'*', end @ ..] => ListPattern::Ends(a_labels(end)),
        [b'[', ..] => ListPattern::Text(literal(text)),
        _ => ListPattern::Text(a_labels(text)),
    }
}

fn address(text: &[u8], trust: Trust) -> ListPattern {
    if matches!(text, b"" | b"<>") {
        return ListPattern::NullSender;
    }
    if text.starts_with(b"@@") {
        return ListPattern::Refused(ItemProblem::DomainLookup);
    }
    // After the last @ another one is the domain `@`: this host.
    let last = text.iter().rposition(|&b| b == b'@');
    let last = last.map(|at| if text.ends_with(b"@@") { at - 1 } else { at });
    let (local, name) = match last {
        None => (None, text),
        Some(at) => {
            let local = match text.get(..at).unwrap_or_default() {
                b"*" => None,
                [b'*', end @ ..] => Some(LocalPart::Ends(end.into())),
                part => Some(LocalPart::Text(part.into())),
            };
            (local, text.get(at + 1..).unwrap_or_default())
        }
    };
    let domain = ListPattern::read(name, ListKind::Domain, trust);
    ListPattern::Address(local, Box::new(domain))
}

fn host(text: &[u8]) -> ListPattern {
    match text {
        [b'@', ..] => ListPattern::Refused(ItemProblem::Interfaces),
        [b'^', ..] => ListPattern::Refused(ItemProblem::HostRegex),
        _ => {
            let text = str::from_utf8(text).map_err(|_| HostPatternError::Item);
            ListPattern::Host(text.and_then(HostPattern::parse))
        }
    }
}

fn lookup(text: &[u8], kind: ListKind, trust: Trust) -> ListPattern {
    let at = text.iter().position(|&b| b == b';').unwrap_or(text.len());
    let (name, file) = text.split_at_checked(at).unwrap_or((text, b""));
    let file = file.get(1..).unwrap_or_default().trim_ascii();
    ListPattern::Refused(match Lookup::find(name) {
        _ if kind == ListKind::Host => ItemProblem::HostLookup,
        None => ItemProblem::UnknownLookup,
        Some(lookup) if !lookup.is_file() => ItemProblem::QueryLookup,
        Some(_) if !file.starts_with(b"/") => ItemProblem::LookupFile,
        Some(lookup) => {
            return trusted(trust, ListPattern::Lookup(Box::new((lookup, file.into()))));
        }
    })
}

/// Tells whether a lookup applies to a domain only, as in `*@lsearch;/file`; the `@` of
/// `lsearch*@;/file` belongs to the lookup type.
fn is_part_of_address(text: &[u8]) -> bool {
    let name = text.split(|&b| b == b';').next().unwrap_or_default();
    name.contains(&b'@') && Lookup::find(name).is_none() && !name.starts_with(b"@@")
}

/// A domain with its U-labels as A-labels, the form of subjects.
#[cfg(feature = "idna")]
fn a_labels(text: &[u8]) -> Box<[u8]> {
    let unicode = str::from_utf8(text).ok().filter(|text| !text.is_ascii());
    match unicode.and_then(|text| Domain::from_unicode(text).ok()) {
        Some(domain) => domain.as_str().as_bytes().into(),
        None => text.into(),
    }
}

#[cfg(not(feature = "idna"))]
fn a_labels(text: &[u8]) -> Box<[u8]> {
    text.into()
}

/// An address literal in the form of mailboxes.
fn literal(text: &[u8]) -> Box<[u8]> {
    let host = str::from_utf8(text).ok().and_then(|text| text.parse::<MailHost>().ok());
    host.map_or_else(|| text.into(), |host| host.to_string().into_bytes().into())
}

/// Checks a domain, or the end of one.
fn check_domain(text: &[u8], is_end: bool) -> Result<(), ItemProblem> {
    let text = str::from_utf8(text).map_err(|_| ItemProblem::Domain)?;
    let name = if is_end { text.strip_prefix('.').unwrap_or(text) } else { text };
    match name {
        "" if is_end && text.is_empty() => Ok(()),
        "" => Err(ItemProblem::Empty),
        _ if name.contains('*') => Err(ItemProblem::Star),
        _ if name.starts_with('[') && name.parse::<MailHost>().is_ok() => Ok(()),
        _ => name.parse::<Domain>().map(drop).map_err(|_| ItemProblem::Domain),
    }
}

/// The reason why an item of a list cannot match.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum ItemProblem {
    /// The item is empty, and no subject of its kind is.
    #[error("empty item")]
    Empty,
    /// The item is neither a domain nor a domain pattern.
    #[error("not a domain, a pattern such as *.example.com or ^expression, +list or /file")]
    Domain,
    /// A `*` inside the item means itself, and no subject contains one.
    #[error(
        "a * is a wildcard only as the first character; elsewhere use a regular expression (^…)"
    )]
    Star,
    /// The item is not a host pattern.
    #[error(transparent)]
    Host(HostPatternError),
    /// `@[]` and similar items mean the interfaces of this host, which this crate does not know.
    #[error(
        "@ and @[] (this host's interfaces) are not supported in a host list; write their addresses"
    )]
    Interfaces,
    /// `@mx_any` and similar items need DNS questions, which this crate does not ask.
    #[error("@mx_any, @mx_primary and @mx_secondary are not supported; write the domains")]
    MailExchangers,
    /// A regular expression for host names.
    #[error(
        "regular expressions are not supported in a host list; use *.domain, or the condition match{{$sender_host_name}}{{…}}"
    )]
    HostRegex,
    /// `+caseful`, which makes case matter in the items after it.
    #[error(
        "+caseful is not supported: case never matters in a list; use the condition eq or match for a comparison with case"
    )]
    Caseful,
    /// `+include_unknown` and similar items, for hosts without a name.
    #[error(
        "+ignore_unknown, +include_unknown, +ignore_defer and +include_defer are not supported in a host list; write addresses before names"
    )]
    UnknownNames,
    /// A lookup in a host list.
    #[error(
        "lookups are not supported in a host list; use ${{lookup{{$sender_host_address}}iplsearch{{/file}}{{*}}}}; a list whose items are separated by semicolons begins with <;"
    )]
    HostLookup,
    /// `@@lookup`: lists of local parts by domain.
    #[error(
        "@@ (a list of local parts by domain) is not supported; use ${{lookup{{$domain}}lsearch{{/file}}}}"
    )]
    DomainLookup,
    /// The lookup type is unknown.
    #[error("unknown lookup type before the ;")]
    UnknownLookup,
    /// A lookup with a query instead of a file.
    #[error(
        "a lookup with a query is not supported as an item; use ${{lookup type{{query}}}} for the text of the list"
    )]
    QueryLookup,
    /// A lookup without an absolute file name.
    #[error("the file of the lookup needs an absolute path")]
    LookupFile,
    /// The name of a list is not UTF-8, or the program has no such list.
    #[error("unknown named list of this kind")]
    UnknownList,
    /// Untrusted text names a file or a lookup.
    #[error("files and lookups are not allowed in a list from untrusted text, or in a file")]
    Untrusted,
    /// The regular expression is invalid, or larger than [`Limits::regex_size`].
    #[error("invalid regular expression: {problem}, after its byte {at}")]
    Regex {
        /// The position in the expression in bytes, as far as known.
        at: usize,
        /// The construct that is invalid or not supported.
        problem: &'static str,
    },
    /// A match needs more backtracks, or open choices, than [`Limits::regex_backtracks`] allows.
    #[error("the regular expression needs too many backtracks for this subject")]
    RegexWork,
}

impl From<Fault> for ItemProblem {
    fn from(fault: Fault) -> Self {
        // Without the prefix that makes case irrelevant.
        Self::Regex { at: fault.at.saturating_sub(4), problem: fault.problem }
    }
}
