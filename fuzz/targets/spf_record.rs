//! A parsed record is written and parsed again as the same; an error is at a position in the text, and
//! stays with additional blanks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spf_result::{Mechanism, Record, Term};

fuzz_target!(|input: &[u8]| {
    match Record::parse(input) {
        Ok(record) => {
            assert!(Record::is_one(input));
            let written = record.to_string();
            assert_eq!(written.parse::<Record>().as_ref(), Ok(&record), "{written}");
            assert!(record.terms().len() <= input.len());
            for directive in record.directives() {
                match directive.mechanism {
                    Mechanism::Ip4 { prefix, .. } => assert!(prefix <= 32),
                    Mechanism::Ip6 { prefix, .. } => assert!(prefix <= 128),
                    _ => {}
                }
            }
            let of = |modifier: fn(&Term) -> bool| {
                record.terms().iter().filter(|term| modifier(term)).count()
            };
            assert!(of(|term| matches!(term, Term::Redirect(_))) <= 1);
            assert!(of(|term| matches!(term, Term::Exp(_))) <= 1);
            if input.len() < Record::MAX_OCTETS {
                let more = [input, b" "].concat();
                assert_eq!(Record::parse(&more), Ok(record));
            }
        }
        Err(error) => {
            assert!(error.at().is_none_or(|at| at <= input.len()), "{error}");
            if Record::is_one(input) && input.len() < Record::MAX_OCTETS {
                let more = [input, b" "].concat();
                assert_eq!(Record::parse(&more), Err(error));
            }
        }
    }
});
