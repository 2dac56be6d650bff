//! Where the header of a message begins and ends: the same for all who read it.

use super::session::{ready, settings};
use crate::gateway::message::header::{Header, lacks_header};
use crate::gateway::smtp::transaction::hops;

#[test]
fn a_first_line_that_is_no_field_is_no_header() {
    for text in [
        "\t; dkim=pass header.d=bank.example\r\nFrom: a@b.example\r\n\r\n",
        " \r\nFrom: a@b.example\r\n\r\n",
        "From ann@b.example Mon Jan 1\r\nFrom: a@b.example\r\n\r\n",
        "hello\r\n",
        "hello",
        ": a\r\n",
        " : a\r\n",
        "\u{e4}: b\r\n",
        "a b: c\r\n",
        "a\0: b\r\n",
        "a\r\n: b\r\n",
        "a\r\n",
        "\n",
    ] {
        assert!(lacks_header(text.as_bytes()), "{text:?}");
    }
    for text in [
        "",
        "\r\n",
        "\r\nFrom: a@b.example\r\n",
        "a: b",
        "a:\r\n",
        "a : b\r\n",
        "a\t :b\r\n",
        "a\r\n : b\r\n",
        "a: b\r\nno field\r\nc: d\r\n\r\n",
        "a: \0\u{e4}\r\n",
        "!#$~: a\r\n",
    ] {
        assert!(!lacks_header(text.as_bytes()), "{text:?}");
    }
    let long = "a".repeat(100_000);
    assert!(lacks_header(long.as_bytes()) && !lacks_header(format!("{long}:").as_bytes()));
}

/// What a program may drop from a name, or take for its end, hides no field.
#[test]
fn a_name_is_compared_without_what_is_not_graphic_around_it() {
    for name in [
        "From",
        "FROM ",
        "From\t\r\n ",
        "From\u{b}",
        "From\0",
        "From\u{a0}",
        "\u{8}From",
        "\u{feff}From\u{7f}",
    ] {
        let message = format!("A: b\r\n{name}: x\r\n\r\n");
        assert_eq!(Header::of(message.as_bytes()).bodies("from").count(), 1, "{name:?}");
    }
    for name in ["From x", "XFrom", "Fro\0m", "From\0x", "\0", "\u{e4}"] {
        let message = format!("A: b\r\n{name}: x\r\n\r\n");
        assert_eq!(Header::of(message.as_bytes()).bodies("from").count(), 0, "{name:?}");
    }
}

/// It is decided once, for `DATA` and for `BDAT`, before anybody reads the message.
#[test]
fn a_message_without_a_header_gets_an_empty_line_first() {
    for (text, expected, header) in [
        (
            "\t; dkim=pass\r\nFrom: a@b.example\r\n",
            "\r\n\t; dkim=pass\r\nFrom: a@b.example\r\n",
            "",
        ),
        ("hello\r\n\r\nReceived: x\r\n", "\r\nhello\r\n\r\nReceived: x\r\n", ""),
        ("\r\nhello\r\n", "\r\nhello\r\n", ""),
        (
            "a: b\r\nc\r\nd: e\r\n\r\nf\r\n",
            "a: b\r\nc\r\nd: e\r\n\r\nf\r\n",
            "a: b\r\nc\r\nd: e\r\n",
        ),
        ("\r\n", "\r\n", ""),
    ] {
        let bdat = format!("BDAT {} LAST\r\n{text}", text.len());
        let (first, rest) = bdat.split_at(bdat.len() - text.len() / 2);
        let bdat = [first.to_owned(), rest.to_owned()];
        for pieces in [["DATA\r\n".to_owned(), format!("{text}.\r\n")], bdat] {
            let mut talk = ready(settings());
            for piece in &pieces {
                talk.say(piece);
            }
            assert_eq!(talk.messages, [expected], "{pieces:?}");
            assert_eq!(Header::of(expected.as_bytes()).text, header.as_bytes());
        }
    }
    let received = "Received: by x\r\n".repeat(9);
    assert_eq!(hops(format!("\r\nno field\r\n{received}").as_bytes()), 0);
    assert_eq!(hops(format!("a: b\r\nno field\r\n{received}").as_bytes()), 9);
}
