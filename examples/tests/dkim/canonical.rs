//! The signed text of a message: RFC 6376 sections 3.4 and 5.4.2.

use mail_types::dns::{DnssecStatus, RecordType, Zone};

use super::signing::{ED25519, sign};
use super::verdicts::{told, verify};
use examples::gateway::authentication::dkim::DkimLimits;
use examples::gateway::authentication::dkim::canonical_body::CanonicalBody;
use examples::gateway::authentication::dkim::canonical_header::Form;

/// A body, and what `simple` and `relaxed` make of it.
const BODIES: [(&str, &str, &str); 26] = [
    ("", "\r\n", ""),
    ("\r\n", "\r\n", ""),
    ("\r\n\r\n\r\n", "\r\n", ""),
    (" \r\n", " \r\n", ""),
    ("\t", "\t\r\n", ""),
    (" \r\n\t\r\n", " \r\n\t\r\n", ""),
    ("x", "x\r\n", "x\r\n"),
    ("x\r\n", "x\r\n", "x\r\n"),
    ("x\r\n\r\n\r\n", "x\r\n", "x\r\n"),
    ("x\r\n \r\n", "x\r\n \r\n", "x\r\n"),
    ("x\r\n\t\r\n\r\n", "x\r\n\t\r\n", "x\r\n"),
    ("x\r\n \r\n\t \r\n  ", "x\r\n \r\n\t \r\n  \r\n", "x\r\n"),
    ("x \r\n", "x \r\n", "x\r\n"),
    ("x \t", "x \t\r\n", "x\r\n"),
    (" x", " x\r\n", " x\r\n"),
    ("\t \tx\t y  z\r\n", "\t \tx\t y  z\r\n", " x y z\r\n"),
    ("\r\nx\r\n", "\r\nx\r\n", "\r\nx\r\n"),
    ("\r\n \r\nx\r\n", "\r\n \r\nx\r\n", "\r\n\r\nx\r\n"),
    ("x\r\n\r\n \r\ny", "x\r\n\r\n \r\ny\r\n", "x\r\n\r\n\r\ny\r\n"),
    ("x\r\n  y", "x\r\n  y\r\n", "x\r\n y\r\n"),
    (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
    // A CR or LF alone ends no line.
    ("x\r", "x\r\r\n", "x\r\r\n"),
    ("x \ry\n\n", "x \ry\n\n\r\n", "x \ry\n\n\r\n"),
    ("x\r\r\n\r\n", "x\r\r\n", "x\r\r\n"),
    ("x\n\r\n \n", "x\n\r\n \n\r\n", "x\n\r\n \n\r\n"),
    ("\r \r\n", "\r \r\n", "\r\r\n"),
];

#[test]
fn a_body_is_hashed_the_same_however_it_is_cut() {
    for (body, simple, relaxed) in BODIES {
        for (form, expected) in [(Form::Simple, simple), (Form::Relaxed, relaxed)] {
            for first in 0..=body.len() {
                for second in first..=body.len() {
                    let pieces = [&body[..first], &body[first..second], &body[second..]];
                    assert_eq!(canonical(form, &pieces), expected, "{form:?} {pieces:?}");
                }
            }
        }
    }
    let many = format!("x{}y", "\r\n".repeat(1000));
    assert_eq!(canonical(Form::Relaxed, &[&many]), format!("{many}\r\n"));
    assert_eq!(canonical(Form::Simple, &[&many]), format!("{many}\r\n"));
}

#[test]
fn a_signature_holds_for_every_such_body() {
    for (body, simple, relaxed) in BODIES {
        for (form, canonical) in [("simple", simple), ("relaxed", relaxed)] {
            let tags = format!("{TAGS}; c=relaxed/{form}; h=from");
            let signature = sign(&tags, "from:x@a.example\r\n", canonical);
            let found = result(&format!("{signature}From: x@a.example\r\n\r\n{body}"));
            assert!(found.starts_with("dkim=pass "), "{form} {body:?}: {found}");
            let found = result(&format!("{signature}From: x@a.example\r\n\r\n{body}z\r\n"));
            assert!(
                found.starts_with("dkim=fail reason=\"body hash did"),
                "{form} {body:?}: {found}"
            );
        }
    }
    // `c=relaxed` is `relaxed/simple`, and no `c=` is `simple/simple`.
    let signature = sign(&format!("{TAGS}; c=relaxed; h=from"), "from:x@a.example\r\n", "x \r\n");
    assert!(result(&(signature + "From: x@a.example\r\n\r\nx \r\n")).starts_with("dkim=pass "));
    let signature = sign(&format!("{TAGS}; h=from"), "From: x@a.example\r\n", "x \r\n");
    assert!(result(&(signature + "From: x@a.example\r\n\r\nx \r\n")).starts_with("dkim=pass "));
}

/// The header as it comes, `h=`, and what of it is signed.
#[test]
fn fields_are_hashed_as_each_form_has_it() {
    let from = "From: x@a.example\r\n";
    let rows = [
        ("relaxed", "from", from, "from:x@a.example\r\n"),
        ("simple", "from", from, from),
        ("relaxed", "from", "FROM:\tx@a.example \t\r\n", "from:x@a.example\r\n"),
        (
            "relaxed",
            "from",
            "From:\r\n x@a.example\r\n\t(x \t y)\r\n \r\n",
            "from:x@a.example (x y)\r\n",
        ),
        ("simple", "from", "FroM:\r\n x@a.example\r\n\t\r\n", "FroM:\r\n x@a.example\r\n\t\r\n"),
        ("relaxed", "from:subject", "Subject:\r\nFrom: a\r\n", "from:a\r\nsubject:\r\n"),
        ("relaxed", "from:subject", "Subject:  \r\nFrom: a\r\n", "from:a\r\nsubject:\r\n"),
        // From the bottom up, and what is not there is nothing: section 5.4.2.
        ("relaxed", "x:from:x:x", "X: 1\r\nFrom: a\r\nx: 2\r\n", "x:2\r\nfrom:a\r\nx:1\r\n"),
        ("relaxed", "x:from", "X: 1\r\nFrom: a\r\nx: 2\r\n", "x:2\r\nfrom:a\r\n"),
        // A blank before the colon is none of the name: sections 3.4.1 and 3.4.2.
        ("relaxed", "from:subject", "From : a\r\nSubject\t : b\r\n", "from:a\r\nsubject:b\r\n"),
        (
            "simple",
            "from:subject",
            "From : a\r\nSubject\t : b\r\n",
            "From : a\r\nSubject\t : b\r\n",
        ),
        ("relaxed", "from", "From\r\n : a\r\n", "from:a\r\n"),
        ("simple", "from", "From\r\n : a\r\n", "From\r\n : a\r\n"),
        // No field of a signature signs itself.
        ("relaxed", "from:dkim-signature", from, "from:x@a.example\r\n"),
        (
            "relaxed",
            "from:dkim-signature",
            "From: a\r\nDKIM-Signature: other\r\n",
            "from:a\r\ndkim-signature:other\r\n",
        ),
        // A CR or LF alone is an octet.
        ("relaxed", "from", "From: a\rb  c\r\n", "from:a\rb c\r\n"),
    ];
    for (form, names, header, signed) in rows {
        let tags = format!("{TAGS}; c={form}/relaxed; h={names}");
        let signature = sign(&tags, signed, "");
        for message in [format!("{signature}{header}\r\n"), format!("{header}{signature}\r\n")] {
            let found = result(&message);
            assert!(found.starts_with("dkim=pass "), "{form} {header:?}: {found}");
        }
    }
}

#[test]
fn a_field_that_is_added_breaks_a_signature_that_names_it_once_more() {
    for (form, signed) in
        [("relaxed", "from:a\r\nsubject:b\r\n"), ("simple", "From: a\r\nSubject: b\r\n")]
    {
        let tags = format!("{TAGS}; c={form}/relaxed; h=from:from:subject:subject");
        let message = sign(&tags, signed, "") + "From: a\r\nSubject: b\r\n";
        assert!(result(&format!("{message}\r\n")).starts_with("dkim=pass "));
        for added in [
            "Subject: evil",
            "Subject : evil",
            "Subject\t: evil",
            "Subject \r\n\t: evil",
            "SUBJECT  : evil",
            "From : evil@b.example",
            "from\t \t: evil@b.example",
            "Subject\u{b}: evil",
            "Subject\0: evil",
            "Subject\u{a0}: evil",
            "From\u{8}: evil@b.example",
            "\u{feff}From: evil@b.example",
        ] {
            for message in
                [format!("{added}\r\n{message}\r\n"), format!("{message}{added}\r\n\r\n")]
            {
                let found = result(&message);
                let failed = "dkim=fail reason=\"signature did not verify\" ";
                assert!(found.starts_with(failed), "{form} {added:?}: {found}");
            }
        }
    }
}

/// RFC 6376 section 8.15: DKIM validates the fields that it is told to, whatever others there are.
#[test]
fn fields_that_are_not_signed_change_nothing() {
    let signed = "from:a\r\nsubject:b\r\n";
    let tags = format!("{TAGS}; c=relaxed/relaxed; h=from:subject");
    let message = sign(&tags, signed, "") + "From: a\r\nSubject: b\r\n";
    for added in ["From: x", "Subject: y", "To: z", "not a field"] {
        let found = result(&format!("Sender: a\r\n{added}\r\n{message}\r\n"));
        assert!(found.starts_with("dkim=pass "), "{added:?}: {found}");
    }
    // Each of two is signed, the last one first.
    let tags = format!("{TAGS}; c=relaxed/relaxed; h=from:subject:subject");
    let message = sign(&tags, "from:a\r\nsubject:c\r\nsubject:b\r\n", "");
    let found = result(&format!("{message}From: a\r\nSubject: b\r\nSubject: c\r\n\r\n"));
    assert!(found.starts_with("dkim=pass "), "{found}");
}

/// The value of `b=` goes with all white space around it, wherever the tag stands: section 3.5.
#[test]
fn the_signature_is_hashed_without_itself() {
    let field = sign(&format!("{TAGS}; c=relaxed/relaxed; h=from"), "from:a\r\n", "");
    let (before, value) = field.trim_end().rsplit_once("b=").unwrap();
    let (one, two) = value.split_at(40);
    for value in
        [format!("{one}\r\n\t{two}"), format!("\r\n {one} {two} \r\n "), format!("{value} \t")]
    {
        let found = result(&format!("{before}b={value}\r\nFrom: a\r\n\r\n"));
        assert!(found.starts_with("dkim=pass "), "{value}: {found}");
    }
}

/// The signature's own field is hashed like any other.
#[test]
fn a_signature_may_have_a_blank_before_its_colon() {
    for (form, signed, passes) in
        [("relaxed", "from:a\r\n", true), ("simple", "From: a\r\n", false)]
    {
        let field = sign(&format!("{TAGS}; c={form}/relaxed; h=from"), signed, "");
        for name in ["DKIM-Signature :", "dkim-signature\t :", "DKIM-Signature\r\n :"] {
            let field = field.replacen("DKIM-Signature:", name, 1);
            let found = result(&format!("{field}From: a\r\n\r\n"));
            // `simple` signed the name without a blank.
            let failed = "dkim=fail reason=\"signature did not verify\" ";
            let expected = if passes { "dkim=pass " } else { failed };
            assert!(found.starts_with(expected), "{form} {name:?}: {found}");
        }
    }
}

const TAGS: &str = "v=1; a=ed25519-sha256; d=a.example; s=s";

fn canonical(form: Form, pieces: &[&str]) -> String {
    let (mut body, mut out) = (CanonicalBody::new(form), Vec::new());
    for piece in pieces {
        body.push(piece.as_bytes(), &mut |piece| out.extend_from_slice(piece));
    }
    body.finish(&mut |piece| out.extend_from_slice(piece));
    String::from_utf8(out).unwrap()
}

/// What comes of the signature of `a.example`, which may have others beside it.
fn result(message: &str) -> String {
    let mut zone = Zone::default();
    let name = "s._domainkey.a.example".parse().unwrap();
    zone.add(name, RecordType::Txt, ED25519, DnssecStatus::default()).unwrap();
    let found = told(&verify(message, &zone, &DkimLimits::default()));
    found.into_iter().find(|found| found.contains("header.d=a.example")).unwrap()
}
