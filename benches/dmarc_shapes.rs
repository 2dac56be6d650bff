//! The zone and the messages of the DMARC benches.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use dmarc_policy::{Author, DkimInput, Dmarc, Policy};
use mail_types::dns::{Answer, DnssecStatus, InquiryStep, Name, Question, RecordType, Zone};
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

/// A message: whose name it bears, whom SPF and a signature vouch for, and what comes of it.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) author: &'static str,
    pub(crate) spf: &'static str,
    pub(crate) dkim: &'static str,
    pub(crate) result: AuthResult,
    pub(crate) policy: Policy,
}

/// What is published for `example.com`, and what is parsed: 142 octets.
pub(crate) const RECORD: &str = "v=DMARC1; p=reject; sp=quarantine; np=reject; adkim=r; aspf=r; \
    rua=mailto:dmarc@example.com,mailto:x@third.net; ruf=mailto:f@example.com; fo=1";

/// The longest author, of thirteen labels.
const DEEP: &str = "a.b.c.d.e.f.g.h.i.j.mail.example.com";

pub(crate) const SHAPES: [Shape; 4] = [
    Shape {
        name: "own record",
        author: "example.com",
        spf: "example.com",
        dkim: "example.com",
        result: AuthResult::Pass,
        policy: Policy::Reject,
    },
    Shape {
        name: "subdomain with two walks",
        author: "a.mail.example.com",
        spf: "bounce.example.com",
        dkim: "mail.example.com",
        result: AuthResult::Pass,
        policy: Policy::Quarantine,
    },
    Shape {
        name: "subdomain not aligned",
        author: "a.mail.example.com",
        spf: "other.net",
        dkim: "other.net",
        result: AuthResult::Fail,
        policy: Policy::Quarantine,
    },
    Shape {
        name: "thirteen labels",
        author: DEEP,
        spf: "bounce.example.com",
        dkim: "example.com",
        result: AuthResult::Pass,
        policy: Policy::Quarantine,
    },
];

/// Domains that exist, which their policy asks for.
pub(crate) const EXISTING: [&str; 2] = ["a.mail.example.com", DEEP];

/// Names of which a walk finds out that they have no record.
pub(crate) const SILENT: [&str; 11] = [
    "com",
    "net",
    "other.net",
    "bounce.example.com",
    "mail.example.com",
    "a.mail.example.com",
    DEEP,
    "g.h.i.j.mail.example.com",
    "h.i.j.mail.example.com",
    "i.j.mail.example.com",
    "j.mail.example.com",
];

impl Shape {
    /// The message for us; `None` would be a slip in the table.
    pub(crate) fn dmarc(&self) -> Option<Dmarc> {
        let domain = |text: &str| text.parse::<Name>().ok();
        let spf = SpfInput {
            result: AuthResult::Pass,
            identity: SpfIdentity::MailFrom,
            domain: domain(self.spf)?,
        };
        let (domain, selector) = (domain(self.dkim)?, "s".to_owned());
        let dkim = [DkimInput { result: AuthResult::Pass, domain, selector }];
        let author = Author::One(self.author.parse().ok()?);
        Some(Dmarc::new(author).with_spf(&spf).with_dkim(&dkim))
    }
}

pub(crate) type Cache = HashMap<Question, Arc<Answer>>;

/// Every answer; what is parsed is kept with them.
pub(crate) fn cache() -> Cache {
    let mut zone = Zone::default();
    let mut questions = Vec::new();
    let mut add = |name: &str, kind: RecordType, data: Option<&str>| {
        let Ok(name) = name.parse::<Name>() else { return };
        if let Some(data) = data {
            let added = zone.add(name.clone(), kind, data, DnssecStatus::Insecure);
            assert!(added.is_ok(), "{data}");
        }
        questions.push(Question::new(name, kind));
    };
    add("_dmarc.example.com", RecordType::Txt, Some(RECORD));
    for name in SILENT {
        add(&format!("_dmarc.{name}"), RecordType::Txt, None);
    }
    for name in EXISTING {
        add(name, RecordType::A, Some("192.0.2.1"));
    }
    let answers = questions.into_iter().map(|question| {
        let answer = Arc::new(zone.answer(&question));
        (question, answer)
    });
    answers.collect()
}

/// The result, and the policy that is published for the author.
pub(crate) fn evaluate(dmarc: &Dmarc, cache: &Cache) -> Option<(AuthResult, Policy)> {
    let mut session = dmarc.session();
    match session.poll_cached(&|question| cache.get(question).cloned()) {
        InquiryStep::Done(verdict) => {
            // Whoever asked wants to see all of it.
            let verdict = black_box(verdict);
            Some((verdict.result, verdict.policy?))
        }
        _ => None,
    }
}
