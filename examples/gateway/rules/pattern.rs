//! The items of lists of domains, local parts and addresses, as Exim has them.

use mail_types::{Domain, List, MailHost, Mailbox};

use super::Problem;

/// A list of patterns. The first that fits decides, by whether it has a `!`; if none does, it is in
/// the list only if the last has one.
#[derive(Debug)]
pub(super) struct Patterns<P> {
    items: Vec<(bool, P)>,
}

impl<P> Patterns<P> {
    pub(super) fn read(text: &str, read: impl Fn(&str) -> Option<P>) -> Result<Self, Problem> {
        let mut items = Vec::new();
        for (at, item) in List::new(text).enumerate() {
            if at == MAX_ITEMS {
                return Err(Problem::TooMany);
            }
            let (negated, pattern) = match item.strip_prefix('!') {
                Some(pattern) => (true, pattern.trim_start()),
                None => (false, &*item),
            };
            let pattern = read(pattern).ok_or(Problem::Item { item: at + 1 })?;
            items.push((negated, pattern));
        }
        Ok(Self { items })
    }

    pub(super) fn decide(&self, fits: impl Fn(&P) -> bool) -> bool {
        match self.items.iter().find(|(_, pattern)| fits(pattern)) {
            Some((negated, _)) => !negated,
            None => self.items.last().is_some_and(|(negated, _)| *negated),
        }
    }
}

/// A text, or `*` and the end of one; other wildcards and regular expressions are refused.
#[derive(Debug)]
pub(super) enum Tail {
    Exact(String),
    Ends(String),
}

impl Tail {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (any, text) = text.strip_prefix('*').map_or((false, text), |text| (true, text));
        let plain = !text.contains(['*', '$']) && !text.starts_with(['^', '+', '@']);
        plain.then(|| if any { Self::Ends(text.into()) } else { Self::Exact(text.into()) })
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exact(own) => own == text,
            Self::Ends(own) => text.ends_with(own.as_str()),
        }
    }
}

/// A domain or an address in brackets; `@` for this host, `*` and the end of a domain for all those
/// that end so.
#[derive(Debug)]
pub(super) struct DomainPattern(Tail);

impl DomainPattern {
    pub(super) fn read(text: &str, host: &Domain) -> Option<Self> {
        if text == "@" {
            return Some(Self(Tail::Exact(host.to_string())));
        }
        let Some(tail) = text.strip_prefix('*') else {
            let literal = text.starts_with('[').then(|| text.parse::<MailHost>().ok());
            let own = literal.unwrap_or_else(|| Domain::from_unicode(text).ok().map(Into::into));
            return Some(Self(Tail::Exact(own?.to_string())));
        };
        let domain = tail.strip_prefix('.').unwrap_or(tail);
        let checked = match domain {
            "" if tail.is_empty() => String::new(),
            _ => Domain::from_unicode(domain).ok()?.to_string(),
        };
        let dot = if tail.starts_with('.') { "." } else { "" };
        Some(Self(Tail::Ends(format!("{dot}{checked}"))))
    }

    /// Takes a host as it is written.
    pub(super) fn fits(&self, host: &str) -> bool {
        self.0.fits(host)
    }
}

/// An address; a domain, or `*@` and a domain, for all of it; nothing, or `<>`, for the sender of
/// notifications.
#[derive(Debug)]
pub(super) enum AddressPattern {
    Null,
    /// Local parts are compared without regard to case.
    Mailbox(Tail, DomainPattern),
}

impl AddressPattern {
    pub(super) fn read(text: &str, host: &Domain) -> Option<Self> {
        if matches!(text, "" | "<>") {
            return Some(Self::Null);
        }
        let (part, domain) = text.rsplit_once('@').unwrap_or(("*", text));
        let part = Tail::read(&part.to_lowercase())?;
        Some(Self::Mailbox(part, DomainPattern::read(domain, host)?))
    }

    pub(super) fn fits(&self, address: Option<&Mailbox>) -> bool {
        match (self, address) {
            (Self::Null, address) => address.is_none(),
            (Self::Mailbox(part, domain), Some(address)) => {
                domain.fits(&address.host().to_string())
                    && part.fits(&address.local_part().to_lowercase())
            }
            (Self::Mailbox(..), None) => false,
        }
    }
}

/// The most items that a list has.
const MAX_ITEMS: usize = 10_000;
