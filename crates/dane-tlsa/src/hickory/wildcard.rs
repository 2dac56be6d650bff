//! Records that servers make of a wildcard: RFC 4035 section 5.3.4, RFC 5155 section 8.8.

use hickory_proto::dnssec::Proof;
use hickory_proto::dnssec::rdata::{DNSSECRData, NSEC, NSEC3, RRSIG};
use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RData, Record};
use mail_types::dns::DnssecStatus;

/// Tells whether the signature of a secure record is that of a wildcard.
pub(super) fn is_expanded(record: &Record, response: &Message) -> bool {
    signature(record, &response.answers).is_some_and(|it| is_of_wildcard(it, &record.name))
}

/// Returns the status of a secure record: that of a wildcard counts only if no name is nearer to its owner than the
/// wildcard, which a secure NSEC or NSEC3 record of the same zone says. `None` if none does.
///
/// hickory looks for such a record for the name of the question only, and one for the wildcard besides, which a
/// wildcard that exists cannot have.
pub(super) fn status(record: &Record, response: &Message) -> Option<DnssecStatus> {
    let Some(rrsig) =
        signature(record, &response.answers).filter(|it| is_of_wildcard(it, &record.name))
    else {
        return Some(DnssecStatus::Secure);
    };
    let gap = Gap {
        owner: &record.name,
        encloser: usize::from(rrsig.input().num_labels),
        zone: &rrsig.input().signer_name,
    };
    let authorities = &response.authorities;
    let secure = authorities.iter().filter(|denial| denial.proof == Proof::Secure);
    secure.filter_map(|denial| gap.status(denial, authorities)).max()
}

fn is_of_wildcard(rrsig: &RRSIG, owner: &Name) -> bool {
    rrsig.input().num_labels < owner.num_labels()
}

/// Finds the signature that hickory has verified for a record.
fn signature<'a>(record: &Record, all: &'a [Record]) -> Option<&'a RRSIG> {
    let of_record = all.iter().filter(|it| it.proof == Proof::Secure && it.name == record.name);
    of_record.filter_map(rrsig).find(|it| it.input().type_covered == record.record_type())
}

fn rrsig(record: &Record) -> Option<&RRSIG> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) => Some(rrsig),
        _ => None,
    }
}

/// The names between an owner and a wildcard.
struct Gap<'a> {
    owner: &'a Name,
    /// The labels of the name that the wildcard is at.
    encloser: usize,
    /// The zone of the wildcard.
    zone: &'a Name,
}

impl Gap<'_> {
    /// Returns the status of a denial of all these names; `None` if it says nothing of them.
    fn status(&self, denial: &Record, authorities: &[Record]) -> Option<DnssecStatus> {
        // A zone cannot tell what is in another.
        let signer = &signature(denial, authorities)?.input().signer_name;
        if signer != self.zone || !self.zone.zone_of(self.owner) {
            return None;
        }
        match &denial.data {
            RData::DNSSEC(DNSSECRData::NSEC(nsec)) if self.is_in_nsec(&denial.name, nsec) => {
                Some(DnssecStatus::Secure)
            }
            // RFC 5155 section 9.2: with opt-out there may be an unsigned delegation.
            RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) if self.is_in_nsec3(&denial.name, nsec3) => {
                Some(if nsec3.opt_out() { DnssecStatus::Insecure } else { DnssecStatus::Secure })
            }
            _ => None,
        }
    }

    /// The owner is in the gap of the record, and the nearest name that exists is that of the wildcard.
    fn is_in_nsec(&self, from: &Name, nsec: &NSEC) -> bool {
        let to = nsec.next_domain_name();
        let is_last = to == self.zone;
        let is_between = from < self.owner && (is_last || self.owner < to);
        // RFC 6840 section 4.1, RFC 6672 section 5.3.4: below a delegation or a DNAME record it says nothing.
        let is_below = nsec.is_ancestor_delegation() && from.zone_of(self.owner);
        let nearest = shared(from, self.owner).max(shared(to, self.owner));
        is_between && !is_below && nearest == self.encloser
    }

    /// The name one label below the wildcard's is in the gap of the record.
    fn is_in_nsec3(&self, from: &Name, nsec3: &NSEC3) -> bool {
        if nsec3.iterations() > MAX_ITERATIONS || from.base_name() != *self.zone {
            return false;
        }
        let nearer = self.owner.trim_to(self.encloser + 1);
        let hash = nsec3.hash_algorithm().hash(nsec3.salt(), &nearer, nsec3.iterations());
        let (Ok(hash), Some(from)) = (hash, from.iter().next().and_then(octets)) else {
            return false;
        };
        let (hash, to) = (hash.as_ref(), nsec3.next_hashed_owner_name());
        let is_last = to <= &from[..];
        if is_last { *from < *hash || hash < to } else { *from < *hash && hash < to }
    }
}

/// Counts the labels that the ends of two names share.
fn shared(a: &Name, b: &Name) -> usize {
    let labels = a.iter().rev().zip(b.iter().rev());
    labels.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
}

/// Reads a label in base32hex (RFC 4648 section 7): the hash in the name of an NSEC3 record.
fn octets(label: &[u8]) -> Option<Vec<u8>> {
    let (mut octets, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in label {
        let value = match digit.to_ascii_lowercase() {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'v' => digit - b'a' + 10,
            _ => return None,
        };
        (held, bits) = (((held << 5) & 0xffff) | u32::from(value), bits + 5);
        if bits >= 8 {
            bits -= 8;
            octets.extend(u8::try_from((held >> bits) & 0xff));
        }
    }
    Some(octets)
}

/// RFC 9276 section 3.2, and hickory's own.
const MAX_ITERATIONS: u16 = 100;
