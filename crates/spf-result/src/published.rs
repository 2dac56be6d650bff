//! Selects the SPF record among a domain's texts: RFC 7208 sections 4.4 and 4.5.

use std::sync::Arc;

use mail_types::dns::{Answer, Texts};

use crate::{Record, RecordError};

/// The records that a domain publishes, as cached with the answer of the DNS.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Published {
    None,
    One(Record),
    Wrong(RecordError),
    Several,
}

impl Published {
    pub(crate) fn select(texts: &Texts) -> Self {
        let mut records = texts.iter().filter(|text| Record::is_one(text));
        match (records.next(), records.next()) {
            (None, _) => Self::None,
            (Some(text), None) => Record::parse(text).map_or_else(Self::Wrong, Self::One),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// A record and its owner, mostly the answer that it came in.
#[derive(Clone)]
pub(crate) enum Source {
    Answer(Arc<Answer>),
    Own(Arc<Published>),
}

impl Source {
    /// The record of an answer with texts.
    pub(crate) fn new(answer: Arc<Answer>) -> Option<Self> {
        let texts = answer.texts()?;
        if texts.derived(Published::select).is_some() {
            return Some(Self::Answer(answer));
        }
        // Another protocol has derived its value from these texts before.
        let own = texts.derive(Published::select);
        Some(Self::Own(own))
    }

    pub(crate) fn published(&self) -> Option<&Published> {
        match self {
            Self::Answer(answer) => answer.texts()?.derived(Published::select),
            Self::Own(published) => Some(published),
        }
    }

    pub(crate) fn record(&self) -> Option<&Record> {
        match self.published()? {
            Published::One(record) => Some(record),
            _ => None,
        }
    }
}
