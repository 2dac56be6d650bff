//! A text with macros is written as it was parsed, and its explanation is printable and within its
//! limit.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use mail_types::dns::{Answer, DnssecStatus, InquiryStep, Question, RecordType, Records, Texts};
use mail_types::smtp::Helo;
use spf_result::{Check, Explanation, MacroString, SpfResult};

fuzz_target!(|input: (&str, &str, [u8; 16], bool)| {
    let (text, sender, address, is_v4) = input;
    if let Ok(parsed) = text.parse::<MacroString>() {
        assert_eq!(parsed.to_string(), text);
    }
    let [a, b, c, d, ..] = address;
    let client = if is_v4 { [a, b, c, d].into() } else { address.into() };
    let helo = Helo::new("helo.example");
    let Ok(check) = Check::from_text(client, &helo, sender) else { return };
    let check = check.with_receiver("mx.example");
    let cache = |question: &Question| {
        let said = match question.kind {
            RecordType::Txt if question.name == "e.example".parse().unwrap() => text.as_bytes(),
            RecordType::Txt => b"v=spf1 -all exp=e.example",
            _ => {
                let security = DnssecStatus::Insecure;
                return Some(Arc::new(Answer::Absent { exists: false, security, ttl: 1 }));
            }
        };
        let (records, canonical) = (Records::Txt(Texts::new([said])), question.name.clone());
        let security = DnssecStatus::Insecure;
        Some(Arc::new(Answer::Records { records, canonical, security, ttl: 1 }))
    };
    let InquiryStep::Done(outcome) = check.session().poll_cached(&cache) else {
        panic!("all is known")
    };
    match outcome.explanation() {
        Explanation::Text(said) => {
            assert_eq!(outcome.result(), SpfResult::Fail);
            assert!(text.parse::<MacroString>().is_ok());
            assert!(said.len() <= 500);
            assert!(said.bytes().all(|c| matches!(c, b' '..=b'~')));
            if !text.contains('%') {
                assert_eq!(**said, *text);
            }
        }
        Explanation::Absent => assert_eq!(outcome.result(), SpfResult::None),
        Explanation::Withheld => assert_eq!(outcome.result(), SpfResult::Fail),
    }
});
