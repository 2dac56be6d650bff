//! What conditions of rules work with, for the whole program.

use std::fmt;
use std::sync::Arc;

use super::named_rules::NamedRules;
use super::rates::Rates;
use crate::gateway::lookups::asking::Answers;
use mail_types::dns::Resolve;

/// Whom rules ask, and what they count in.
#[derive(Clone)]
pub struct Services {
    /// How often things happen.
    pub rates: Arc<Rates>,
    /// Whoever makes lookups.
    pub lookups: Arc<dyn Answers>,
    /// Whoever asks the DNS.
    pub resolver: Arc<dyn Resolve>,
    /// The lists of rules that texts call.
    pub(crate) named: Arc<NamedRules>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("rates", &self.rates).finish_non_exhaustive()
    }
}
