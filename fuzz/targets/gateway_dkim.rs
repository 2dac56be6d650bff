//! Signatures and keys are parsed or refused; the hashed text does not depend on the pieces of the
//! message; a duplicate tag never counts, no limit is exceeded, and the order of keys has no effect.

#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use examples::gateway::authentication::dkim::canonical_body::CanonicalBody;
use examples::gateway::authentication::dkim::canonical_header::Form;
use examples::gateway::authentication::dkim::keys::Key;
use examples::gateway::authentication::dkim::tag_list::{MOST_TAGS, TagList, TagListError};
use examples::gateway::authentication::dkim::terms::Terms;
use examples::gateway::authentication::dkim::{DkimLimits, Keys, Signature, read, verify};
use libfuzzer_sys::fuzz_target;
use mail_types::dns::{Answer, DnssecStatus, InquiryStep, Records, Session, Texts};
use mail_types::results::AuthResult;
use mail_types::smtp::{Field, Header};

// The first line is the keys, with `|` between them; a message follows.
fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|&octet| octet == b'\n').unwrap_or(input.len());
    let (keys, message) = input.split_at(end);
    let message = message.get(1..).unwrap_or_default();
    let mut keys: Vec<_> = keys.split(|&octet| octet == b'|').collect();
    let header = Header::of(message);

    check_verdicts(header, &mut keys);
    for field in header.fields() {
        check_tags(field.body);
        check_field(field);
    }
    for key in keys {
        check_tags(key);
        check_key(key);
    }
    for form in [Form::Simple, Form::Relaxed] {
        check_body(form, header.body, end);
    }
});

fn check_verdicts(header: Header<'_>, keys: &mut [&[u8]]) {
    let found = verdicts(header, keys, &DkimLimits::default());
    keys.reverse();
    let again = verdicts(header, keys, &DkimLimits::default());
    assert_eq!(told(&found), told(&again), "the order of keys matters");
    assert!(found.len() <= DkimLimits::default().signatures);
    assert!(found.iter().all(|signature| signature.result != AuthResult::TempError));

    let limits = DkimLimits { signatures: 2, header: 500, fields: 8 };
    let found = verdicts(header, keys, &limits);
    assert!(found.len() <= limits.signatures);
    if header.text.len() > limits.header || header.fields().count() > limits.fields {
        assert!(found.iter().all(|signature| signature.result == AuthResult::Policy));
    }
}

fn verdicts(header: Header<'_>, keys: &[&[u8]], limits: &DkimLimits) -> Vec<Signature> {
    let mut signatures = read(header, &[], limits, UNIX_EPOCH + Duration::from_secs(1_600_000_000));
    assert!(signatures.iter().all(|signature| signature.result != AuthResult::TempError));
    let asked = Keys::of(&signatures);
    let questions = asked.questions();
    let mut session = Session::new(asked, Vec::new(), questions);
    let found = loop {
        match session.poll() {
            InquiryStep::Ask(question) => {
                let records = Records::Txt(Texts::new(keys.iter().copied()));
                let (canonical, security) = (question.name.clone(), DnssecStatus::default());
                let answer = Answer::Records { records, canonical, security, ttl: 0 };
                session.handle_answer(&question, answer);
            }
            InquiryStep::Wait => session.handle_timeout(),
            InquiryStep::Done(found) => break found,
        }
    };
    verify(header, &mut signatures, found);
    signatures
}

fn told(signatures: &[Signature]) -> Vec<String> {
    signatures.iter().map(|signature| signature.method_result().to_string()).collect()
}

fn check_tags(text: &[u8]) {
    let Ok(list) = TagList::parse(text) else { return };
    assert!(list.tags().len() <= MOST_TAGS);
    for tag in list.tags() {
        assert_eq!(list.tags().iter().filter(|other| other.name == tag.name).count(), 1);
        assert!(tag.begin <= tag.end && tag.end <= text.len());
        // Whatever it has, once more it may not be there.
        let end = text.strip_suffix(b"\r\n").unwrap_or(text).trim_ascii_end();
        let end = end.strip_suffix(b";").unwrap_or(end);
        let twice = [end, b";", tag.name.as_bytes(), b"="].concat();
        assert!(matches!(TagList::parse(&twice), Err(TagListError::Twice { .. })));
    }
}

fn check_key(key: &[u8]) {
    let sound = b"v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=AAAA; b=AAAA";
    let ed25519 = b"v=1; a=ed25519-sha256; d=a.example; s=s; h=from; bh=AAAA; b=AAAA";
    for tags in [&sound[..], ed25519] {
        let tags = TagList::parse(tags).expect("tags");
        let terms = Terms::read(&tags, &DkimLimits::default(), UNIX_EPOCH).expect("a signature");
        if Key::read(key, &terms).is_err() {
            continue;
        }
        let twice = [b"p=AAAA; ", key].concat();
        assert!(Key::read(&twice, &terms).is_err());
    }
}

fn check_field(field: Field<'_>) {
    for form in [Form::Simple, Form::Relaxed] {
        let mut once = Vec::new();
        form.write_field(field, &mut once);
        let colon = once.iter().position(|&octet| octet == b':').expect("a colon");
        let (name, body) = (&once[..colon], &once[colon + 1..]);
        let mut twice = Vec::new();
        form.write_field(Field { name, body }, &mut twice);
        assert_eq!(once, twice);
    }
}

fn check_body(form: Form, body: &[u8], size: usize) {
    let whole = canonical(form, [body].into_iter());
    assert_eq!(canonical(form, body.chunks(1)), whole);
    assert_eq!(canonical(form, body.chunks(1 + size)), whole);
    assert_eq!(canonical(form, [whole.as_slice()].into_iter()), whole);
    assert!(whole.len() <= body.len() + 2);
    assert!(whole.ends_with(b"\r\n") || whole.is_empty() && form == Form::Relaxed);
    assert!(!whole.ends_with(b"\r\n\r\n"));
}

fn canonical<'a>(form: Form, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut body, mut out) = (CanonicalBody::new(form), Vec::new());
    for piece in pieces {
        body.push(piece, &mut |piece| out.extend_from_slice(piece));
    }
    body.finish(&mut |piece| out.extend_from_slice(piece));
    out
}
