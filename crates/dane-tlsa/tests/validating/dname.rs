//! Aliases that servers make of a DNAME record, validated on this host: RFC 6672.

use hickory_proto::dnssec::Proof;
use hickory_proto::rr::rdata::NULL;
use hickory_proto::rr::{RData, Record, RecordType};
use hickory_proto::serialize::binary::BinEncodable as _;

use super::proven_records::{address, alias, name, record, signature, walked};

const ASKED: &str = "mx.old.example.com";

fn dname(owner: &str, target: &str, proof: Proof) -> Record {
    let rdata = NULL::with(name(target).to_bytes().unwrap());
    record(owner, RData::Unknown { code: RecordType::DNAME, rdata }, proof)
}

/// The alias has no signature, so that hickory takes it for bogus (RFC 6672 section 5.3.1).
#[test]
fn point_35_an_alias_by_dname_is_as_secure_as_the_dname_record() {
    use Proof::{Bogus, Indeterminate, Insecure, Secure};
    let made = || alias("mx.old.example.com.", "mx.new.example.net.", Bogus);
    for (proof, expected) in [
        (Secure, "ask mx.new.example.net secure 300"),
        (Insecure, "bogus"),
        (Bogus, "bogus"),
        (Indeterminate, "bogus"),
    ] {
        let dname = dname("old.example.com.", "new.example.net.", proof);
        assert_eq!(walked(ASKED, vec![dname, made()], Vec::new()), expected, "{proof}");
    }
    // The end may be in the same response, and counts by itself.
    for (proof, expected) in
        [(Secure, "records secure 300"), (Insecure, "records insecure 300"), (Bogus, "bogus")]
    {
        let dname = dname("old.example.com.", "new.example.net.", Secure);
        let answers = vec![address("mx.new.example.net.", proof), made(), dname];
        assert_eq!(walked(ASKED, answers, Vec::new()), expected, "{proof}");
    }
    // An unsigned zone has unsigned aliases.
    let dname = dname("old.example.com.", "new.example.net.", Insecure);
    let made = alias("mx.old.example.com.", "mx.new.example.net.", Insecure);
    let expected = "ask mx.new.example.net insecure 300";
    assert_eq!(walked(ASKED, vec![dname, made], Vec::new()), expected);
}

#[test]
fn an_alias_that_does_not_follow_from_the_dname_record_is_bogus() {
    for (owner, target, made) in [
        // Another end, or one that has more or fewer labels.
        ("old.example.com.", "new.example.net.", "mx.evil.example."),
        ("old.example.com.", "new.example.net.", "new.example.net."),
        ("old.example.com.", "new.example.net.", "a.mx.new.example.net."),
        ("old.example.com.", "new.example.net.", "my.new.example.net."),
        // A DNAME record of another name, or of the name itself, whose own records it leaves.
        ("mx.old.example.com.", "new.example.net.", "new.example.net."),
        ("a.mx.old.example.com.", "new.example.net.", "mx.new.example.net."),
        ("x.old.example.com.", "new.example.net.", "mx.new.example.net."),
        ("ld.example.com.", "new.example.net.", "mx.new.example.net."),
        ("example.net.", "new.example.net.", "mx.new.example.net."),
    ] {
        let dname = dname(owner, target, Proof::Secure);
        let made = alias("mx.old.example.com.", made, Proof::Bogus);
        let shown = format!("{dname} {made}");
        assert_eq!(walked(ASKED, vec![dname, made], Vec::new()), "bogus", "{shown}");
    }
}

#[test]
fn a_dname_record_above_counts_whatever_its_case_and_depth() {
    for (owner, target, made) in [
        ("OLD.example.com.", "New.example.net.", "mx.NEW.example.net."),
        ("example.com.", "example.net.", "mx.old.example.net."),
        ("com.", "net.", "mx.old.example.net."),
        (".", "alt.example.", "mx.old.example.com.alt.example."),
    ] {
        let dname = dname(owner, target, Proof::Secure);
        let made = alias("mx.old.example.com.", made, Proof::Bogus);
        let walk = walked(ASKED, vec![dname, made], Vec::new());
        assert!(walk.starts_with("ask ") && walk.ends_with(" secure 300"), "{owner}: {walk}");
    }
}

/// RFC 6672 section 2.4, and section 3.3.
#[test]
fn of_two_dname_records_or_one_of_a_wildcard_no_alias_follows() {
    let made = || alias("mx.old.example.com.", "mx.new.example.net.", Proof::Bogus);
    let right = || dname("old.example.com.", "new.example.net.", Proof::Secure);
    let other = dname("old.example.com.", "evil.example.", Proof::Secure);
    assert_eq!(walked(ASKED, vec![right(), other, made()], Vec::new()), "bogus");
    let of_wildcard = signature(&right(), 2, "example.com.");
    assert_eq!(walked(ASKED, vec![right(), of_wildcard, made()], Vec::new()), "bogus");
    let own = signature(&right(), 3, "example.com.");
    let walk = walked(ASKED, vec![right(), own, made()], Vec::new());
    assert_eq!(walk, "ask mx.new.example.net secure 300");
}

/// Nobody has signed the time to live of the alias.
#[test]
fn an_alias_is_kept_no_longer_than_its_dname_record() {
    let mut made = alias("mx.old.example.com.", "mx.new.example.net.", Proof::Bogus);
    made.ttl = u32::MAX >> 1;
    let dname = dname("old.example.com.", "new.example.net.", Proof::Secure);
    let walk = walked(ASKED, vec![dname, made], Vec::new());
    assert_eq!(walk, "ask mx.new.example.net secure 300");
}

#[test]
fn a_target_that_is_not_a_name_makes_no_alias() {
    for octets in [&b"\x03new"[..], b"\xc0\x0c", b"\x40"] {
        let rdata = NULL::with(octets.to_vec());
        let data = RData::Unknown { code: RecordType::DNAME, rdata };
        let dname = record("old.example.com.", data, Proof::Secure);
        let made = alias("mx.old.example.com.", "mx.", Proof::Bogus);
        assert_eq!(walked(ASKED, vec![dname, made], Vec::new()), "bogus", "{octets:?}");
    }
    // A name of more than 255 octets.
    let label = "x".repeat(63);
    let long = format!("{label}.{label}.{label}.");
    let asked = format!("{}.old.example.com.", &long[..190]);
    let dname = dname("old.example.com.", &long, Proof::Secure);
    let made = alias(&asked, &long, Proof::Bogus);
    assert_eq!(walked(&asked, vec![dname, made], Vec::new()), "bogus");
}
