//! Charsets of encoded words in `From` fields that hide addresses.
#![cfg(feature = "idna")]

use dmarc_policy::{Author, AuthorFault};

#[test]
fn a_charset_that_hides_an_address_is_a_fault() {
    for row in [
        "=?utf-7?q?a+AEA-victim.example?=",
        "=?UNICODE-1-1-UTF-7*en?b?YStBRUEtdmljdGltLmV4YW1wbGU?=",
        "=?cp037?b?gXyln4OjiZRLhaeBlJeThQ==?=",
        "=?IBM-1047?q?=81=7C?=",
        "=?ebcdic-cp-us?q?=81=7C?=",
        "=?utf-7?q?a+AEA-victim.example?=, x@good.net",
        "<x@good.net> =?utf-7?q?a+AEA-victim.example?=",
        // Here an ASCII `@` is a part of the other one.
        "=?hz-gb-2312?b?YX57I0B+fXZpY3RpbS5leGFtcGxl?=",
        "=?iso-2022-kr*ko?q?a=1B$)C=0E#=40=0E?=",
    ] {
        let author = Author::from_fields([row.as_bytes()]);
        assert!(author.fault().is_some(), "{row:?}: {author:?}");
    }
    for row in ["=?cp437?q?root?=", "=?windows-1251?q?root?=", "=?gb2312?q?root?="] {
        assert_eq!(Author::from_fields([row.as_bytes()]), Author::Absent, "{row}");
    }
}

/// What is not ASCII in these charsets is not read. Each has a second form of the `@`, the one in these rows
/// (RFC 1842, RFC 1468, and the tables of the WHATWG's Encoding Standard), so that a field of which
/// nothing else is known may hold an address.
#[test]
fn text_that_cannot_be_read_is_a_fault_where_there_is_no_other_author() {
    for (charset, at) in [
        ("gb2312", "=A3=C0"),
        ("GBK", "=A3=C0"),
        ("gb18030", "=A3=C0"),
        ("Shift_JIS", "=81=97"),
        // With the octet before it, this is UTF-8 by chance.
        ("shift_jis", "=C3=9F=E3=81=97"),
        ("cp932", "=81=97"),
        ("euc-jp", "=A1=F7"),
        ("iso-2022-jp", "=1B$B!w=1B(B"),
        ("big5", "=A2I"),
        ("euc-kr", "=A3=C0"),
        ("ks_c_5601-1987", "=A3=C0"),
        ("koi8-r", "=E9=D7=C1=CE"),
        ("utf-8", "=A3=C0"),
    ] {
        let word = format!("=?{charset}?q?a{at}victim.example?=");
        for row in [&*word, &format!("{word} <y@[127.0.0.1]>, x"), &format!("A, {word}")] {
            let author = Author::from_fields([row.as_bytes()]);
            let fault = author.fault();
            assert!(matches!(fault, Some(AuthorFault::Unreadable { .. })), "{row}: {author:?}");
        }
        for row in [&*format!("A, {word} <x@good.net>"), &format!("{word} x@good.net")] {
            let author = Author::from_fields([row.as_bytes()]);
            assert_eq!(author, Author::One(name("good.net")), "{row}");
        }
    }
    // The same without an encoded word, and a name that only looks like one.
    for row in [&b"a\xa3\xc0victim.example"[..], b"a\x81\x97victim.example", b"\xc1\xa6"] {
        let author = Author::from_fields([row]);
        assert!(author.fault().is_some(), "{row:?}: {author:?}");
    }
    assert_eq!(Author::from_fields(["M\u{fc}ller".as_bytes()]), Author::Absent);
    assert_eq!(Author::from_fields([&b"=?iso-8859-1?q?M=FCller?="[..]]), Author::Absent);
}

fn name(text: &str) -> mail_types::dns::Name {
    text.parse().unwrap_or_else(|_| mail_types::dns::Name::root())
}
