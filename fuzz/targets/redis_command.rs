//! A value never makes, joins or ends a word, and is in its word unchanged; no value makes a query valid or
//! invalid.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mail_types::exim::{Query, Trust};
use redis_lookup::{Command, Limits, Mode, Options};

fuzz_target!(|input: (bool, Vec<(&[u8], &[u8])>)| {
    let (exim, pieces) = input;
    let mode = if exim { Mode::Exim } else { Mode::Plain };
    let limits = Limits::default().with_command(usize::MAX);
    let options = Options::default().with_mode(mode).with_writes(true).with_limits(limits);
    let query = |value: &dyn Fn(usize) -> Vec<u8>| {
        let mut query = Query::default();
        query.push_literal(b"MGET ");
        for (at, (literal, _)) in pieces.iter().enumerate() {
            // Only values have the sign.
            let literal: Vec<u8> = literal.iter().copied().filter(|&b| b != SIGN).collect();
            query.push_literal(&literal);
            query.push_value(&value(at), Trust::Untrusted);
        }
        query
    };
    let given = Command::new_with(&query(&|at| pieces[at].1.to_vec()), &options);
    let signs = Command::new_with(&query(&|_| vec![SIGN]), &options);
    let empty = Command::new_with(&query(&|_| Vec::new()), &options);
    assert_eq!(given.is_ok(), signs.is_ok());
    assert_eq!(given.is_ok(), empty.is_ok());
    let (Ok(given), Ok(signs), Ok(empty)) = (given, signs, empty) else { return };
    assert_eq!(given.words().len(), empty.words().len());
    let mut values = pieces.iter().map(|(_, value)| *value);
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

const SIGN: u8 = 0x1a;
