//! Refused chunks: RFC 3030.

use super::session::{ready, settings};

/// Where the next command begins, nobody knows.
#[test]
fn a_chunk_whose_size_cannot_be_read_ends_the_session() {
    for line in [
        "BDAT",
        "bdat  ",
        "BDAT LAST",
        "BDAT x",
        "BDAT +1",
        "BDAT -1 LAST",
        "BDAT 5x LAST",
        "BDAT 0x5",
        "BDAT 5\u{e4}",
        "BDAT=5",
        "BDAT\t5",
        "BDAT \u{c}5",
    ] {
        let mut talk = ready(settings());
        let answer = talk.say(&format!("{line}\r\nRSET\r\nNOOP\r\n"));
        assert_eq!(answer, "501 5.5.4 BDAT: the chunk size is not a number\r\n", "{line}");
        assert!(talk.closed);
    }
}

/// The octets of a chunk are never commands, whatever is wrong with it (RFC 3030 section 2).
#[test]
fn a_chunk_that_is_refused_is_read_to_its_end() {
    for (before, line, code) in [
        ("RSET", "BDAT 6 LAST", "503 5.5.1"),
        ("RSET\r\nMAIL FROM:<a@b.example>", "BDAT 6", "554 5.5.1"),
        ("NOOP", "BDAT 6 FIRST", "501 5.5.4"),
        ("NOOP", "BDAT 6 \u{e4}", "501 5.5.4"),
        ("NOOP", "BDAT 2002 LAST", "552 5.3.4"),
    ] {
        let mut talk = ready(settings());
        talk.say(&format!("{before}\r\n"));
        let octets = if line.contains("2002") { 2002 } else { 6 };
        let chunk = "RSET\r\n".repeat(400);
        let answer = talk.say(&format!("{line}\r\n{}NOOP\r\n", &chunk[..octets]));
        assert!(
            answer.starts_with(code) && answer.ends_with("250 2.0.0 ok\r\n"),
            "{line}: {answer}"
        );
        assert_eq!(answer.lines().count(), 2, "{line}: {answer}");
        // What is left of the message is none.
        assert!(talk.say("BDAT 1 LAST\r\nx").starts_with("503 5.5.1") && talk.messages.is_empty());
        assert!(!talk.closed);
    }
    // Those that were sent in the same pipeline are no mistakes of their own.
    let mut talk = ready(settings());
    let chunks = format!("BDAT 600\r\n{}", "x".repeat(600)).repeat(9);
    let answer = talk.say(&format!("{chunks}BDAT 0 LAST\r\nNOOP\r\n"));
    let codes: Vec<_> = answer.lines().map(|line| &line[..3]).collect();
    assert_eq!(codes[..3], ["250", "552", "503"]);
    assert_eq!((codes.len(), codes.last(), talk.closed), (11, Some(&"250"), false));
    // But nobody reads for ever what is not wanted.
    let mut talk = ready(settings());
    assert!(talk.say("BDAT 67108865 LAST\r\n").starts_with("552 5.3.4") && talk.closed);
}

/// RFC 3030 section 2: `chunk-size ::= 1*DIGIT`.
#[test]
fn a_size_has_any_number_of_digits() {
    for zeros in [0, 1, 30, 4070] {
        let mut talk = ready(settings());
        let answer = talk.say(&format!("bdat {}6 last\r\na: b\r\n", "0".repeat(zeros)));
        assert_eq!((answer.as_str(), talk.messages.len()), ("250 2.0.0 taken\r\n", 1), "{zeros}");
    }
    // One that fits no number is larger than any message.
    for size in ["18446744073709551616", "99999999999999999999", &"9".repeat(4000)] {
        for end in ["", " LAST", " FIRST"] {
            let mut talk = ready(settings());
            let answer = talk.say(&format!("BDAT {size}{end}\r\nNOOP\r\n"));
            assert_eq!(answer, "552 5.3.4 message too large\r\n", "{size}{end}");
            assert!(talk.closed);
        }
    }
}

/// The chunks behind a refused one are read, but not for ever.
#[test]
fn chunks_behind_a_refused_one_have_an_end() {
    for (size, least, most) in [(0, 16_000, 17_000), (1, 16_000, 17_000), (1 << 20, 64, 70)] {
        let mut quick = settings();
        quick.smtp_accept_max_nonmail = 100_000;
        let mut talk = ready(quick);
        let chunk = format!("BDAT {size}\r\n{}", "x".repeat(size));
        talk.say("RSET\r\n");
        let mut chunks = 0;
        while !talk.closed {
            chunks += 1;
            assert!(chunks < most, "{size}");
            let answer = talk.say(&chunk);
            assert!(answer.starts_with("503 5.5.1") || talk.closed, "{chunks}: {answer}");
        }
        assert!(chunks > least, "{size}: {chunks}");
    }
}

#[test]
fn an_empty_chunk_does_not_advance_a_transaction() {
    let mut talk = ready(settings());
    for _ in 0..settings().smtp_accept_max_nonmail {
        assert_eq!(talk.say("BDAT 0\r\n"), "250 2.0.0 0 octets received\r\n");
    }
    assert_eq!(talk.say("BDAT 0\r\n"), "421 4.7.0 too many nonmail commands\r\n");
    // The last one may be empty.
    let mut talk = ready(settings());
    for _ in 0..settings().smtp_accept_max_nonmail {
        talk.say("BDAT 0\r\n");
    }
    talk.say("BDAT 6\r\na: b\r\n");
    assert_eq!(talk.say("BDAT 0 LAST\r\n"), "250 2.0.0 taken\r\n");
}
