//! Values: nothing in one can break a line.

use mail_types::exim::{Trust, Value, Variable};
use proptest::prelude::*;

#[test]
fn hostile_bytes_are_written_as_escapes() {
    for (bytes, text) in [
        (&b"plain text"[..], "plain text"),
        (b"a\r\nSubject: b", r"a\r\nSubject: b"),
        (b"\0\x1b[2J\x7f", r"\u{0}\u{1b}[2J\u{7f}"),
        (b"\xff\xc3", r"\xff\xc3"),
        (br"a\n", r"a\\n"),
        ("\u{85}\u{2028}\u{202e}x".as_bytes(), r"\u{85}\u{2028}\u{202e}x"),
        ("grüße".as_bytes(), "grüße"),
    ] {
        assert_eq!(Value::new(bytes, Trust::Untrusted).to_string(), text);
    }
}

/// Marks of the writing direction reorder a line (UAX #9), and invisible characters make two values look the same.
#[test]
fn no_direction_and_nothing_invisible_comes_out() {
    let marks = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}";
    let invisible =
        "\u{ad}\u{200b}\u{200d}\u{2060}\u{206f}\u{fe0f}\u{feff}\u{fff9}\u{e0041}\u{3164}";
    for c in marks.chars().chain(invisible.chars()) {
        let text = format!("a{c}b");
        let value = Value::new(text.as_bytes(), Trust::Untrusted);
        assert_eq!(value.to_string(), format!("a{}b", c.escape_unicode()));
        let line = if marks.contains(c) { "a?b" } else { text.as_str() };
        assert_eq!(value.to_line(), line, "{}", c.escape_unicode());
    }
}

#[test]
fn trust_goes_with_the_bytes() {
    let value = Value::new(b"x".to_vec(), Trust::Untrusted).into_owned();
    assert_eq!((value.as_bytes(), value.trust()), (&b"x"[..], Trust::Untrusted));
    assert_eq!(Value::trusted("pass").trust(), Trust::Trusted);
    assert_eq!(Variable::from(Value::trusted("a")), Variable::Value(Value::trusted("a")));
}

proptest! {
    #[test]
    fn no_control_character_comes_out(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let text = Value::new(bytes, Trust::Untrusted).to_string();
        prop_assert!(!text.chars().any(char::is_control));
    }
}
