//! Queries and the commands that they are.

use mail_types::exim::{Query, Trust};
use proptest::prelude::*;
use redis_lookup::{Command, CommandError, Effect, Limits, Mode, Options};

/// A query of texts and, as every second piece, values.
fn query(pieces: &[&[u8]]) -> Query {
    let mut query = Query::default();
    for (at, piece) in pieces.iter().enumerate() {
        match at % 2 {
            0 => query.push_literal(piece),
            _ => query.push_value(piece, Trust::Untrusted),
        }
    }
    query
}

fn words(pieces: &[&[u8]]) -> Result<Vec<String>, CommandError> {
    let options = Options::default().with_writes(true);
    let command = Command::new_with(&query(pieces), &options)?;
    let words = command.words().iter();
    Ok(words.map(|word| String::from_utf8_lossy(word).into_owned()).collect())
}

#[test]
fn words_end_at_blanks_of_the_text() {
    for (pieces, expected) in [
        (&[&b"  get\t\r\n\x0b\x0ck  "[..]] as &[&[u8]], &["get", "k"] as &[_]),
        (&[b"get a\\ b"], &["get", "a b"]),
        (&[b"get a\\\\b"], &["get", "a\\b"]),
        (&[b"get \\\"a\\\""], &["get", "\"a\""]),
        (&[b"get \"a b\""], &["get", "a b"]),
        (&[b"get \"a \\\" b\\\\\""], &["get", "a \" b\\"]),
        (&[b"set k \"\""], &["set", "k", ""]),
        (&[b"\"get\" \"a\"b"], &["get", "ab"]),
        (&[b"get a\"b\"c"], &["get", "a\"b\"c"]),
        (&[b"get 'x", b" ", b"y'"], &["get", "'x y'"]),
        (&[b"get ", b"a b"], &["get", "a b"]),
        (&[b"get ", b""], &["get", ""]),
        (&[b"set ", b"", b" ", b"", b""], &["set", "", ""]),
        (&[b"get user:", b"a b\" \\", b":mail"], &["get", "user:a b\" \\:mail"]),
        (&[b"get \"", b"a\" b", b"\""], &["get", "a\" b"]),
        (&[b"get \"", b"", b" x\""], &["get", " x"]),
        (&[b"mget ", b"a", b"", b"b"], &["mget", "ab"]),
    ] {
        assert_eq!(words(pieces).unwrap(), expected, "{pieces:?}");
    }
}

#[test]
fn what_is_no_command_is_refused() {
    use CommandError::{Backslash, CommandWord, Empty, Never, NotAllowed, Quote, ServersWord};
    let name = |name: &str| name.to_owned();
    for (pieces, error) in [
        (&[&b" \t"[..]] as &[&[u8]], Empty),
        (&[b"", b"get x"], CommandWord { segment: 0 }),
        (&[b"", b"", b"get x"], CommandWord { segment: 0 }),
        (&[b"g", b"et", b" x"], CommandWord { segment: 1 }),
        (&[b"\"get", b" ", b"\" x"], CommandWord { segment: 1 }),
        (&[b"object ", b"help"], CommandWord { segment: 1 }),
        (&[b"servers=", b"evil//", b";get x"], ServersWord { segment: 1 }),
        (&[b"get x\\"], Backslash { segment: 0 }),
        (&[b"get \\", b" ", b""], Backslash { segment: 0 }),
        (&[b"get \"x"], Quote),
        (&[b"get \"", b"\"", b""], Quote),
        (&[b"flushall"], NotAllowed { name: name("FLUSHALL") }),
        (&[b"config get dir"], NotAllowed { name: name("CONFIG GET") }),
        (&[b"config"], NotAllowed { name: name("CONFIG") }),
        (&[b"get\x01 x"], NotAllowed { name: name("GET\\x01") }),
        (&[b"Select 3"], Never { name: name("SELECT") }),
        (&[b"client reply off"], Never { name: name("CLIENT") }),
        (&[b"blpop a 0"], Never { name: name("BLPOP") }),
        (&[b"xread count 1 block 0 streams a $"], Never { name: name("XREAD BLOCK") }),
    ] {
        assert_eq!(words(pieces), Err(error), "{pieces:?}");
    }
    let long = [b"x".repeat(50), b" y".to_vec()].concat();
    let Err(NotAllowed { name }) = words(&[&long]) else { unreachable!() };
    assert_eq!(name.len(), 40);
}

#[test]
fn writes_and_other_commands_need_an_option() {
    let set = query(&[b"SET k v"]);
    let error = Command::new(&set).unwrap_err();
    assert_eq!(error, CommandError::Write { name: "SET".to_owned() });
    let of = |text: &str, options: &Options| Command::new_with(&query(&[text.as_bytes()]), options);
    let writes = Options::default().with_writes(true);
    assert_eq!(of("SET k v", &writes).unwrap().effect(), Effect::Write);
    assert_eq!(of("get k", &writes).unwrap().effect(), Effect::Read);
    let some = Options::default().with_commands(vec!["config get".into(), "incr".into()]);
    assert_eq!(of("CONFIG GET dir", &some).unwrap().effect(), Effect::Write);
    assert_eq!(of("INCR n", &some).unwrap().effect(), Effect::Write);
    assert!(of("CONFIG SET dir x", &some).is_err());
    assert!(of("DECR n", &some).is_err());
    // What changes the connection stays refused.
    let never = Options::default().with_commands(vec!["multi".into()]);
    assert!(matches!(of("MULTI", &never), Err(CommandError::Never { .. })));
}

#[test]
fn a_value_is_never_a_program() {
    let allowed = vec!["SCRIPT LOAD".into(), "FUNCTION LOAD".into()];
    let options = Options::default().with_writes(true).with_commands(allowed);
    let of = |pieces: &[&[u8]]| Command::new_with(&query(pieces), &options);
    let refused = CommandError::CodeWord { segment: 1 };
    for name in ["eval_ro", "EVAL", "evalsha", "EVALSHA_RO", "fcall", "Fcall_ro"] {
        let (script, named) = (format!("{name} "), format!("{name} code "));
        for pieces in [
            &[script.as_bytes(), b"return 1", b" 0"] as &[&[u8]],
            &[format!("{name} ret").as_bytes(), b"urn 1", b" 0"],
            &[format!("{name} \"").as_bytes(), b"return 1", b"\" 0"],
            &[named.as_bytes(), b"0", b" key"],
        ] {
            assert_eq!(of(pieces).unwrap_err(), refused, "{pieces:?}");
        }
        let argument = of(&[format!("{named}1 ").as_bytes(), b"key", b" ", b"argument"]).unwrap();
        assert_eq!((argument.key(), argument.words().len()), (Some(&b"key"[..]), 5));
    }
    for text in ["script load ", "FUNCTION LOAD ", "function load replace "] {
        assert_eq!(of(&[text.as_bytes(), b"code"]).unwrap_err(), refused, "{text}");
    }
    assert!(of(&[b"script load return(1)"]).is_ok());
    assert_eq!(
        refused.to_string(),
        "a value is in a script, its name or its number of keys (segment 1): pass it after the number of keys, as a key or an argument"
    );
}

#[test]
fn the_key_says_which_node() {
    let options = Options::default().with_writes(true);
    for (text, key) in [
        ("GET a", Some("a")),
        ("MGET a b", Some("a")),
        ("OBJECT ENCODING a", Some("a")),
        ("EVAL return(1) 1 a b", Some("a")),
        ("EVAL return(1) 0", None),
        ("ZUNION 2 a b", Some("a")),
        ("XREAD COUNT 1 STREAMS a 0", Some("a")),
        ("BITOP AND a b c", Some("a")),
        ("PING x", None),
        ("GET", None),
    ] {
        let command = Command::new_with(&query(&[text.as_bytes()]), &options).unwrap();
        assert_eq!(command.key(), key.map(str::as_bytes), "{text}");
    }
}

#[test]
fn the_list_of_servers_in_the_query_is_told() {
    let command = Command::new(&query(&[b" servers=a:b ;get ", b"x;y"])).unwrap();
    assert_eq!(command.servers(), Some(&b"a:b "[..]));
    assert_eq!(command.words(), [&b"get"[..], b"x;y"]);
    assert_eq!(Command::new(&query(&[b"get servers=x;"])).unwrap().servers(), None);
}

#[test]
fn a_command_has_limits() {
    let of = |limits: Limits, text: &[u8]| {
        Command::new_with(&query(&[text]), &Options::default().with_limits(limits)).map(|_| ())
    };
    let limits = Limits::default();
    assert_eq!(of(limits.with_command(4), b"get x"), Ok(()));
    assert_eq!(of(limits.with_command(3), b"get x"), Err(CommandError::TooLong { limit: 3 }));
    assert_eq!(of(limits.with_words(2), b"get x"), Ok(()));
    assert_eq!(of(limits.with_words(1), b"get x"), Err(CommandError::TooManyWords { limit: 1 }));
}

#[test]
fn a_command_is_shown_as_one_line() {
    let command = Command::new(&query(&[b"get ", b"a b\r\n\xff\"\\"])).unwrap();
    assert_eq!(command.to_string(), r#"get "a b\r\n\xff\"\\""#);
}

proptest! {
    /// A value never makes, joins or ends a word: with other values the words are as many, and the
    /// values are in them as they are.
    #[test]
    fn a_value_stays_in_its_word(
        texts in proptest::collection::vec("[ab \"\\\\\t]{0,6}", 1..6),
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..8), 5),
        exim in any::<bool>(),
    ) {
        let options = Options::default().with_mode(if exim { Mode::Exim } else { Mode::Plain });
        let make = |value: &dyn Fn(usize) -> Vec<u8>| {
            let mut query = Query::default();
            query.push_literal(b"MGET ");
            for (at, text) in texts.iter().enumerate() {
                query.push_literal(text.as_bytes());
                query.push_value(&value(at), Trust::Untrusted);
            }
            Command::new_with(&query, &options)
        };
        let (given, plain) = (make(&|at| values[at].clone()), make(&|_| b"\0".to_vec()));
        prop_assert_eq!(given.is_ok(), plain.is_ok());
        if let (Ok(given), Ok(plain)) = (given, plain) {
            let mut place = 0;
            let expected: Vec<Vec<u8>> = plain.words().iter().map(|word| {
                let mut expected = Vec::new();
                for byte in word {
                    if *byte == 0 {
                        expected.extend_from_slice(&values[place]);
                        place += 1;
                    } else {
                        expected.push(*byte);
                    }
                }
                expected
            }).collect();
            prop_assert_eq!(given.words(), &expected[..]);
        }
    }
}
