//! Dots at the start of lines, in pieces of any size.

use crate::gateway::smtp::framing::{Body, Data, DataEnd, Input, has_bare_line_end};
use crate::gateway::smtp::stuffing::Stuffing;

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
            assert_eq!(has_bare_line_end(&[start, "", end]), bare, "{text:?} cut at {cut}");
        }
    }
}

/// All texts of so many of these pieces.
fn texts(pieces: &[&str], count: usize) -> Vec<String> {
    (0..count).fold(vec![String::new()], |texts, _| {
        let longer = |text: &String| pieces.iter().map(|piece| format!("{text}{piece}")).collect();
        texts.iter().flat_map(|text| -> Vec<_> { longer(text) }).collect()
    })
}

#[test]
fn without_whole_line_ends_no_half_of_one_is_left() {
    for text in (0..=6).flat_map(|count| texts(&["a", "\r", "\n"], count)) {
        let bare = text.replace("\r\n", "").contains(['\r', '\n']);
        let octets: Vec<_> = text.bytes().map(|octet| [octet]).collect();
        assert_eq!(has_bare_line_end(&[&text]), bare, "{text:?}");
        assert_eq!(has_bare_line_end(&octets), bare, "{text:?}");
    }
}

#[test]
fn every_dot_after_a_line_end_is_doubled_and_no_other() {
    for text in (0..=6).flat_map(|count| texts(&["a", ".", "\r\n"], count)) {
        let lines = format!("\r\n{text}").replace("\r\n.", "\r\n..");
        let end = if text.is_empty() || text.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" };
        for size in [1, 2, 9] {
            let (mut stuffing, mut out) = (Stuffing::default(), Vec::new());
            text.as_bytes().chunks(size).for_each(|piece| stuffing.write(piece, &mut out));
            stuffing.finish(&mut out);
            assert_eq!(str::from_utf8(&out).unwrap(), format!("{}{end}", &lines[2..]), "{text:?}");
        }
    }
}

#[test]
fn data_is_the_same_however_it_is_cut() {
    use DataEnd::{Bare, Complete, Incomplete};
    for (text, message, expected) in [
        (".\r\nQUIT\r\n", "", Complete),
        ("a\r\n.\r\n", "a\r\n", Complete),
        ("a\r\n\r\nb\r\n..c\r\n\r\n.\r\n", "a\r\n\r\nb\r\n.c\r\n\r\n", Complete),
        ("\r\n\r\n.\r\nx", "\r\n\r\n", Complete),
        ("a.\r\nb\r\n.c\r\n", "a.\r\nb\r\nc\r\n", Incomplete),
        ("a\r\nb\nc\r\n.\r\n", "a\r\nb", Bare),
        ("a\r\nb\rc\r\n.\r\n", "a\r\nb", Bare),
        ("a\r\n\n.\r\n", "a\r\n", Bare),
        ("a\n.\r\n", "a", Bare),
        ("a\r\n.\n", "a\r\n", Bare),
        ("a\r\n.\rb", "a\r\n", Bare),
    ] {
        for cut in 0..=text.len() {
            let (mut data, mut body) = (Data::default(), Body::new(100));
            let (mut input, mut end) = (Input::default(), Incomplete);
            let (first, second) = text.split_at(cut);
            for piece in [first, second] {
                input.push(piece.as_bytes());
                if end == Incomplete {
                    end = data.read(&mut input, &mut body);
                }
            }
            let found = str::from_utf8(body.bytes()).unwrap();
            assert_eq!((found, end), (message, expected), "{text:?} cut at {cut}");
        }
    }
}
