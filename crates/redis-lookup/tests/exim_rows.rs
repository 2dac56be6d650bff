//! The rows of Exim's Redis lookup: queries and recorded replies with their outcome in both modes.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may panic"
)]

#[path = "support/exim_rows.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod rows;

use redis_lookup::{Limits, Mode, Refusal, Reply, Servers};
use rows::{Expected, SERVERS, printed, rows};

/// Parses a reply of version 2 of the protocol; returns it with the rest.
fn read(bytes: &[u8]) -> (Reply, &[u8]) {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n").unwrap();
    let (line, rest) = (&bytes[1..end], &bytes[end + 2..]);
    let number = || str::from_utf8(line).unwrap().parse::<i64>().unwrap();
    match bytes[0] {
        b'+' => (Reply::Status(line.to_vec()), rest),
        b'-' => (Reply::Error(Refusal::new(line)), rest),
        b':' => (Reply::Integer(number()), rest),
        b'$' => match usize::try_from(number()) {
            Ok(length) => (Reply::Text(rest[..length].to_vec()), &rest[length + 2..]),
            Err(_) => (Reply::Nil, rest),
        },
        b'*' => {
            let (mut elements, mut rest) = (Vec::new(), rest);
            for _ in 0..number() {
                let (element, behind) = read(rest);
                elements.push(element);
                rest = behind;
            }
            (Reply::List(elements), rest)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn each_row_has_its_outcome_in_both_modes() {
    let (rows, mut replies) = (rows(), 0);
    assert_eq!(rows.len(), 88);
    for row in &rows {
        for mode in [Mode::Plain, Mode::Exim] {
            let expected = row.expected(mode);
            let command = match (row.command(mode), &expected) {
                (Err(error), Expected::Refused(text)) => {
                    assert_eq!(error.to_string(), *text, "{row:?}");
                    continue;
                }
                (command, _) => command.unwrap(),
            };
            let list = command.servers().map(|list| String::from_utf8_lossy(list).into_owned());
            if let Some(list) = list.or(row.servers.clone()) {
                let picked =
                    Servers::parse(SERVERS).unwrap().pick(&list.replace("(redis", "(/redis"));
                match expected {
                    Expected::Servers(text) => {
                        assert_eq!(picked.unwrap_err().to_string(), text, "{row:?}");
                    }
                    _ => assert!(!picked.unwrap().is_empty(), "{row:?}"),
                }
                continue;
            }
            let Some(reply) = row.reply(mode) else { continue };
            let (reply, rest) = read(&reply);
            assert_eq!(rest, b"");
            let outcome = reply.outcome(mode, &Limits::default());
            assert!(expected.is_met_by(&outcome), "{mode:?}: {outcome}, {row:?}");
            replies += 1;
        }
    }
    assert_eq!(replies, 2 * 61);
}

#[test]
fn the_mode_of_exim_is_what_exim_printed_or_has_a_note() {
    let mut compared = 0;
    for row in rows() {
        let Some(printed) = printed(&row.original) else { continue };
        if row.note.is_none() {
            assert_eq!(row.expected(Mode::Exim), printed, "{row:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 38);
}
