//! The zones and senders of the SPF benches.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use mail_types::dns::{Answer, InquiryStep, Question, RecordType, Zone};
use mail_types::smtp::{Helo, ReversePath};
use spf_result::{Check, SpfResult};

/// Names, their records, and whose mail is checked.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) entries: Vec<(String, RecordType, String)>,
    pub(crate) client: IpAddr,
    pub(crate) result: SpfResult,
}

pub(crate) const HELO: &str = "mail.example.org";
pub(crate) const RECEIVER: &str = "mx.example.net";
pub(crate) const SENDER: &str = "ann@example.org";

pub(crate) fn shapes() -> Vec<Shape> {
    let shape = |name, entries, client: [u8; 4], result| {
        let client = client.into();
        Shape { name, entries, client, result }
    };
    vec![
        shape(
            "simple ip4",
            vec![text("example.org", "v=spf1 ip4:192.0.2.0/24 -all")],
            [192, 0, 2, 1],
            SpfResult::Pass,
        ),
        shape("four includes of ten ip4", includes(4), [10, 3, 9, 1], SpfResult::Pass),
        shape(
            "macro exists",
            vec![
                text("example.org", "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all"),
                (
                    "1.2.0.192.in-addr._spf.example.org".to_owned(),
                    RecordType::A,
                    "127.0.0.2".to_owned(),
                ),
            ],
            [192, 0, 2, 1],
            SpfResult::Pass,
        ),
        shape("ten includes", includes(10), [203, 0, 113, 1], SpfResult::Fail),
    ]
}

fn includes(count: usize) -> Vec<(String, RecordType, String)> {
    let mut top = "v=spf1".to_owned();
    let mut entries = Vec::new();
    for include in 0..count {
        let _ = write!(top, " include:_spf{include}.example.org");
        let mut record = "v=spf1".to_owned();
        for network in 0..10 {
            let _ = write!(record, " ip4:10.{include}.{network}.0/24");
        }
        entries.push(text(&format!("_spf{include}.example.org"), &format!("{record} ~all")));
    }
    entries.push(text("example.org", &format!("{top} -all")));
    entries
}

fn text(name: &str, record: &str) -> (String, RecordType, String) {
    (name.to_owned(), RecordType::Txt, record.to_owned())
}

pub(crate) type Cache = HashMap<Question, Arc<Answer>>;

/// What a server has read before it checks.
static ENVELOPE: LazyLock<(Helo, ReversePath)> = LazyLock::new(|| {
    let sender = SENDER.parse().map_or(ReversePath::Null, ReversePath::Mailbox);
    (Helo::new(HELO), sender)
});

/// Every answer of a shape; what is parsed is kept with them.
pub(crate) fn cache(shape: &Shape) -> Cache {
    let mut zone = Zone::default();
    let mut questions = Vec::new();
    for (name, kind, data) in &shape.entries {
        if let Ok(name) = name.parse::<mail_types::dns::Name>() {
            let added =
                zone.add(name.clone(), *kind, data, mail_types::dns::DnssecStatus::Insecure);
            assert!(added.is_ok(), "{data}");
            questions.push(Question::new(name, *kind));
        }
    }
    let answers = questions.into_iter().map(|question| {
        let answer = Arc::new(zone.answer(&question));
        (question, answer)
    });
    answers.collect()
}

pub(crate) fn check(shape: &Shape, cache: &Cache) -> Option<SpfResult> {
    let (helo, path) = &*ENVELOPE;
    let check = Check::mail_from(shape.client, helo, path).with_receiver(RECEIVER);
    match check.session().poll_cached(&|question| cache.get(question).cloned()) {
        InquiryStep::Done(outcome) => Some(outcome.result()),
        _ => None,
    }
}
