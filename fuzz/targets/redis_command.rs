//! A value never makes, joins or ends a word, and is in its word unchanged, marked by `quote_redis` or not; no value
//! makes a query valid or invalid, and none is in the name of a command.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mail_types::exim::{Query, Trust};
use redis_lookup::{Command, Limits, Mode, Options};

// The mode, and then texts of the template and values by turns, each up to a SEPARATOR.
fuzz_target!(|input: &[u8]| {
    let Some((mode, rest)) = input.split_first() else { return };
    let mode = if *mode == b'E' { Mode::Exim } else { Mode::Plain };
    let limits = Limits::default().with_command(usize::MAX);
    let options = Options::default().with_mode(mode).with_writes(true).with_limits(limits);
    let pieces: Vec<_> = rest.split(|&byte| byte == SEPARATOR).collect();
    let query = |start: &[u8], value: &dyn Fn(usize) -> Vec<u8>, is_quoted: bool| {
        let mut query = Query::default();
        query.push_literal(start);
        for (at, piece) in pieces.iter().enumerate() {
            match at % 2 {
                // Only values have the sign.
                0 => query.push_literal(
                    &piece.iter().copied().filter(|&b| b != SIGN).collect::<Vec<_>>(),
                ),
                _ if is_quoted => query.push_quoted(&value(at), Trust::Untrusted, "redis"),
                _ => query.push_value(&value(at), Trust::Untrusted),
            }
        }
        query
    };
    let itself = |at: usize| pieces[at].to_vec();
    let bare = query(b"", &itself, false);
    if bare.check_first_word().is_err() {
        assert!(Command::new_with(&bare, &options).is_err(), "a value in the name of the command");
    }

    let given = Command::new_with(&query(b"MGET ", &itself, false), &options);
    assert_eq!(given, Command::new_with(&query(b"MGET ", &itself, true), &options));
    let signs = Command::new_with(&query(b"MGET ", &|_| vec![SIGN], false), &options);
    let empty = Command::new_with(&query(b"MGET ", &|_| Vec::new(), false), &options);
    assert_eq!((signs.is_ok(), empty.is_ok()), (given.is_ok(), given.is_ok()));
    let (Ok(given), Ok(signs), Ok(empty)) = (given, signs, empty) else { return };
    assert_eq!(given.words().len(), empty.words().len());
    let mut values = pieces.iter().skip(1).step_by(2);
    let expected = signs.words().iter().map(|word| {
        let mut expected = Vec::new();
        for byte in word {
            match *byte {
                SIGN => expected.extend_from_slice(values.next().expect("a sign is a value")),
                byte => expected.push(byte),
            }
        }
        expected
    });
    let expected: Vec<_> = expected.collect();
    assert_eq!(given.words(), expected);
    assert_eq!(values.next(), None);
    assert!(!given.to_string().contains(['\r', '\n', '\0']));
});

const SEPARATOR: u8 = 0xff;
const SIGN: u8 = 0x1a;
