//! Runs a check on a zone.

use std::sync::Arc;

use mail_types::dns::{InquiryStep, Zone};
use spf_result::{Check, SpfOutcome};

/// With a cache that knows all.
pub(crate) fn outcome_of(check: &Check<'_>, zone: &Zone) -> SpfOutcome {
    let cache = |question: &_| Some(Arc::new(zone.answer(question)));
    let InquiryStep::Done(outcome) = check.session().poll_cached(&cache) else {
        panic!("all is known")
    };
    outcome
}

pub(crate) fn zone(text: &str) -> Zone {
    Zone::parse(text).unwrap()
}
