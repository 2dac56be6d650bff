//! The author domains of all `From` fields together.

use mail_types::dns::Name;

use crate::author::domain::{domain, shown_otherwise};
use crate::{Author, AuthorFault};

/// The domains found so far, each once.
#[derive(Debug, Default)]
pub(crate) struct AuthorDomains {
    found: Vec<Name>,
    pub(crate) fault: Option<AuthorFault>,
}

impl AuthorDomains {
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Adds the domains of a strictly read field.
    pub(crate) fn extend(&mut self, field: Self) {
        field.found.into_iter().for_each(|domain| self.add(domain));
        if let Some(fault) = field.fault {
            self.mark(fault);
        }
    }

    pub(crate) fn add(&mut self, domain: Name) {
        if self.found.contains(&domain) {
            return;
        }
        if self.found.len() < Author::MAX_DOMAINS {
            self.found.push(domain);
        } else {
            self.fault = Some(AuthorFault::TooMany);
        }
    }

    /// Adds the domain in a text, and those that programs show instead; tells whether the text is
    /// one.
    pub(crate) fn found_in(&mut self, text: &str) -> bool {
        let found = domain(text);
        let is_domain = found.is_some();
        found.into_iter().chain(shown_otherwise(text)).for_each(|found| self.add(found));
        is_domain
    }

    /// Records a fault. A limit takes precedence over an unreadable place, and the first fault of a
    /// kind counts.
    pub(crate) fn mark(&mut self, fault: AuthorFault) {
        self.fault = match (self.fault, fault) {
            (Some(before), AuthorFault::Unreadable { .. }) => Some(before),
            (Some(AuthorFault::TooMany), _) => Some(AuthorFault::TooMany),
            (_, fault) => Some(fault),
        };
    }
}

impl From<AuthorDomains> for Author {
    fn from(AuthorDomains { found: mut domains, fault }: AuthorDomains) -> Self {
        if let Some(fault) = fault {
            return Self::Invalid { domains, fault };
        }
        match (domains.pop(), domains.is_empty()) {
            (None, _) => Self::Absent,
            (Some(only), true) => Self::One(only),
            (Some(last), false) => {
                domains.push(last);
                Self::Several(domains)
            }
        }
    }
}
