//! The header section of a message: the same for all readers.

use mail_types::smtp::Header;
use proptest::prelude::*;

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
        assert!(Header::is_missing(text.as_bytes()), "{text:?}");
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
        assert!(!Header::is_missing(text.as_bytes()), "{text:?}");
    }
    let long = "a".repeat(100_000);
    assert!(
        Header::is_missing(long.as_bytes()) && !Header::is_missing(format!("{long}:").as_bytes())
    );
}

/// Characters that a program may drop from a name, or regard as its end, hide no field.
#[test]
fn a_name_is_compared_without_characters_that_are_not_graphic() {
    for name in [
        "From",
        "FROM ",
        "From\t\r\n ",
        "From\u{b}",
        "From\0",
        "From\u{a0}",
        "\u{8}From",
        "\u{feff}From\u{7f}",
        "Fro\0m",
        "F\u{200b}rom",
        "Fr\u{1b}om \0",
    ] {
        let message = format!("A: b\r\n{name}: x\r\n\r\n");
        assert_eq!(Header::of(message.as_bytes()).bodies("from").count(), 1, "{name:?}");
    }
    for name in ["From x", "XFrom", "From\0x", "\0", "\u{e4}"] {
        let message = format!("A: b\r\n{name}: x\r\n\r\n");
        assert_eq!(Header::of(message.as_bytes()).bodies("from").count(), 0, "{name:?}");
    }
}

proptest! {
    #[test]
    fn spans_cover_the_header_section_and_nothing_else(text in "([a-z]: ?[a-z]?|[ \t]?[a-z]?)(\r?\n([a-z]: ?[a-z]|[ \t][a-z]|[a-z]|)){0,8}") {
        let message = text.as_bytes();
        let header = Header::of(message);
        let mut end = 0;
        for span in Header::spans(message) {
            prop_assert_eq!(span.start, end);
            prop_assert!(span.end > span.start);
            end = span.end;
        }
        prop_assert_eq!(header.text, &message[..end]);
        prop_assert!(message.ends_with(header.body));
        prop_assert!(message.len() - header.text.len() - header.body.len() <= 2);
        // The section is the header of itself, and has the same fields.
        let again = Header::of(header.text);
        prop_assert_eq!(again.text, header.text);
        prop_assert_eq!(again.fields().count(), header.fields().count());
    }
}
