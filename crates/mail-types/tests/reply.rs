//! Replies: their lines and codes, also of hostile peers.

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode, ReplyError, Severity};
use proptest::prelude::*;

#[test]
fn a_reply_comes_back() {
    for text in [
        "250 ok",
        "250 ",
        "550 5.1.1 no such user",
        "250-mx.example.com\r\n250-PIPELINING\r\n250 SIZE 1000",
        "451-4.3.0 one\r\n451 4.3.0 two",
        "353 content analysis has started",
    ] {
        let wire = format!("{text}\r\nrest");
        let (rest, reply) = Reply::parse(wire.as_bytes()).unwrap();
        assert_eq!(rest, b"rest");
        assert_eq!(reply.to_string(), text);
        assert_eq!(text.parse(), Ok(reply));
    }
}

#[test]
fn a_bare_code_is_a_reply() {
    let (_, reply) = Reply::parse(b"250\r\n").unwrap();
    assert_eq!(reply.to_string(), "250 ");
}

#[test]
fn every_prefix_is_incomplete() {
    let wire = b"451-4.3.0 one\r\n451 4.3.0 two\r\n";
    for end in 0..wire.len() {
        assert_eq!(Reply::parse(&wire[..end]), Err(ReplyError::Incomplete), "{end} bytes");
    }
}

#[test]
fn the_class_of_an_enhanced_code_is_that_of_the_code() {
    let reply: Reply = "550 4.1.1 odd".parse().unwrap(); // RFC 2034 section 4
    assert_eq!(reply.enhanced(), None);
    assert_eq!(reply.lines().collect::<Vec<_>>(), ["4.1.1 odd"]);
    let code = EnhancedCode::new(4, 1, 1).unwrap();
    let reply = Reply::new(ReplyCode::START_MAIL, "go on").with_enhanced(code);
    assert_eq!(reply.to_string(), "354 go on");
}

#[test]
fn only_the_first_line_says_which_enhanced_code_there_is() {
    let reply: Reply = "451-one\r\n451 4.3.0 two".parse().unwrap();
    assert_eq!(reply.enhanced(), None);
    assert_eq!(reply.lines().collect::<Vec<_>>(), ["one", "4.3.0 two"]);
    let reply: Reply = "451-4.3.0 one\r\n451-4.3.1 two\r\n451 4.3.0 three".parse().unwrap();
    assert_eq!(reply.lines().collect::<Vec<_>>(), ["one", "4.3.1 two", "three"]);
}

#[test]
fn text_cannot_break_a_line() {
    let reply = Reply::new(ReplyCode::OK, "a\r\n250 b\0\u{85}c").with_line("\n");
    assert_eq!(reply.to_string(), "250-a  250 b  c\r\n250  ");
    assert_eq!(Reply::new(ReplyCode::OK, "250-x").to_string(), "250 250-x");
}

#[test]
fn a_written_line_has_at_most_512_octets() {
    let code = EnhancedCode::new(2, 0, 0).unwrap();
    let reply = Reply::new(ReplyCode::OK, &"ü".repeat(600)).with_enhanced(code);
    let mut wire = Vec::new();
    reply.write_to(&mut wire);
    assert!((511..=512).contains(&wire.len()), "{} octets", wire.len());
    assert!(Reply::parse(&wire).is_ok());
}

#[test]
fn lines_have_limits() {
    let longest = format!("250 {}\r\n", "a".repeat(Reply::MAX_LINE_READ - 6));
    assert!(Reply::parse(longest.as_bytes()).is_ok());
    let longer = format!("250 {}", "a".repeat(Reply::MAX_LINE_READ - 5));
    assert_eq!(Reply::parse(longer.as_bytes()), Err(ReplyError::LineTooLong { at: 0 }));
    let longer = longer + "\r\n";
    assert_eq!(Reply::parse(longer.as_bytes()), Err(ReplyError::LineTooLong { at: 0 }));

    let most = "250-a\r\n".repeat(Reply::MAX_LINES - 1);
    assert!(Reply::parse(format!("{most}250 a\r\n").as_bytes()).is_ok());
    let more = format!("{most}250-a\r\n250 a\r\n");
    assert_eq!(Reply::parse(more.as_bytes()), Err(ReplyError::TooManyLines));
    let mut reply = Reply::new(ReplyCode::OK, "a");
    for _ in 0..2 * Reply::MAX_LINES {
        reply = reply.with_line("a");
    }
    assert_eq!(reply.lines().len(), Reply::MAX_LINES);
}

#[test]
fn bad() {
    let no_code = "".parse::<ReplyCode>().unwrap_err();
    for (wire, error) in [
        ("25\r\n", ReplyError::Code { at: 0, source: no_code }),
        ("2x0 a\r\n", ReplyError::Code { at: 0, source: no_code }),
        ("+50 a\r\n", ReplyError::Code { at: 0, source: no_code }),
        ("150 a\r\n", ReplyError::Code { at: 0, source: no_code }), // RFC 5321 section 4.2.1
        ("260 a\r\n", ReplyError::Code { at: 0, source: no_code }),
        ("250-a\r\n\r\n", ReplyError::Code { at: 7, source: no_code }),
        ("250_a\r\n", ReplyError::Separator { at: 3 }),
        ("2500\r\n", ReplyError::Separator { at: 3 }),
        ("250-a\r\n550 b\r\n", ReplyError::CodeChanged { at: 7 }),
        ("250 a\n", ReplyError::LineEnd { at: 5 }),
        ("250 a\rb\r\n", ReplyError::LineEnd { at: 5 }),
    ] {
        assert_eq!(Reply::parse(wire.as_bytes()), Err(error), "{wire:?}");
    }
    assert_eq!("250 a\r\n250 b".parse::<Reply>(), Err(ReplyError::Trailing { at: 7 }));
}

#[test]
fn codes() {
    for text in ["200", "559", "353"] {
        assert_eq!(text.parse::<ReplyCode>().unwrap().to_string(), text);
    }
    for text in ["", "2", "199", "600", "290", "+25", "0250", "25O", "٢٥٠"] {
        assert!(text.parse::<ReplyCode>().is_err(), "{text}");
    }
    for text in ["2.0.0", "4.999.1", "5.7.999"] {
        assert_eq!(text.parse::<EnhancedCode>().unwrap().to_string(), text);
    }
    for text in ["", "1.0.0", "3.0.0", "5.1", "5.1.1.1", "5.01.1", "5.1000.1", "5.-1.1", "5..1"] {
        assert!(text.parse::<EnhancedCode>().is_err(), "{text}"); // RFC 3463 section 2
    }
    let severities = [250, 354, 450, 550].map(|code| ReplyCode::new(code).unwrap().severity());
    let order =
        [Severity::Completed, Severity::Intermediate, Severity::Transient, Severity::Permanent];
    assert_eq!(severities, order);
}

proptest! {
    #[test]
    fn what_is_written_is_read(lines in prop::collection::vec("[^\\p{Cc}]{0,80}", 1..5), code in 200_u16..600) {
        let Ok(code) = ReplyCode::new(code) else { return Ok(()) };
        let (first, others) = lines.split_first().unwrap();
        let reply = others.iter().fold(Reply::new(code, first), |reply, line| reply.with_line(line));
        let mut wire = Vec::new();
        reply.write_to(&mut wire);
        let (rest, again) = Reply::parse(&wire).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!(again.to_string(), reply.to_string());
    }
}
