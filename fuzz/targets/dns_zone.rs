//! No master file panics; a zone written from another has the same answers, and each answer has the
//! type of its question.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mail_types::dns::{Answer, Question, RecordType, Zone};

fuzz_target!(|input: (&str, &str)| {
    let (text, name) = input;
    let Ok(zone) = Zone::parse(text) else { return };
    let Ok(name) = name.parse::<mail_types::dns::Name>() else { return };
    for kind in RecordType::ALL {
        let question = Question::new(name.clone(), kind);
        let answer = zone.answer(&question);
        let Answer::Records { records, canonical, security, .. } = &answer else { continue };
        assert_eq!(records.kind(), kind);
        assert!(kind != RecordType::Cname || *canonical == name, "an alias that is asked for");
        let mut again = Zone::default();
        for data in records.presentation() {
            again.add(canonical.clone(), kind, &data, *security).unwrap();
        }
        let Answer::Records { records: other, .. } =
            again.answer(&Question::new(canonical.clone(), kind))
        else {
            panic!("what was added is there")
        };
        assert_eq!(other, *records);
    }
});
