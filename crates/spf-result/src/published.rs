//! Which of a domain's texts is its record: RFC 7208 sections 4.4 and 4.5.

use mail_types::Texts;

use crate::{Record, RecordError};

/// What a domain publishes, as it is kept with the answer of the DNS.
#[derive(Clone, Debug, Eq, PartialEq)]
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

    pub(crate) fn record(&self) -> Option<&Record> {
        match self {
            Self::One(record) => Some(record),
            _ => None,
        }
    }
}
