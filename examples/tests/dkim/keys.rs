//! Key records, valid and invalid, alone and with others: RFC 6376 section 3.6.1.

use std::fmt::Write as _;

use data_encoding::BASE64;
use mail_types::dns::{DnssecStatus, RecordType, Zone};

use super::signing::{ED25519, sign};
use super::verdicts::{told, verify};
use examples::gateway::authentication::dkim::DkimLimits;

/// `SubjectPublicKeyInfo`s of RSA keys in base64: 512, 768, 1023, 1024, 4096 and 8192 bits, and the
/// one that signs.
const RSA: &str = include_str!("data/dkim-public-keys.txt");
const P: &str = "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const IN_TEST: &str = "key in test mode (t=y)";

#[test]
fn a_key_that_cannot_be_used_is_a_permanent_error_with_its_reason() {
    let rows = [
        ("k=ed25519; {p}", "pass"),
        ("v=DKIM1; k=ed25519; {p};", "pass"),
        ("  v = DKIM1 ; k = Ed25519 ; n=a note ; g=; {p} ; ", "pass"),
        ("k=ed25519; s=*; h=sha256; {p}", "pass"),
        ("k=ed25519; s=web : email; h=sha1 : sha256; {p}", "pass"),
        ("k=ed25519; t=s : y : z; {p}", "pass"),
        ("k=ed25519; s=; {p}", "the key is not for email (s=)"),
        ("k=ed25519; s=tlsrpt; {p}", "the key is not for email (s=)"),
        ("k=ed25519; s=email2; {p}", "the key is not for email (s=)"),
        ("k=ed25519; h=sha1; {p}", "the key is not for sha256 (h=)"),
        ("k=ed25519; h=; {p}", "the key is not for sha256 (h=)"),
        ("k=ed25519; v=DKIM1; {p}", "invalid key record: v= is not its first tag"),
        ("v=dkim1; k=ed25519; {p}", "invalid key record: v= is not DKIM1"),
        ("v=DKIM2; k=ed25519; {p}", "invalid key record: v= is not DKIM1"),
        ("v=spf1 -all", "invalid key record: v= is not DKIM1"),
        ("hello", "invalid key record: malformed tag at octet 0"),
        ("k=ed25519; k=ed25519; {p}", "invalid key record: duplicate tag k="),
        ("k=ed25519; {p}; p=", "invalid key record: duplicate tag p="),
        ("k=ed25519; x=1; x=1; {p}", "invalid key record: duplicate tag x="),
        ("v=DKIM1;; k=ed25519; {p}", "invalid key record: malformed tag at octet 8"),
        ("v=DKIM1; k=ed25519", "invalid key record: p= is missing"),
        ("v=DKIM1; k=ed25519; p=", "the key is revoked (p= is empty)"),
        ("v=DKIM1; k=dsa; p=AAAA", "the key type is not ed25519 (k=)"),
        ("v=DKIM1; {p}", "the key type is not ed25519 (k=)"),
        ("k=ed25519; p=A!AA", "invalid key record: p= is not base64"),
        ("k=ed25519; p=AAAA", "invalid key record: p= is not a public key of its type"),
    ];
    for (key, expected) in rows {
        let key = key.replace("{p}", P);
        let found = result("", &[&key]);
        let expected = match expected {
            "pass" => "dkim=pass ".to_owned(),
            reason => format!("dkim=permerror reason=\"{reason}\" "),
        };
        assert!(found.starts_with(&expected), "{key}: {found}");
    }
    let found = result("", &[]);
    assert!(
        found.starts_with("dkim=permerror reason=\"no key record for the selector\""),
        "{found}"
    );
}

#[test]
fn a_key_may_be_for_the_domain_itself_only() {
    let key = format!("k=ed25519; t=s; {P}");
    for (identity, good) in [
        ("", true),
        ("; i=@a.example", true),
        ("; i=joe@A.Example", true),
        ("; i=@x.a.example", false),
        ("; i=a.example@x.a.example", false),
    ] {
        let found = result(identity, &[&key]);
        let reason = "permerror reason=\"i= is a subdomain of d=, which the key forbids (t=s)\"";
        let expected = if good { "pass" } else { reason };
        assert!(found.starts_with(&format!("dkim={expected} ")), "{identity}: {found}");
        assert!(result(identity, &[ED25519]).starts_with("dkim=pass "), "{identity}");
    }
}

#[test]
fn rsa_keys_have_at_least_1024_bits_and_come_in_two_forms() {
    let keys: Vec<_> = RSA.lines().collect();
    let own = BASE64.decode(keys[6].as_bytes()).unwrap();
    // The key alone stands behind 24 octets.
    let (bare, cut) = (BASE64.encode(&own[24..]), BASE64.encode(&own[..own.len() - 1]));
    let more = BASE64.encode(&[&own[..], &[0]].concat());
    let mut other = own.clone();
    other[14] = 7; // rsaEncryption becomes id-RSAES-OAEP.
    let other = BASE64.encode(&other);
    let malformed = "permerror reason=\"invalid key record: p= is not a public key of its type\"";
    let short = |bits| format!("permerror reason=\"key too short: {bits} bits, less than 1024\"");
    let rows = [
        (keys[0], &*short(512)),
        (keys[1], &short(768)),
        (keys[2], &short(1023)),
        (keys[3], "fail reason=\"signature did not verify\""),
        (keys[4], "fail reason=\"signature did not verify\""),
        (keys[5], "fail reason=\"signature did not verify\""),
        (keys[6], "pass"),
        (&bare, "pass"),
        (&cut, malformed),
        (&more, malformed),
        (&other, malformed),
        // 1025 octets behind the one that says that the number is not negative.
        (
            &BASE64.encode(
                &[
                    &[0x30, 0x82, 0x04, 0x0b, 0x02, 0x82, 0x04, 0x02, 0][..],
                    &[0xff; 1025],
                    &[2, 3, 1, 0, 1],
                ]
                .concat(),
            ),
            "permerror reason=\"key too long: 8200 bits, more than 8192\"",
        ),
        ("MAA=", malformed),
        ("AA==", malformed),
    ];
    for (key, expected) in rows {
        let message = message("a=rsa-sha256", "");
        let zone = zone(&[&format!("v=DKIM1; p={key}")]);
        let found = told(&verify(&message, &zone, &DkimLimits::default())).remove(0);
        assert!(found.starts_with(&format!("dkim={expected} ")), "{key}: {found}");
    }
}

#[test]
fn of_several_keys_each_that_fits_is_tried_and_their_order_is_nothing() {
    let wrong = |n: u8| format!("k=ed25519; p={}", BASE64.encode(&[n; 32]));
    let wrong: Vec<_> = (1..=5).map(wrong).collect();
    let rsa = format!("p={}", RSA.lines().next().unwrap());
    let revoked = "k=ed25519; p=";
    let twice = format!("k=ed25519; k=ed25519; {P}");
    let rows: [(&[&str], &str); 12] = [
        (&[ED25519, &wrong[0]], "pass"),
        (&[ED25519, &wrong[0], &wrong[1], &wrong[2]], "pass"),
        (&[ED25519, &rsa, "v=spf1 -all", revoked, "junk"], "pass"),
        (&[ED25519, revoked], "pass"),
        (&[&wrong[0], revoked], "fail reason=\"signature did not verify\""),
        (&[&wrong[0], &wrong[1], &rsa], "fail reason=\"signature did not verify\""),
        (&[&rsa, revoked], "permerror reason=\"the key is revoked (p= is empty)\""),
        (&[&rsa, "junk"], "permerror reason=\"the key type is not ed25519 (k=)\""),
        (&["junk", &twice], "permerror reason=\"invalid key record: duplicate tag k=\""),
        (&["p", "junk=1; p", "v=DKIM1"], "permerror reason=\"invalid key record: p= is missing\""),
        (
            &[ED25519, &wrong[0], &wrong[1], &wrong[2], &wrong[3]],
            "permerror reason=\"more than 4 matching keys for the selector\"",
        ),
        (
            &[&wrong[0], &wrong[1], &wrong[2], &wrong[3], &wrong[4]],
            "permerror reason=\"more than 4 matching keys for the selector\"",
        ),
    ];
    for (keys, expected) in rows {
        for order in orders(keys.len()) {
            let keys: Vec<_> = order.iter().map(|&at| keys[at]).collect();
            let found = result("", &keys);
            assert!(found.starts_with(&format!("dkim={expected}")), "{keys:?}: {found}");
        }
    }
}

#[test]
fn a_failure_with_a_key_in_test_mode_is_neutral() {
    let testing = format!("k=ed25519; t=y; p={}", BASE64.encode(&[1; 32]));
    let wrong = testing.replace("t=y; ", "");
    let rows: [(&[&str], &str); 3] = [
        (&[&testing], "neutral reason=\"signature did not verify, "),
        (&[&testing, &wrong], "fail reason=\"signature did not verify\""),
        (&[&testing, ED25519], "pass "),
    ];
    for (keys, expected) in rows {
        let found = result("", keys);
        assert!(found.starts_with(&format!("dkim={expected}")), "{keys:?}: {found}");
        assert_eq!(found.contains(IN_TEST), expected.starts_with("neutral"));
    }
    let changed = message("a=ed25519-sha256", "").replace("hello", "changed");
    let found = told(&verify(&changed, &zone(&[&testing]), &DkimLimits::default())).remove(0);
    let expected = format!("dkim=neutral reason=\"body hash did not verify, {IN_TEST}\" ");
    assert!(found.starts_with(&expected), "{found}");
}

/// What comes of a message by the key of RFC 8463, if these records are there.
fn result(identity: &str, keys: &[&str]) -> String {
    let message = message("a=ed25519-sha256", identity);
    told(&verify(&message, &zone(keys), &DkimLimits::default())).remove(0)
}

fn message(algorithm: &str, identity: &str) -> String {
    let mut tags = "v=1; c=relaxed/relaxed; d=a.example; s=s; h=from; ".to_owned();
    let _ = write!(tags, "{algorithm}{identity}");
    sign(&tags, "from:x@a.example\r\n", "hello\r\n") + "From: x@a.example\r\n\r\nhello\r\n"
}

fn zone(keys: &[&str]) -> Zone {
    let mut zone = Zone::default();
    for key in keys {
        let name = "s._domainkey.a.example".parse().unwrap();
        zone.add(name, RecordType::Txt, key, DnssecStatus::default()).unwrap();
    }
    zone
}

/// Every order of so many.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let shorter = orders(last);
    let insert = |at| {
        shorter.iter().map(move |order| {
            let mut order = order.clone();
            order.insert(at, last);
            order
        })
    };
    (0..count).flat_map(insert).collect()
}
