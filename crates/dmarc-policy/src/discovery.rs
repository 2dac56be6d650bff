//! The discovery of organizational domains.

use std::fmt;
use std::sync::Arc;

use mail_types::smtp::Domain;

/// The method of finding organizational domains.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Discovery {
    /// By the DNS tree walk of RFC 9989 section 4.10.
    #[default]
    TreeWalk,
    /// By a list of public suffixes, as in RFC 7489 section 3.2.
    Psl(Arc<dyn SuffixList>),
    /// By the tree walk. If no record on the way declares or denies a public suffix, domains with
    /// the same organizational domain by the list belong together too, for owners who still rely on
    /// that.
    TreeWalkThenPsl(Arc<dyn SuffixList>),
}

impl Discovery {
    pub(crate) fn list(&self) -> Option<&dyn SuffixList> {
        match self {
            Self::TreeWalk => None,
            Self::Psl(list) | Self::TreeWalkThenPsl(list) => Some(&**list),
        }
    }

    /// Returns the word of an aggregate report (RFC 9990 section 3.1.1.5).
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Psl(_) => "psl",
            Self::TreeWalk | Self::TreeWalkThenPsl(_) => "treewalk",
        }
    }
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TreeWalk => "TreeWalk",
            Self::Psl(_) => "Psl",
            Self::TreeWalkThenPsl(_) => "TreeWalkThenPsl",
        })
    }
}

/// A list of public suffixes, such as that of the option `dmarc_tld_file`.
pub trait SuffixList: Send + Sync {
    /// Returns the organizational domain: the public suffix of a domain and one more label, or the
    /// domain itself if it is a public suffix.
    fn org_domain<'d>(&self, domain: &'d Domain) -> &'d str;
}
