//! The records of one host, and which of them count: RFC 7671 section 9.

use thiserror::Error;

use crate::limits::Limits;
use crate::matching_type::MatchingType;
use crate::record::TlsaRecord;
use crate::selector::Selector;
use crate::usable::Unusable;
use crate::usage::Usage;

/// The TLSA records of one host. Each is told by its place in the set, from 0.
///
/// A set is only worth what the DNS answer is worth that it is from: that must be secure.
///
/// ```
/// use dane_tlsa::{Limits, MatchingType, RecordSet, Standing};
///
/// let records = [
///     format!("3 1 1 {}", "aa".repeat(32)).parse()?,
///     format!("3 1 2 {}", "aa".repeat(64)).parse()?,
///     format!("1 1 1 {}", "aa".repeat(32)).parse()?,
/// ];
/// let set = RecordSet::new(records, &Limits::default())?;
/// let standings: Vec<_> = set.standings().collect();
/// assert_eq!(standings[..2], [Standing::Weaker { than: MatchingType::SHA2_512 }, Standing::Used]);
/// assert!(matches!(standings[2], Standing::Unusable(_)) && set.get(2).is_some());
/// assert!(set.is_usable() && !set.is_empty());
/// assert_eq!(set.usage_bits(), 1 << 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct RecordSet {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Entry {
    record: TlsaRecord,
    standing: Standing,
}

/// Whether a record of a set counts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Standing {
    /// It counts.
    Used,
    /// It cannot be used.
    Unusable(Unusable),
    /// It could be used, but others of the same usage and selector have a stronger digest
    /// ([RFC 7671 section 9](https://www.rfc-editor.org/rfc/rfc7671#section-9)).
    Weaker {
        /// The strongest digest among them.
        than: MatchingType,
    },
}

impl RecordSet {
    /// Makes a set of records.
    ///
    /// # Errors
    ///
    /// [`TooManyRecords`] if there are more than the limit: the host must not be used.
    pub fn new(
        records: impl IntoIterator<Item = TlsaRecord>,
        limits: &Limits,
    ) -> Result<Self, TooManyRecords> {
        let records: Vec<_> = records.into_iter().take(limits.records.saturating_add(1)).collect();
        if records.len() > limits.records {
            return Err(TooManyRecords { limit: limits.records });
        }
        let usable: Vec<_> = records.iter().map(TlsaRecord::check_usable).collect();
        let strongest = |record: &TlsaRecord| {
            let same = records.iter().zip(&usable).filter(|(other, usable)| {
                usable.is_ok() && (other.usage, other.selector) == (record.usage, record.selector)
            });
            same.map(|(other, _)| other.matching_type).max()
        };
        let standings: Vec<_> = records
            .iter()
            .zip(&usable)
            .map(|(record, usable)| match (usable, strongest(record)) {
                (Err(unusable), _) => Standing::Unusable(*unusable),
                (Ok(()), Some(than))
                    if than > record.matching_type
                        && record.matching_type != MatchingType::FULL =>
                {
                    Standing::Weaker { than }
                }
                (Ok(()), _) => Standing::Used,
            })
            .collect();
        let entries = records.into_iter().zip(standings);
        Ok(Self { entries: entries.map(|(record, standing)| Entry { record, standing }).collect() })
    }

    /// Makes a set of one record.
    pub(crate) fn of_one(record: TlsaRecord) -> Self {
        let standing = record.check_usable().map_or_else(Standing::Unusable, |()| Standing::Used);
        Self { entries: vec![Entry { record, standing }] }
    }

    /// Makes a set from the data of records in wire format, as `mail_types::dns::Records::Tlsa` has it.
    ///
    /// Data that is too short for a record has the numbers that it lacks as 255, and cannot be used.
    ///
    /// # Errors
    ///
    /// The same as of [`RecordSet::new`].
    pub fn from_wire<W: AsRef<[u8]>>(
        records: &[W],
        limits: &Limits,
    ) -> Result<Self, TooManyRecords> {
        let record = |wire: &W| {
            let wire = wire.as_ref();
            TlsaRecord::from_wire(wire).unwrap_or_else(|_| {
                let octet = |at: usize| wire.get(at).copied().unwrap_or(u8::MAX);
                TlsaRecord {
                    usage: Usage::new(octet(0)),
                    selector: Selector::new(octet(1)),
                    matching_type: MatchingType::new(octet(2)),
                    data: Box::default(),
                }
            })
        };
        Self::new(records.iter().map(record), limits)
    }

    /// Returns the number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the records in their order.
    #[must_use]
    pub fn records(&self) -> impl ExactSizeIterator<Item = &TlsaRecord> {
        self.entries.iter().map(|entry| &entry.record)
    }

    /// Returns the record at this place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&TlsaRecord> {
        self.entries.get(place).map(|entry| &entry.record)
    }

    /// Returns, for each record in order, whether it counts.
    #[must_use]
    pub fn standings(&self) -> impl ExactSizeIterator<Item = Standing> {
        self.entries.iter().map(|entry| entry.standing)
    }

    /// Tells whether any record can be used. If none of those in a secure answer can, mail goes over
    /// TLS without authentication ([RFC 7672 section 2.2]).
    ///
    /// [RFC 7672 section 2.2]: https://www.rfc-editor.org/rfc/rfc7672#section-2.2
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.entries.iter().any(|entry| entry.standing == Standing::Used)
    }

    /// Tells whether both have the same records, in whatever order: that of an answer says nothing.
    pub(crate) fn has_same(&self, other: &Self) -> bool {
        let has_all =
            |a: &Self, b: &Self| a.records().all(|record| b.records().any(|it| it == record));
        has_all(self, other) && has_all(other, self)
    }

    /// Returns the usages of the records that count as bits: bit n for usage n, as in Exim's
    /// `tls_out_tlsa_usage`.
    #[must_use]
    pub fn usage_bits(&self) -> u8 {
        let used = self.entries.iter().filter(|entry| entry.standing == Standing::Used);
        used.fold(0, |bits, entry| bits | 1 << (entry.record.usage.number() & 7))
    }

    /// Returns the records of a usage that count, with their places.
    pub(crate) fn used(&self, usage: Usage) -> impl Iterator<Item = (usize, &TlsaRecord)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(move |(place, entry)| {
            let is_used = entry.standing == Standing::Used && entry.record.usage == usage;
            is_used.then_some((place, &entry.record))
        })
    }
}

/// A host has more TLSA records than are looked at.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("more than {limit} TLSA records")]
#[non_exhaustive]
pub struct TooManyRecords {
    /// The limit.
    pub limit: usize,
}
