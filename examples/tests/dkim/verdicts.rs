//! Signatures of a message: those of RFC 8463 appendix A, and changes of them.

use std::time::SystemTime;

use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, InquiryStep, Question, RecordType, Session, Zone,
};
use mail_types::results::AuthResult;
use mail_types::smtp::Header;

use super::signing::ED25519;
use examples::gateway::authentication::dkim::{
    DkimLimits, Keys, Signature, read, verify as verify_all,
};

/// Signed by two keys: RFC 8463 appendix A.3.
const SIGNED: &str = concat!(
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n",
    " d=football.example.com; i=@football.example.com;\r\n",
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n",
    " subject : date : message-id : from : subject : date;\r\n",
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n",
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n",
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n",
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n",
    " d=football.example.com; i=@football.example.com;\r\n",
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n",
    " date : message-id : from : subject : date;\r\n",
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n",
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n",
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n",
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n",
    "From: Joe SixPack <joe@football.example.com>\r\n",
    "To: Suzie Q <suzie@shopping.example.net>\r\n",
    "Subject: Is dinner ready?\r\n",
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n",
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n",
    "\r\n",
    "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n",
);
/// The key of the second: appendix A.2.
const RSA: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
const BRISBANE: &str = "brisbane._domainkey.football.example.com";

#[test]
fn both_signatures_of_the_rfc_pass_and_are_told() {
    let found = verify(SIGNED, &zone(ED25519), &DkimLimits::default());
    assert_eq!(
        told(&found),
        [
            "dkim=pass header.d=football.example.com header.s=brisbane header.a=ed25519-sha256 \
             header.b=\"/gCrinpc\"",
            "dkim=pass header.d=football.example.com header.s=test header.a=rsa-sha256 \
             header.b=F45dVWDf",
        ]
    );
}

#[test]
fn what_is_done_to_a_message_shows() {
    let rows = [
        ("Hi.\r\n", "Hi!\r\n", "fail reason=\"body hash did not verify\""),
        ("Is dinner", "Was dinner", "fail reason=\"signature did not verify\""),
        // It signs that there is one From (RFC 6376 section 8.15).
        ("To: Suzie", "From: x@y.example\r\nTo: Suzie", "fail reason=\"signature did not verify\""),
        (
            "t=1528637909; h=from : to :\r\n s",
            "t=1528637909; x=1528637910; h=from : to :\r\n s",
            "fail reason=\"the signature has expired (x=)\"",
        ),
        ("i=@football", "i=@x.football", "fail reason=\"signature did not verify\""),
        ("i=@football.example.com", "i=@example.com", "permerror reason=\"i= is not within d=\""),
        ("d=football.example.com", "d=-", "neutral reason=\"d= is not a DNS name\""),
        (
            "h=from : to :\r\n subject : date : message-id : from :",
            "h=to :\r\n subject :",
            "permerror reason=\"From is not in h=\"",
        ),
        ("ed25519-sha256", "rsa-sha1", "permerror reason=\"rsa-sha1 is historic (RFC 8301)\""),
        ("ed25519-sha256", "rsa-sha512", "neutral reason=\"a= is not a known algorithm\""),
        ("c=relaxed/relaxed", "c=strict", "neutral reason=\"c= is not a known canonicalization\""),
        ("v=1; a=ed", "a=ed", "neutral reason=\"v= is missing\""),
        ("v=1; a=ed", "v=2; a=ed", "neutral reason=\"v= is not 1\""),
        (
            "q=dns/txt; s=br",
            "l=3; q=dns/txt; s=br",
            "policy reason=\"l= leaves the end of the body unsigned\"",
        ),
        ("s=brisbane", "s=sydney", "permerror reason=\"no key record for the selector\""),
    ];
    for (from, to, expected) in rows {
        assert!(SIGNED.contains(from), "{from}");
        let message = SIGNED.replacen(from, to, 1);
        let found = told(&verify(&message, &zone(ED25519), &DkimLimits::default()));
        let expected = format!("dkim={expected}");
        assert!(found.iter().any(|f| f.starts_with(&expected)), "{from} -> {to}: {found:?}");
    }
}

#[test]
fn only_an_unanswered_question_is_a_temporary_error() {
    let mut silent = zone(ED25519);
    let question = Question::new(BRISBANE.parse().unwrap(), RecordType::Txt);
    silent.set(question, Answer::Failed(DnsFailure::Timeout));
    let found = verify(SIGNED, &silent, &DkimLimits::default());
    let results: Vec<_> = found.iter().map(|signature| signature.result).collect();
    assert_eq!(results, [AuthResult::TempError, AuthResult::Pass]);
    let reason = "dkim=temperror reason=\"the DNS did not answer\" header.d=";
    assert!(told(&found)[0].starts_with(reason), "{:?}", told(&found));
    // Before anybody is asked.
    let header = Header::of(SIGNED.as_bytes());
    for signature in read(header, &[], &DkimLimits::default(), SystemTime::now()) {
        assert_eq!(signature.result, AuthResult::Neutral);
    }
}

#[test]
fn each_limit_is_reached_and_not_exceeded() {
    let header = SIGNED.find("\r\n\r\n").unwrap() + 2;
    let with = |change: fn(&mut DkimLimits, usize), value| {
        let mut limits = DkimLimits::default();
        change(&mut limits, value);
        let found = verify(SIGNED, &zone(ED25519), &limits);
        found.iter().map(|signature| signature.result).collect::<Vec<_>>()
    };
    let (pass, policy) = (AuthResult::Pass, AuthResult::Policy);
    assert_eq!(with(|limits, value| limits.signatures = value, 2), [pass, pass]);
    assert_eq!(with(|limits, value| limits.signatures = value, 1), [pass]);
    assert_eq!(with(|limits, value| limits.header = value, header), [pass, pass]);
    assert_eq!(with(|limits, value| limits.header = value, header - 1), [policy, policy]);
    // Seven fields, and eight names in h=.
    assert_eq!(with(|limits, value| limits.fields = value, 8), [pass, pass]);
    assert_eq!(with(|limits, value| limits.fields = value, 7), [policy, policy]);
    assert_eq!(with(|limits, value| limits.fields = value, 6), [policy, policy]);
}

#[test]
fn the_authors_signature_is_found_behind_others() {
    let other =
        "DKIM-Signature: v=1; a=ed25519-sha256; d=list.example; s=s; h=from; bh=AA==; b=AA==\r\n";
    let message = other.repeat(90) + SIGNED;
    let limits = DkimLimits { signatures: 3, ..DkimLimits::default() };
    let found = verify(&message, &zone(ED25519), &limits);
    let results: Vec<_> = found.iter().map(|signature| signature.result).collect();
    assert_eq!(results, [AuthResult::Pass, AuthResult::Pass, AuthResult::PermError]);
    assert_eq!(found[2].domain, Some("list.example".parse().unwrap()));
    assert!(
        read(Header::of(b"From: a@b.example\r\n\r\nx"), &[], &limits, SystemTime::now()).is_empty()
    );
}

fn zone(key: &str) -> Zone {
    let mut zone = Zone::default();
    let rsa = "test._domainkey.football.example.com";
    for (name, text) in [(BRISBANE, key), (rsa, RSA)] {
        zone.add(name.parse().unwrap(), RecordType::Txt, text, DnssecStatus::default()).unwrap();
    }
    zone
}

/// Verifies the signatures of a message by what a zone has.
pub(crate) fn verify(message: &str, zone: &Zone, limits: &DkimLimits) -> Vec<Signature> {
    let header = Header::of(message.as_bytes());
    let author = "football.example.com".parse().unwrap();
    let mut signatures = read(header, &[author], limits, SystemTime::now());
    let keys = Keys::of(&signatures);
    let questions = keys.questions();
    let mut session = Session::new(keys, Vec::new(), questions);
    let keys = loop {
        match session.poll() {
            InquiryStep::Ask(question) => session.handle_answer(&question, zone.answer(&question)),
            InquiryStep::Wait => session.handle_timeout(),
            InquiryStep::Done(keys) => break keys,
        }
    };
    verify_all(header, &mut signatures, keys);
    signatures
}

pub(crate) fn told(signatures: &[Signature]) -> Vec<String> {
    signatures.iter().map(|signature| signature.method_result().to_string()).collect()
}
