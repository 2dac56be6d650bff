//! Records with the proofs that hickory gives, and what is made of them.

use dane_tlsa::hickory::validated_walk;
use dane_tlsa::mail_types::dns::{Answer, Question, RecordType};
use dane_tlsa::mail_types::hickory::Walk;
use hickory_proto::dnssec::rdata::sig::SigInput;
use hickory_proto::dnssec::rdata::{DNSSECRData, NSEC, RRSIG};
use hickory_proto::dnssec::{Algorithm, Proof};
use hickory_proto::op::Message;
use hickory_proto::rr::rdata::{A, CNAME};
use hickory_proto::rr::{self, Name, RData, Record, SerialNumber};

pub(crate) fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}

pub(crate) fn record(owner: &str, data: RData, proof: Proof) -> Record {
    let mut record = Record::from_rdata(name(owner), 300, data);
    record.proof = proof;
    record
}

pub(crate) fn address(owner: &str, proof: Proof) -> Record {
    record(owner, RData::A(A::new(192, 0, 2, 1)), proof)
}

pub(crate) fn alias(owner: &str, target: &str, proof: Proof) -> Record {
    record(owner, RData::CNAME(CNAME(name(target))), proof)
}

/// An NSEC record, without its signature.
pub(crate) fn gap(owner: &str, to: &str, types: &[rr::RecordType], proof: Proof) -> Record {
    let nsec = NSEC::new(name(to), types.iter().copied());
    record(owner, RData::DNSSEC(DNSSECRData::NSEC(nsec)), proof)
}

/// The signature of a record, with so many labels in the name that was signed.
pub(crate) fn signature(signed: &Record, labels: u8, zone: &str) -> Record {
    let input = SigInput {
        type_covered: signed.record_type(),
        algorithm: Algorithm::ECDSAP256SHA256,
        num_labels: labels,
        original_ttl: 300,
        sig_expiration: SerialNumber::new(0),
        sig_inception: SerialNumber::new(0),
        key_tag: 0,
        signer_name: name(zone),
    };
    let rrsig = RRSIG::from_sig(input, Vec::new());
    let mut record = record(".", RData::DNSSEC(DNSSECRData::RRSIG(rrsig)), signed.proof);
    record.name = signed.name.clone();
    record
}

/// The walk of a question for an address, in one line.
pub(crate) fn walked(asked: &str, answers: Vec<Record>, authorities: Vec<Record>) -> String {
    let mut message = Message::query();
    message.add_answers(answers);
    message.add_authorities(authorities);
    let question = Question::new(asked.parse().unwrap(), RecordType::A);
    match validated_walk(&question, &message) {
        Walk::End { answer: Answer::Records { security, ttl, .. }, .. } => {
            format!("records {security} {ttl}")
        }
        Walk::End { answer: Answer::Absent { security, .. }, .. } => format!("absent {security}"),
        Walk::End { answer: Answer::Failed(failure), .. } => failure.to_string(),
        Walk::Alias { target, security, ttl } => format!("ask {target} {security} {ttl}"),
    }
}
