//! What conditions of rules work with, for the whole program.

use std::fmt;
use std::sync::Arc;

use super::named_rules::NamedRules;
use super::rates::Rates;
use super::rules::Rules;
use crate::gateway::lookups::asking::Answers;
use crate::gateway::telemetry::metrics::Metrics;
use mail_types::dns::Resolve;

/// Whom rules ask, and what they count in.
#[derive(Clone)]
pub struct Services {
    /// How often things happen.
    pub(crate) rates: Arc<Rates>,
    /// Whoever makes lookups.
    pub(crate) lookups: Arc<dyn Answers>,
    /// Whoever asks the DNS.
    pub(crate) resolver: Arc<dyn Resolve>,
    /// The lists of rules that texts call.
    pub(crate) named: Arc<NamedRules>,
    /// The octets of the body that `$message_body` has.
    pub(crate) message_body_visible: usize,
    pub(crate) metrics: Arc<Metrics>,
}

impl Services {
    /// The services of these rules; nothing has been counted.
    #[must_use]
    pub fn new(lookups: Arc<dyn Answers>, resolver: Arc<dyn Resolve>, rules: &Rules) -> Self {
        let (rates, named) = (Arc::default(), Arc::clone(rules.named()));
        let message_body_visible = Self::MESSAGE_BODY_VISIBLE;
        let metrics = Arc::default();
        Self { rates, lookups, resolver, named, message_body_visible, metrics }
    }

    /// The octets of `$message_body` without the option.
    pub(crate) const MESSAGE_BODY_VISIBLE: usize = 500;
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("rates", &self.rates).finish_non_exhaustive()
    }
}
