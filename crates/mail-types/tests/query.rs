//! Queries: untrusted values stay apart, and are refused unless quoted.

use mail_types::exim::{Query, Segment, Trust};

#[test]
fn literals_join_and_values_do_not() {
    let mut query = Query::default();
    query.push_literal(b"");
    assert_eq!(query.segments().len(), 0);
    query.push_literal(b"GET ");
    query.push_literal(b"user:");
    query.push_value(b"a", Trust::Trusted);
    query.push_value(b"", Trust::Trusted);
    query.push_literal(b" x");
    let value = |bytes| Segment::Value { bytes, trust: Trust::Trusted, quoted: None };
    assert_eq!(
        query.segments().collect::<Vec<_>>(),
        [Segment::Literal(b"GET user:"), value(b"a"), value(b""), Segment::Literal(b" x")]
    );
    assert_eq!(query.octets(), b"GET user:a x".len());
}

#[test]
fn an_untrusted_value_needs_the_mark_of_its_lookup() {
    for (trust, quoted, admitted) in [
        (Trust::Trusted, None, true),
        (Trust::Trusted, Some("redis"), true),
        (Trust::Untrusted, None, false),
        (Trust::Untrusted, Some("redis"), false),
        (Trust::Untrusted, Some("pgsql"), true),
    ] {
        let mut query = Query::default();
        query.push_literal(b"SELECT ");
        match quoted {
            Some(lookup) => query.push_quoted(b"x", trust, lookup),
            None => query.push_value(b"x", trust),
        }
        let checked = query.check("pgsql");
        assert_eq!(checked.is_ok(), admitted, "{trust:?} {quoted:?}");
        assert!(checked.is_ok() || checked.is_err_and(|error| error.at == 1));
    }
}

#[test]
fn a_quoted_value_keeps_its_bytes() {
    let mut query = Query::default();
    query.push_quoted(b"o'\0\xff", Trust::Untrusted, "sqlite");
    let kept = query
        .segments()
        .any(|segment| matches!(segment, Segment::Value { bytes, .. } if bytes == b"o'\0\xff"));
    assert!(kept);
}

#[test]
fn the_first_word_has_no_untrusted_value() {
    let query = |pieces: &[&[u8]], trust| {
        let mut query = Query::default();
        for (at, piece) in pieces.iter().enumerate() {
            match at % 2 {
                0 => query.push_literal(piece),
                _ => query.push_quoted(piece, trust, "redis"),
            }
        }
        query
    };
    for (pieces, segment) in [
        (&[&b"GET "[..], b"x"] as &[&[u8]], None),
        (&[b" \tGET\n", b""], None),
        (&[b"\"GET x\" ", b"x"], None),
        (&[b"G\"ET ", b"x"], None),
        (&[b"GET", b"x"], Some(1)),
        (&[b"", b"x", b" y"], Some(0)),
        (&[b"  ", b""], Some(1)),
        (&[b"\\ ", b"x"], Some(1)),
        (&[b"GET\\ ", b"x"], Some(1)),
        (&[b"\"GET ", b"x", b"\""], Some(1)),
        (&[b"\"GET\\\" ", b"x"], Some(1)),
    ] {
        let error = query(pieces, Trust::Untrusted).check_first_word().err().map(|error| error.at);
        assert_eq!(error, segment, "{pieces:?}");
        assert!(query(pieces, Trust::Trusted).check_first_word().is_ok(), "{pieces:?}");
    }
}
