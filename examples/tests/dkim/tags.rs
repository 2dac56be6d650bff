//! Tags of signatures, valid and invalid: RFC 6376 section 3.5.

use std::time::{SystemTime, UNIX_EPOCH};

use mail_types::dns::{DnssecStatus, RecordType, Zone};

use super::signing::{ED25519, sign};
use super::verdicts::{told, verify};
use examples::gateway::authentication::dkim::DkimLimits;

/// What the tests change.
const TAGS: &str = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=a.example; s=s; h=from:subject";

#[test]
fn tags_that_are_sound_pass_however_they_are_written() {
    let rows = [
        ("v=1", "v=1"),
        ("v=1; ", "v=1; unknown=; x_1=a=b; "),
        // Words of the grammar are those of ABNF, without regard to case.
        ("a=ed25519-sha256", "a=Ed25519-SHA256"),
        ("relaxed/relaxed", "relaxed/Relaxed"),
        ("h=from:subject", "h=FROM:Subject"),
        ("h=from:subject", "h=from : subject"),
        ("h=from:subject", "h=from:subject:subject:list-id:dkim-signature"),
        ("d=a.example", "d=A.EXAMPLE"),
        ("s=s", "s=under_score"),
        ("s=s", "s=_s.a-b.1"),
        ("d=a.example", "d=un_der.example"),
        ("d=a.example", "d=a.example; i=@a.example"),
        ("d=a.example", "d=a.example; i=joe@X.a.EXAMPLE"),
        ("d=a.example", "d=a.example; i=j=6Fe=3D=2B@=61.example"),
        ("d=a.example", "d=a.example; i= \"a@b\" @a.example"),
        ("d=a.example", "d=a.example; i=\"a=40b\"@a.example"),
        ("d=a.example", "d=a.example; i=\"\"@a.example"),
        ("d=a.example", "d=a.example; i=\"a\\\"b\"@a.example"),
        ("d=a.example", "d=a.example; i=a.b=3D{c}@a.example"),
        ("d=a.example", "d=a.example; i=j\u{fc}rgen@a.example"),
        ("s=s", "s=s; q=dns/txt"),
        ("s=s", "s=s; q=x : dns/txt"),
        ("s=s", "s=s; t=0"),
        ("s=s", "s=s; t=1528637909; x=999999999999"),
        ("s=s", "s=s; z=From:a@b|To:c"),
    ];
    for (from, to) in rows {
        assert!(TAGS.contains(from), "{from}");
        let result = result(&TAGS.replacen(from, to, 1));
        assert!(result.starts_with("dkim=pass "), "{to}: {result}");
    }
}

/// A tag, what is in its place, and the reason. `LABEL`, `LONG` and `NAMES` are too long for a name.
const WRONG_TAGS: &[(&str, &str, &str)] = &[
    ("s=s", "s=a..b", "s= is not a DNS name"),
    ("s=s", "s=.a", "s= is not a DNS name"),
    ("s=s", "s=a.", "s= is not a DNS name"),
    ("s=s", "s=", "s= is not a DNS name"),
    ("s=s", "s=.", "s= is not a DNS name"),
    ("s=s", "s=a b", "s= is not a DNS name"),
    ("s=s", "s=a/b", "s= is not a DNS name"),
    ("s=s", "s=-a", "s= is not a DNS name"),
    ("s=s", "s=LABEL", "s= is not a DNS name"),
    ("s=s", "s=LONG", "s= and d= are too long for one DNS name"),
    ("; s=s", "", "s= is missing"),
    ("d=a.example", "d=", "d= is not a DNS name"),
    ("d=a.example", "d=a..example", "d= is not a DNS name"),
    ("d=a.example", "d=a.example.", "d= is not a DNS name"),
    ("d=a.example", "d=.a.example", "d= is not a DNS name"),
    ("d=a.example", "d=[192.0.2.1]", "d= is not a DNS name"),
    ("d=a.example", "d=a@a.example", "d= is not a DNS name"),
    ("d=a.example", "d=NAMES", "d= is not a DNS name"),
    ("; d=a.example", "", "d= is missing"),
    ("v=1; ", "", "v= is missing"),
    ("v=1", "v=", "v= is not 1"),
    ("v=1", "v=01", "v= is not 1"),
    ("v=1", "V=1", "v= is missing"),
    ("; a=ed25519-sha256", "", "a= is missing"),
    ("a=ed25519-sha256", "a=", "a= is not a known algorithm"),
    ("a=ed25519-sha256", "a=ed25519", "a= is not a known algorithm"),
    ("relaxed/relaxed", "relaxed/", "c= is not a known canonicalization"),
    ("relaxed/relaxed", "nowsp", "c= is not a known canonicalization"),
    ("; h=from:subject", "", "h= is missing"),
    ("h=from:subject", "h=", "h= is not a list of field names"),
    ("h=from:subject", "h=from::subject", "h= is not a list of field names"),
    ("h=from:subject", "h=from:sub ject", "h= is not a list of field names"),
    ("s=s", "s=s; i=a.example", "i= is not an address"),
    ("s=s", "s=s; i=", "i= is not an address"),
    ("s=s", "s=s; i=a@", "i= is not an address"),
    ("s=s", "s=s; i=a@a..example", "i= is not an address"),
    ("s=s", "s=s; i=a=4@a.example", "i= is not an address"),
    ("s=s", "s=s; i=a=0A@a.example", "i= is not an address"),
    // RFC 5321 section 4.1.2: Dot-string / Quoted-string.
    ("s=s", "s=s; i=x@evil.example@a.example", "i= is not an address"),
    ("s=s", "s=s; i=x=40evil.example@a.example", "i= is not an address"),
    ("s=s", "s=s; i=@@a.example", "i= is not an address"),
    ("s=s", "s=s; i=a..b@a.example", "i= is not an address"),
    ("s=s", "s=s; i=.a@a.example", "i= is not an address"),
    ("s=s", "s=s; i=a.@a.example", "i= is not an address"),
    ("s=s", "s=s; i=a,b@a.example", "i= is not an address"),
    ("s=s", "s=s; i=<a@a.example", "i= is not an address"),
    ("s=s", "s=s; i=\"a\"b\"@a.example", "i= is not an address"),
    ("s=s", "s=s; i=\"a@a.example", "i= is not an address"),
    ("s=s", "s=s; i=\"@a.example", "i= is not an address"),
    ("s=s", "s=s; i=\"a\\\"@a.example", "i= is not an address"),
    ("s=s", "s=s; q=dns", "q= is not a known query method"),
    ("s=s", "s=s; q=", "q= is not a known query method"),
    ("s=s", "s=s; t=", "t= is not a time in seconds"),
    ("s=s", "s=s; t=-1", "t= is not a time in seconds"),
    ("s=s", "s=s; x=1e9", "x= is not a time in seconds"),
    ("s=s", "s=s; x=9999999999999", "x= is not a time in seconds"),
    ("s=s", "s=s; t=1528637909; x=1528637908", "x= is not later than t="),
    ("s=s", "s=s; t=1528637909; x=1528637909", "x= is not later than t="),
    ("s=s", "s=s; l=x", "l= is not a number of octets"),
    // RFC 6376 section 3.2.
    ("s=s", "s=s; s=s", "duplicate tag s="),
    ("s=s", "s=s; s=t", "duplicate tag s="),
    ("v=1", "unknown=1; v=1; unknown=2", "duplicate tag unknown="),
    ("v=1", "v=1;", "malformed tag at octet 5"),
    ("v=1", "v", "malformed tag at octet 0"),
    ("v=1", "=1", "malformed tag at octet 0"),
    ("v=1", "1v=1", "malformed tag at octet 0"),
    ("v=1", "v-x=1", "malformed tag at octet 0"),
    ("v=1", "v=1\u{7}", "invalid character at octet 4"),
];

#[test]
fn a_fault_of_the_syntax_is_neutral_with_its_reason() {
    let long = [
        ("LABEL", "s".repeat(64)),
        ("LONG", ["s"; 121].join(".")),
        ("NAMES", format!("{}.example", ["d"; 126].join("."))),
    ];
    for (from, to, reason) in WRONG_TAGS {
        assert!(TAGS.contains(from), "{from}");
        let to = long.iter().fold((*to).to_owned(), |to, (name, text)| to.replace(name, text));
        let to = &to;
        let result = result(&TAGS.replacen(from, to, 1));
        assert!(result.starts_with(&format!("dkim=neutral reason=\"{reason}\"")), "{to}: {result}");
    }
}

#[test]
fn what_is_sound_and_still_not_taken_has_its_reason() {
    let ahead = |seconds| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        format!("s=s; t={}", now + seconds)
    };
    let (soon, late) = (ahead(23 * 3600), ahead(25 * 3600));
    let rows = [
        ("s=s", "s=s; x=0", "fail reason=\"the signature has expired (x=)\""),
        ("s=s", "s=s; t=1528637909; x=0", "fail reason=\"the signature has expired (x=)\""),
        ("s=s", "s=s; x=1528637909", "fail reason=\"the signature has expired (x=)\""),
        ("s=s", &soon, "pass"),
        ("s=s", &late, "policy reason=\"the signature is from the future (t=)\""),
        ("s=s", "s=s; i=@b.example", "permerror reason=\"i= is not within d=\""),
        ("s=s", "s=s; i=@example", "permerror reason=\"i= is not within d=\""),
        ("s=s", "s=s; i=@xa.example", "permerror reason=\"i= is not within d=\""),
        ("s=s", "s=s; i=\"a@a.example\"@b.example", "permerror reason=\"i= is not within d=\""),
        ("s=s", "s=s; i=a=2Ba.example@b.example", "permerror reason=\"i= is not within d=\""),
        ("h=from:subject", "h=subject:xfrom", "permerror reason=\"From is not in h=\""),
        ("s=s", "s=s; l=0", "policy reason=\"l= leaves the end of the body unsigned\""),
        ("s=s", "s=s; l=5", "policy reason=\"l= leaves the end of the body unsigned\""),
        ("ed25519-sha256", "rsa-sha1", "permerror reason=\"rsa-sha1 is historic (RFC 8301)\""),
    ];
    for (from, to, expected) in rows {
        assert!(TAGS.contains(from), "{from}");
        let result = result(&TAGS.replacen(from, to, 1));
        assert!(result.starts_with(&format!("dkim={expected} ")), "{to}: {result}");
    }
}

#[test]
fn a_signature_has_a_hundred_tags_at_most() {
    // There are eight with `bh=` and `b=`.
    let with = |more: usize| (0..more).fold(TAGS.to_owned(), |tags, at| format!("{tags}; x{at}=1"));
    assert!(result(&with(92)).starts_with("dkim=pass "));
    let found = result(&with(93));
    assert!(found.starts_with("dkim=neutral reason=\"more than 100 tags\""), "{found}");
}

#[test]
fn of_a_signature_that_cannot_be_verified_there_is_told_what_can_be_read() {
    // Two of them: none is a temporary error, and both are told.
    let broken =
        "DKIM-Signature: v=1; a=rsa-sha256; d=victim.example; s=a..b; h=from; bh=AAAA; b=AAAA\r\n";
    let message = format!("{broken}{broken}From: a@victim.example\r\n\r\nx\r\n");
    let found = verify(&message, &Zone::default(), &DkimLimits::default());
    let result = "dkim=neutral reason=\"s= is not a DNS name\" header.d=victim.example \
                  header.a=rsa-sha256 header.b=AAAA";
    assert_eq!(told(&found), [result, result]);
    assert!(found.iter().all(|signature| signature.selector.is_empty()));
}

#[test]
fn base64_may_lack_its_padding_and_is_otherwise_strict() {
    let rows =
        [("==", "", true), ("", " ", true), ("", "=", false), ("=", "", false), ("", "!", false)];
    let signed = sign(TAGS, "from:x@a.example\r\nsubject:hi\r\n", "hello\r\n");
    let signed = signed.trim_end();
    for (from, to, good) in rows {
        let changed = format!("{}{to}", signed.strip_suffix(from).unwrap());
        let message = format!("{changed}\r\n{REST}");
        let found = told(&verify(&message, &zone("s"), &DkimLimits::default()));
        let expected = if good { "dkim=pass" } else { "dkim=neutral reason=\"b= is not base64\"" };
        assert!(found[0].starts_with(expected), "{changed}: {found:?}");
    }
}

/// Signs a message by these tags, and tells what comes of it.
fn result(tags: &str) -> String {
    let mut header = String::new();
    for name in ["from:x@a.example\r\n", "subject:hi\r\n"] {
        let listed = tags.to_lowercase().replace(' ', "");
        let named = name.split(':').next().unwrap();
        if listed.split(['=', ':', ';']).any(|part| part == named) {
            header.push_str(name);
        }
    }
    let selector = tags.split("; s=").nth(1).and_then(|rest| rest.split(';').next()).unwrap_or("s");
    let message = sign(tags, &header, "hello\r\n") + REST;
    told(&verify(&message, &zone(selector), &DkimLimits::default())).remove(0)
}

const REST: &str = "From: x@a.example\r\nSubject: hi\r\n\r\nhello\r\n";

fn zone(selector: &str) -> Zone {
    let mut zone = Zone::default();
    for domain in ["a.example", "un_der.example"] {
        let Ok(name) = format!("{selector}._domainkey.{domain}").parse() else { continue };
        zone.add(name, RecordType::Txt, ED25519, DnssecStatus::default()).unwrap();
    }
    zone
}
