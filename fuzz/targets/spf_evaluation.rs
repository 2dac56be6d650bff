//! With any zone and sender an evaluation ends within its limits, with the same result from a cache,
//! one question at a time and replayed, and its header fields are one line.

#![no_main]

use std::net::IpAddr;
use std::sync::Arc;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, InquiryStep, Name, Question, RecordType, Session, Zone,
};
use mail_types::smtp::Helo;
use spf_result::{Check, Options, Review, SpfResult};

const NAMES: [&str; 8] = [
    "a.example",
    "b.example",
    "c.b.example",
    "*.b.example",
    "1.2.0.192.in-addr.arpa",
    "mail.a.example",
    "exp.example",
    "x.y.z.example",
];

const TERMS: [&str; 30] = [
    "all",
    "-all",
    "~all",
    "?all",
    "a",
    "mx",
    "ptr",
    "a:b.example",
    "mx:mail.a.example",
    "ptr:example",
    "include:b.example",
    "?include:a.example",
    "-include:c.b.example",
    "exists:%{ir}.b.example",
    "exists:%{p}.b.example",
    "exists:%{l1r-}.%{d}.b.example",
    "redirect=b.example",
    "redirect=%{d2}.b.example",
    "exp=exp.example",
    "exp=%{p}.example",
    "ip4:192.0.2.0/24",
    "ip6:2001:db8::/32",
    "ip4:0.0.0.0/0",
    "a/0//0",
    "mx//64",
    "moo=%{s}",
    "a:%{h}",
    "include:nx.example",
    "a:nx.example",
    "mx:nx.example",
];

fuzz_target!(|input: &[u8]| {
    let _ = check_generated(&mut Unstructured::new(input));
});

fn check_generated(u: &mut Unstructured<'_>) -> Result<()> {
    let mut options = Options::default();
    options.limits.lookups = u.int_in_range(0..=12)?;
    options.limits.void_lookups = u.int_in_range(0..=4)?;
    options.hosts_are_not_void = u.arbitrary()?;
    options.guess = u.arbitrary::<bool>()?.then(Options::default_guess);
    let limits = options.limits;
    let client = if u.arbitrary()? {
        IpAddr::from([192, 0, 2, u.int_in_range(0..=3)?])
    } else {
        IpAddr::from(u.arbitrary::<[u8; 16]>()?)
    };
    let helo = Helo::new(if u.arbitrary()? { u.arbitrary()? } else { u.choose(&NAMES)? });
    let sender = if u.arbitrary()? { u.arbitrary()? } else { "ann-lee@a.example" };
    let zone = zone(u)?;

    let Ok(check) = Check::from_text(client, &helo, sender) else { return Ok(()) };
    let check = check.with_options(options);
    let cache = |question: &Question| Some(Arc::new(zone.answer(question)));
    let mut warm = check.session().traced();
    let InquiryStep::Done(outcome) = warm.poll_cached(&cache) else { panic!("all is known") };
    assert!(outcome.lookups() <= u16::from(limits.lookups) + 1);
    // What a guess asks in vain, nobody has published.
    let voids = if outcome.is_guess() { 0 } else { outcome.void_lookups() };
    assert!(voids <= u16::from(limits.void_lookups) + 1);
    // A record and each that it can get to, each with at most so many terms.
    assert!(outcome.terms() <= (u32::from(limits.lookups) + 2) * 32);
    let over =
        outcome.lookups() > u16::from(limits.lookups) || voids > u16::from(limits.void_lookups);
    assert!(!over || outcome.result() == SpfResult::PermError);

    let mut cold = check.session();
    let asked = loop {
        match cold.poll() {
            InquiryStep::Ask(question) => cold.handle_answer(&question, zone.answer(&question)),
            InquiryStep::Wait => panic!("all is answered"),
            InquiryStep::Done(other) => {
                assert_eq!(other, outcome);
                break cold.answers().len();
            }
        }
    };
    assert!(asked <= limits.questions);
    let replay = Session::new(&check, warm.answers().to_vec(), 0).poll();
    assert!(matches!(replay, InquiryStep::Done(other) if other == outcome));

    let report = check.report(outcome);
    let received = report.received();
    assert!(!received.chars().any(char::is_control), "{received:?}");
    assert!(received.len() < 2000);
    let review = Review::new(NAMES[0].parse().unwrap());
    let review = review.session().poll_cached(&cache);
    assert!(
        matches!(review, InquiryStep::Done(done) if done.findings().len() <= Review::MAX_FINDINGS)
    );
    Ok(())
}

fn zone(u: &mut Unstructured<'_>) -> Result<Zone> {
    let mut zone = Zone::default();
    for name in NAMES {
        let name: Name = name.parse().unwrap();
        for kind in
            [RecordType::Txt, RecordType::A, RecordType::Aaaa, RecordType::Mx, RecordType::Ptr]
        {
            for _ in 0..u.int_in_range(0..=2_u8)? {
                let data = match kind {
                    RecordType::Txt => record(u)?,
                    RecordType::A => format!("192.0.2.{}", u.int_in_range(0..=3_u8)?),
                    RecordType::Aaaa => format!("2001:db8::{}", u.int_in_range(0..=3_u8)?),
                    RecordType::Mx => format!("10 {}", u.choose(&NAMES)?),
                    _ => (*u.choose(&NAMES)?).to_owned(),
                };
                zone.add(name.clone(), kind, &data, DnssecStatus::Insecure).unwrap();
            }
            if u.ratio(1, 20)? {
                let question = Question::new(name.clone(), kind);
                zone.set(question, Answer::Failed(DnsFailure::Timeout));
            }
        }
    }
    Ok(zone)
}

fn record(u: &mut Unstructured<'_>) -> Result<String> {
    let mut text = "v=spf1".to_owned();
    for _ in 0..u.int_in_range(0..=8_u8)? {
        text = text + " " + u.choose(&TERMS)?;
    }
    Ok(text)
}
