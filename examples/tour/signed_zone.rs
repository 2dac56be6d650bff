//! A zone whose answers are signed when they are given.

use std::collections::BTreeMap;
use std::time::Duration;

use dane_tlsa::hickory::TrustAnchors;
use hickory_resolver::proto::dnssec::crypto::EcdsaSigningKey;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, NSEC, RRSIG};
use hickory_resolver::proto::dnssec::{Algorithm, DnssecSigner, SigningKey as _};
use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::rdata::{NS, SOA};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordSet, RecordType};
use time::OffsetDateTime;

use crate::Done;

/// The zone of the root, with everything in it.
pub(crate) struct SignedZone {
    records: BTreeMap<Name, BTreeMap<RecordType, RecordSet>>,
    signer: DnssecSigner,
}

impl SignedZone {
    /// Makes an empty zone with a new key.
    pub(crate) fn new() -> Done<Self> {
        let algorithm = Algorithm::ECDSAP256SHA256;
        let pkcs8 = EcdsaSigningKey::generate_pkcs8(algorithm)?;
        let key = EcdsaSigningKey::from_pkcs8(&pkcs8, algorithm)?;
        let dnskey = DNSKEY::from_key(&key.to_public_key()?);
        let signer = DnssecSigner::new(dnskey.clone(), Box::new(key), Name::root(), DAY);
        let mut zone = Self { records: BTreeMap::new(), signer };
        let host = Name::from_ascii("ns.example.")?;
        zone.insert(Name::root(), RData::NS(NS(host.clone())));
        let start = SOA::new(host.clone(), host, 1, 3600, 600, 86_400, TTL);
        zone.insert(Name::root(), RData::SOA(start));
        zone.insert(Name::root(), RData::DNSSEC(DNSSECRData::DNSKEY(dnskey)));
        Ok(zone)
    }

    /// Adds a record.
    pub(crate) fn add(&mut self, owner: &str, data: RData) -> Done {
        let mut owner = Name::from_ascii(owner)?;
        owner.set_fqdn(true);
        self.insert(owner, data);
        Ok(())
    }

    fn insert(&mut self, owner: Name, data: RData) {
        let kind = data.record_type();
        let of_owner = self.records.entry(owner.clone()).or_default();
        let set = of_owner.entry(kind).or_insert_with(|| RecordSet::with_ttl(owner, kind, TTL));
        set.add_rdata(data);
    }

    /// Returns its key, by which a resolver validates.
    pub(crate) fn anchors(&self) -> TrustAnchors {
        let mut anchors = TrustAnchors::empty();
        anchors.insert(self.signer.dnskey().public_key());
        anchors
    }

    /// Answers a question, with signatures. A name or type that does not exist is denied by a record for this name
    /// alone (RFC 9824).
    pub(crate) fn answer(&self, query: Message) -> Done<Message> {
        let asked = query.queries.first().cloned().ok_or("a query without a question")?;
        let mut reply = query.into_response();
        reply.metadata.authoritative = true;
        reply.metadata.recursion_available = true;
        let of_name = self.records.get(asked.name());
        if let Some(set) = of_name.and_then(|sets| sets.get(&asked.query_type())) {
            reply.add_answers(self.signed(set)?);
            return Ok(reply);
        }
        let start = self.records.get(&Name::root()).and_then(|sets| sets.get(&RecordType::SOA));
        reply.add_authorities(self.signed(start.ok_or("a zone without SOA")?)?);
        let kinds = of_name.into_iter().flat_map(BTreeMap::keys).copied();
        let kinds = kinds.chain([RecordType::NSEC, RecordType::RRSIG]);
        let next = asked.name().prepend_label(b"\0".as_slice())?;
        let mut denial = RecordSet::with_ttl(asked.name().clone(), RecordType::NSEC, TTL);
        denial.add_rdata(RData::DNSSEC(DNSSECRData::NSEC(NSEC::new(next, kinds))));
        reply.add_authorities(self.signed(&denial)?);
        Ok(reply)
    }

    /// The records of a set, and their signature.
    fn signed(&self, set: &RecordSet) -> Done<Vec<Record>> {
        let inception = OffsetDateTime::now_utc() - HOUR;
        let signature = RRSIG::from_rrset(set, DNSClass::IN, inception, &self.signer)?;
        let signature = RData::DNSSEC(DNSSECRData::RRSIG(signature));
        let mut records: Vec<_> = set.records_without_rrsigs().cloned().collect();
        records.push(Record::from_rdata(set.name().clone(), TTL, signature));
        Ok(records)
    }
}

/// Seconds.
const TTL: u32 = 300;
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
