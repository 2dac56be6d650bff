//! Dots at the start of lines, however the message is cut.

use super::super::framing::has_bare_line_end;
use super::super::stuffing::Stuffing;

/// RFC 5321 section 4.5.2: a line that begins with a dot gets another.
const ROWS: [(&str, &str); 9] = [
    ("", ".\r\n"),
    ("a\r\n", "a\r\n.\r\n"),
    ("a", "a\r\n.\r\n"),
    (".\r\n", "..\r\n.\r\n"),
    ("..\r\n", "...\r\n.\r\n"),
    ("a.\r\n.b\r\n", "a.\r\n..b\r\n.\r\n"),
    ("\r\n.\r\n", "\r\n..\r\n.\r\n"),
    ("\r\n\r\n", "\r\n\r\n.\r\n"),
    ("a\r\n.", "a\r\n..\r\n.\r\n"),
];

#[test]
fn a_dot_before_a_dot() {
    for (text, expected) in ROWS {
        for cut in 0..=text.len() {
            let (mut stuffing, mut out) = (Stuffing::default(), Vec::new());
            let (start, end) = text.split_at(cut);
            stuffing.write(start.as_bytes(), &mut out);
            stuffing.write(end.as_bytes(), &mut out);
            stuffing.finish(&mut out);
            assert_eq!(str::from_utf8(&out), Ok(expected), "{text:?} cut at {cut}");
        }
    }
}

#[test]
fn a_line_end_is_bare_without_its_other_half() {
    for (text, bare) in [
        ("", false),
        ("a\r\n\r\nb", false),
        ("\n", true),
        ("\r", true),
        ("a\nb", true),
        ("a\rb", true),
        ("\r\r\n", true),
        ("\r\n\n", true),
        ("a\r\nb\r", true),
        ("\n\r", true),
    ] {
        for cut in 0..=text.len() {
            let (start, end) = text.split_at(cut);
            assert_eq!(has_bare_line_end(&[start, end]), bare, "{text:?} cut at {cut}");
        }
    }
}
