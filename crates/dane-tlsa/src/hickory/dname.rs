//! Aliases that servers make of a DNAME record: RFC 6672 section 5.3.1.

use std::borrow::Cow;

use hickory_proto::dnssec::Proof;
use hickory_proto::op::Message;
use hickory_proto::rr::{self, RData, Record, RecordType};
use hickory_proto::serialize::binary::BinDecodable as _;
use mail_types::dns::Name;
use mail_types::hickory::mail_name;

use super::wildcard::is_expanded;

/// Returns the response in which each CNAME record that follows from a secure DNAME record is secure too, for as
/// long as that is. Such a record has no signature of its own, so that hickory takes it for bogus.
pub(super) fn with_dname_aliases(response: &Message) -> Cow<'_, Message> {
    let dnames: Vec<_> = response.answers.iter().filter_map(|it| Dname::of(it, response)).collect();
    if dnames.is_empty() {
        return Cow::Borrowed(response);
    }
    let mut response = response.clone();
    for record in response.answers.iter_mut().filter(|record| record.proof == Proof::Bogus) {
        if let Some(dname) = dnames.iter().find(|dname| dname.makes(record)) {
            record.proof = Proof::Secure;
            record.ttl = record.ttl.min(dname.ttl);
        }
    }
    Cow::Owned(response)
}

/// A secure DNAME record: all names below its owner are names below its target.
struct Dname {
    owner: Name,
    target: Name,
    ttl: u32,
}

impl Dname {
    /// Reads a record, which must be the only one of its owner (RFC 6672 section 2.4), and not from a wildcard
    /// (section 3.3).
    fn of(record: &Record, response: &Message) -> Option<Self> {
        let RData::Unknown { code: RecordType::DNAME, rdata } = &record.data else { return None };
        let of_owner =
            |other: &&Record| other.record_type() == RecordType::DNAME && other.name == record.name;
        let is_only = response.answers.iter().filter(of_owner).count() == 1;
        if record.proof != Proof::Secure || !is_only || is_expanded(record, response) {
            return None;
        }
        let target = rr::Name::from_bytes(&rdata.anything).ok()?;
        Some(Self { owner: mail_name(&record.name), target: mail_name(&target), ttl: record.ttl })
    }

    /// Tells whether a record is the alias that a server makes.
    fn makes(&self, record: &Record) -> bool {
        let RData::CNAME(target) = &record.data else { return false };
        let name = mail_name(&record.name);
        let above = self.owner.labels().count();
        let Some(own) = name.labels().count().checked_sub(above).filter(|own| *own > 0) else {
            return false;
        };
        let made = name.labels().take(own).chain(self.target.labels());
        name.is_within(&self.owner)
            && Name::from_labels(made).is_ok_and(|it| it == mail_name(target))
    }
}
