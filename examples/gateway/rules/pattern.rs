//! The items of lists of domains, local parts, addresses and hosts, as Exim has them.

use std::fmt::Debug;
use std::net::IpAddr;

use mail_types::{Domain, HostSet, List, MailHost, Mailbox, Name};

use super::Problem;

/// What an item of a list is read as.
pub(super) trait Pattern: Debug + Send + Sync + Sized + 'static {
    /// What is in the list or not.
    type Subject: Send + Sync;

    /// Reads an item without its `!`; `at` counts from 1.
    fn read(item: &str, at: usize, host: &Domain) -> Result<Self, Problem>;

    fn fits(&self, subject: &Self::Subject) -> Fit;

    /// Tells whether there is nobody, who is in no list, whatever it says.
    fn is_nobody(subject: &Self::Subject) -> bool;
}

/// Whether an item fits, or a list has somebody in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fit {
    Yes,
    No,
    /// It cannot be told, and what stands behind it must not be asked.
    Untellable,
}

impl From<bool> for Fit {
    fn from(fits: bool) -> Self {
        if fits { Self::Yes } else { Self::No }
    }
}

/// A text, or `*` and the end of one; other wildcards and regular expressions are refused.
#[derive(Debug)]
pub(super) enum Tail {
    Exact(String),
    Ends(String),
}

impl Tail {
    fn read(text: &str) -> Option<Self> {
        let (any, text) = text.strip_prefix('*').map_or((false, text), |text| (true, text));
        let plain = !text.contains('*') && !text.starts_with(['^', '+', '@']);
        plain.then(|| if any { Self::Ends(text.into()) } else { Self::Exact(text.into()) })
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exact(own) => own == text,
            Self::Ends(own) => text.ends_with(own.as_str()),
        }
    }
}

/// A local part, without regard to case.
#[derive(Debug)]
pub(super) struct LocalPart(Tail);

impl Pattern for LocalPart {
    type Subject = Option<String>;

    fn read(item: &str, at: usize, _: &Domain) -> Result<Self, Problem> {
        Tail::read(&item.to_lowercase()).map(Self).ok_or(Problem::Item { item: at })
    }

    fn fits(&self, subject: &Option<String>) -> Fit {
        subject.as_ref().is_some_and(|part| self.0.fits(&part.to_lowercase())).into()
    }

    fn is_nobody(subject: &Option<String>) -> bool {
        subject.is_none()
    }
}

impl Pattern for Tail {
    type Subject = Option<String>;

    fn read(item: &str, at: usize, _: &Domain) -> Result<Self, Problem> {
        Self::read(item).ok_or(Problem::Item { item: at })
    }

    fn fits(&self, subject: &Option<String>) -> Fit {
        subject.as_ref().is_some_and(|text| self.fits(text)).into()
    }

    fn is_nobody(subject: &Option<String>) -> bool {
        subject.is_none()
    }
}

/// A host: the client, by its address and its name, if that is known.
#[derive(Debug)]
pub(super) struct HostPattern(HostSet);

impl Pattern for HostPattern {
    type Subject = (IpAddr, Option<Name>);

    fn read(item: &str, at: usize, _: &Domain) -> Result<Self, Problem> {
        let not_one = || Problem::Host { item: at };
        let whole = !item.starts_with('!') && !item.is_empty();
        // One item, whatever stands in it: a colon of an address is no separator here.
        let set = HostSet::new(List::separated(item, '\n')).ok().filter(|_| whole);
        set.map(Self).ok_or_else(not_one)
    }

    fn fits(&self, (address, name): &(IpAddr, Option<Name>)) -> Fit {
        // What stands behind an item that needs a name may be true only of hosts that it does not fit.
        if name.is_none() && self.0.needs_names() {
            return Fit::Untellable;
        }
        self.0.contains(*address, name.as_ref()).into()
    }

    fn is_nobody(_: &(IpAddr, Option<Name>)) -> bool {
        false
    }
}

/// A domain or an address in brackets; `@` for this host, `*` and the end of a domain for all those
/// that end so.
#[derive(Debug)]
pub(super) struct DomainPattern(Tail);

impl DomainPattern {
    fn read(text: &str, host: &Domain) -> Option<Self> {
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
    fn fits(&self, host: &str) -> bool {
        self.0.fits(host)
    }
}

impl Pattern for DomainPattern {
    type Subject = Option<String>;

    fn read(item: &str, at: usize, host: &Domain) -> Result<Self, Problem> {
        Self::read(item, host).ok_or(Problem::Item { item: at })
    }

    fn fits(&self, subject: &Option<String>) -> Fit {
        subject.as_ref().is_some_and(|text| self.fits(text)).into()
    }

    fn is_nobody(subject: &Option<String>) -> bool {
        subject.is_none()
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
    fn read(text: &str, host: &Domain) -> Option<Self> {
        if matches!(text, "" | "<>") {
            return Some(Self::Null);
        }
        let (part, domain) = text.rsplit_once('@').unwrap_or(("*", text));
        let part = Tail::read(&part.to_lowercase())?;
        Some(Self::Mailbox(part, DomainPattern::read(domain, host)?))
    }

    fn fits(&self, address: Option<&Mailbox>) -> bool {
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

impl Pattern for AddressPattern {
    type Subject = Option<Mailbox>;

    fn read(item: &str, at: usize, host: &Domain) -> Result<Self, Problem> {
        Self::read(item, host).ok_or(Problem::Item { item: at })
    }

    fn fits(&self, subject: &Option<Mailbox>) -> Fit {
        self.fits(subject.as_ref()).into()
    }

    /// The sender of notifications can be in a list, as an empty item.
    fn is_nobody(_: &Option<Mailbox>) -> bool {
        false
    }
}
