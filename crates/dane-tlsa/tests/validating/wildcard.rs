//! Records of a wildcard, validated on this host: RFC 4035 section 5.3.4, RFC 5155 section 8.8.

use hickory_proto::dnssec::rdata::{DNSSECRData, NSEC3};
use hickory_proto::dnssec::{Nsec3HashAlgorithm, Proof};
use hickory_proto::rr::{RData, Record, RecordType};

use super::proven_records::{address, alias, gap, record, signature, walked};

const SECURE: &str = "records secure 300";

/// The record of `*.w.example.` for this name, and its signature.
fn expanded(owner: &str) -> Vec<Record> {
    let address = address(owner, Proof::Secure);
    let signature = signature(&address, 2, "example.");
    vec![address, signature]
}

/// A record and its signature by a zone.
fn signed(record: Record, zone: &str) -> Vec<Record> {
    let signature = signature(&record, record.name.num_labels(), zone);
    vec![record, signature]
}

/// An NSEC record of the zone.
fn nsec(from: &str, to: &str) -> Vec<Record> {
    signed(gap(from, to, &[RecordType::A], Proof::Secure), "example.")
}

fn nsec3(from: &str, next: &str, opt_out: bool, zone: &str) -> Vec<Record> {
    let next = data_of(next);
    let (salt, hash) = (vec![0xaa, 0xbb, 0xcc, 0xdd], Nsec3HashAlgorithm::SHA1);
    let nsec3 = NSEC3::new(hash, opt_out, 12, salt, next, [RecordType::A]);
    let owner = format!("{from}.{zone}");
    signed(record(&owner, RData::DNSSEC(DNSSECRData::NSEC3(nsec3)), Proof::Secure), zone)
}

/// The octets of a hash in base32hex: eight digits are five octets.
fn data_of(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().map(|digit| u64::from(digit.to_digit(32).unwrap())).collect();
    let value = |digits: &[u64]| digits.iter().fold(0, |value, digit| value << 5 | digit);
    digits.chunks(8).flat_map(|digits| value(digits).to_be_bytes().into_iter().skip(3)).collect()
}

/// RFC 4035 appendix B.6, and the zone of `nsec.test` in the tests with peers.
#[test]
fn point_18_a_wildcard_may_begin_the_gap_of_its_own_denial() {
    let walk =
        walked("a.z.w.example", expanded("a.z.w.example."), nsec("x.y.w.example.", "xx.example."));
    assert_eq!(walk, SECURE);
    let walk = walked("a.w.example", expanded("a.w.example."), nsec("*.w.example.", "xx.example."));
    assert_eq!(walk, SECURE);
    // The last gap of the zone, and the only one.
    let walk = walked("a.w.example", expanded("a.w.example."), nsec("*.w.example.", "example."));
    assert_eq!(walk, SECURE);
}

#[test]
fn a_wildcard_does_not_count_where_a_nearer_name_may_exist() {
    let asked = "a.z.w.example";
    for (from, to) in [
        // Other gaps, and the name itself.
        ("x.y.w.example.", "y.w.example."),
        ("b.z.w.example.", "xx.example."),
        ("a.z.w.example.", "xx.example."),
        ("xx.example.", "example."),
        // A nearer name begins or ends the gap.
        ("z.w.example.", "xx.example."),
        ("0.z.w.example.", "xx.example."),
        ("x.y.w.example.", "b.z.w.example."),
        // The name is between others, without records of its own.
        ("x.y.w.example.", "b.a.z.w.example."),
        // Nothing says that the wildcard's own name is there.
        ("example.", "xx.example."),
    ] {
        let walk = walked(asked, expanded("a.z.w.example."), nsec(from, to));
        assert_eq!(walk, "bogus", "{from} {to}");
    }
    assert_eq!(walked(asked, expanded("a.z.w.example."), Vec::new()), "bogus");
}

#[test]
fn a_denial_that_is_not_proven_says_nothing() {
    let (asked, expanded) = ("a.z.w.example", || expanded("a.z.w.example."));
    for proof in [Proof::Insecure, Proof::Bogus, Proof::Indeterminate] {
        let gap = gap("x.y.w.example.", "xx.example.", &[RecordType::A], proof);
        assert_eq!(walked(asked, expanded(), signed(gap, "example.")), "bogus", "{proof}");
    }
    // Without a verified signature of its own.
    let alone = nsec("x.y.w.example.", "xx.example.").swap_remove(0);
    assert_eq!(walked(asked, expanded(), vec![alone]), "bogus");
    // Of another zone, which may name any end of its gap.
    for zone in ["y.w.example.", "x.y.w.example.", "w.example.", "."] {
        let gap = gap("x.y.w.example.", "xx.example.", &[RecordType::A], Proof::Secure);
        assert_eq!(walked(asked, expanded(), signed(gap, zone)), "bogus", "{zone}");
    }
    // Of a delegation, or a DNAME record: names below are elsewhere (RFC 6840 section 4.1).
    for (types, expected) in [
        (&[RecordType::NS][..], "bogus"),
        (&[RecordType::DNAME], "bogus"),
        (&[RecordType::NS, RecordType::SOA], SECURE),
    ] {
        let gap = gap("w.example.", "xx.example.", types, Proof::Secure);
        assert_eq!(walked(asked, expanded(), signed(gap, "example.")), expected, "{types:?}");
    }
}

/// Each record on the way needs a denial of its own: hickory looks for that of the first name only.
#[test]
fn a_wildcard_at_the_end_of_an_alias_needs_its_own_denial() {
    let to = || signed(alias("www.example.", "a.z.w.example.", Proof::Secure), "example.");
    let answers = || [to(), expanded("a.z.w.example.")].concat();
    assert_eq!(walked("www.example", answers(), nsec("wa.example.", "wx.example.")), "bogus");
    let right = nsec("x.y.w.example.", "xx.example.");
    assert_eq!(walked("www.example", answers(), right), SECURE);
}

#[test]
fn a_record_of_an_unsigned_zone_needs_no_denial() {
    let address = address("a.z.w.example.", Proof::Insecure);
    let answers = vec![signature(&address, 2, "example."), address];
    assert_eq!(walked("a.z.w.example", answers, Vec::new()), "records insecure 300");
}

/// RFC 5155 appendix B.4: the hash of `z.w.example` is `qlu7gtfaeh0ek0c05ksfhdpbcgglbe03`.
#[test]
fn the_gap_of_hashes_holds_the_name_below_the_wildcard() {
    const FROM: &str = "q04jkcevqvmu85r014c7dkba38o0ji5r";
    const NEXT: &str = "r53bq7cc2uvmubfu5ocmm6pers9tk9en";
    const OWN: &str = "qlu7gtfaeh0ek0c05ksfhdpbcgglbe03";
    let walk = |denial| walked("a.z.w.example", expanded("a.z.w.example."), denial);
    assert_eq!(walk(nsec3(FROM, NEXT, false, "example.")), SECURE);
    // RFC 5155 section 9.2: with opt-out it may be there, unsigned.
    assert_eq!(walk(nsec3(FROM, NEXT, true, "example.")), "records insecure 300");
    // The last gap, from both of its ends, and the only one.
    assert_eq!(walk(nsec3(FROM, FROM, false, "example.")), SECURE);
    assert_eq!(walk(nsec3(FROM, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", false, "example.")), SECURE);
    assert_eq!(walk(nsec3("t644ebqk9bibcna874givr6joj62mlhv", NEXT, false, "example.")), SECURE);
    for (from, next, zone) in [
        (OWN, NEXT, "example."),
        (FROM, OWN, "example."),
        (NEXT, FROM, "example."),
        ("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", FROM, "example."),
        (FROM, NEXT, "w.example."),
        ("not-a-hash", NEXT, "example."),
    ] {
        assert_eq!(walk(nsec3(from, next, false, zone)), "bogus", "{from} {next} {zone}");
    }
}
