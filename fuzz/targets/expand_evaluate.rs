//! An expansion ends within its limits, with the same result each time, also from its journal.

#![no_main]

use event_expand::{
    Capabilities, Capability, ExpandFailure, Journal, Options, Progress, Template, Variables,
};
use libfuzzer_sys::fuzz_target;
use mail_types::exim::{LookupResult, Segment, Trust, Value, Variable};

struct Peer<'a>(&'a [u8]);

impl Variables for Peer<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "x" | "local_part" => Value::new(self.0, Trust::Untrusted).into(),
            "t" => Value::new(self.0, Trust::Trusted).into(),
            "primary_hostname" => Value::trusted("mx.example").into(),
            "u" => Variable::Unset,
            _ => Variable::Unknown,
        }
    }
}

fuzz_target!(|input: (&[u8], &[u8])| {
    let (value, text) = input;
    let Ok(template) = Template::parse(text) else { return };
    let peer = Peer(value);
    let mut options = Options::default();
    options.limits.steps = 20_000;
    options.limits.output = 65_536;
    options.limits.regex_backtracks = 2000;
    options.limits.regex_size = 65_536;
    options.capabilities = Capabilities::NONE.with(Capability::Files).with(Capability::Random);
    let mut journal = Journal::default();
    let mut requests = 0;
    let last = loop {
        match template.resume(&peer, &options, &mut journal) {
            Progress::Request(_) => {
                requests += 1;
                assert!(requests <= options.limits.requests);
                journal.handle_found(match requests % 3 {
                    0 => LookupResult::Nothing,
                    _ => LookupResult::Value(value.to_vec()),
                });
            }
            last => break last,
        }
    };
    assert_eq!(template.resume(&peer, &options, &mut journal), last, "nothing changes it any more");
    let mut replayed = Journal::from(journal.found().to_vec());
    assert_eq!(template.resume(&peer, &options, &mut replayed), last);
    if let Progress::Done(value) = &last {
        // The same text, in segments.
        let segments = template.resume_segments(&peer, &options, &mut journal);
        let Progress::Done(query) = segments else { unreachable!("{segments:?}") };
        let text = query.segments().flat_map(|segment| match segment {
            Segment::Literal(bytes) | Segment::Value { bytes, .. } => bytes,
        });
        assert!(query.segments().any(is_quoted) || text.eq(value.as_bytes()));
    }
    match last {
        Progress::Done(text) => assert!(text.as_bytes().len() <= options.limits.output),
        Progress::Stopped(ExpandFailure::Deferred { .. }) => unreachable!("nothing was deferred"),
        Progress::Stopped(stop) => assert!(stop.at() <= text.len(), "{stop}"),
        Progress::Request(_) => unreachable!(),
    }
});

/// Whether it is written otherwise in a text.
fn is_quoted(segment: Segment<'_>) -> bool {
    matches!(segment, Segment::Value { quoted: Some(_), .. })
}
