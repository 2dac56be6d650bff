//! An event in the overflow file is read as written, and not at all with a changed byte; any other
//! parsed event is one that would be written so.

#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use event_expand::{Event, EventName};
use examples::gateway::events::raised_event::{Facts, RaisedEvent, bounded};
use examples::gateway::events::record::{self, RecordError};
use examples::gateway::events::variables::FACTS;
use libfuzzer_sys::fuzz_target;
use mail_types::exim::Trust;

fuzz_target!(|input: (&[u8], u32, u8, u16, u8, Vec<(u8, bool, &[u8])>)| {
    let (foreign, seconds, name, at, change, values) = input;
    if let Ok((rest, raised)) = record::parse(foreign) {
        let (mut bytes, mut again) = (Vec::new(), Vec::new());
        record::write(&raised, &mut bytes);
        record::write(&record::parse(&bytes).expect("it is whole").1, &mut again);
        assert_eq!(again, bytes);
        assert!(rest.len() < foreign.len());
    }

    let name = EventName::ALL[usize::from(name) % EventName::ALL.len()];
    let mut raised = RaisedEvent::new(Event::new(name), Facts::default());
    raised.at = UNIX_EPOCH + Duration::from_secs(seconds.into());
    for (which, trusted, value) in values {
        let trust = if trusted { Trust::Trusted } else { Trust::Untrusted };
        let variable = Event::VARIABLES[usize::from(which) % Event::VARIABLES.len()];
        let with = raised.event.clone().with(variable, bounded(value), trust);
        // What is so anyhow is not written.
        if with.variable(variable) != Event::new(name).variable(variable) {
            raised.event = with;
        }
        let fact = FACTS[usize::from(which) % FACTS.len()];
        raised.facts = raised.facts.with(fact, value, trust);
    }
    let mut bytes = Vec::new();
    record::write(&raised, &mut bytes);
    let (rest, read) = record::parse(&bytes).expect("it is whole");
    assert_eq!((rest, &read), (&[][..], &raised));
    let end = usize::from(at) % bytes.len();
    assert_eq!(record::parse(&bytes[..end]), Err(RecordError::Incomplete));
    if change != 0 {
        bytes[end] ^= change;
        assert!(record::parse(&bytes).is_err());
    }
});
