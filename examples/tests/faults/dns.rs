//! A DNS that is silent, fails, or lies: no policy is passed by it.

use std::fs;

use super::clients::{Answer, MAIL, Mail, of};
use super::fault::{Gateway, Told, check_mail, under_load};
use super::name_server::{Entry, Mode, NameServer, text};

/// From a domain that allows it.
const GOOD: Mail = Mail { from: "a@good.example", fields: "From: a@good.example\r\n", ..MAIL };
/// From one that allows none, and wants what fails refused.
const FORGED: Mail =
    Mail { from: "a@victim.example", fields: "From: a@victim.example\r\n", ..MAIL };

fn truth() -> Vec<Entry> {
    vec![
        ("good.example", text("v=spf1 ip4:127.0.0.1 -all")),
        ("_dmarc.good.example", text("v=DMARC1; p=reject")),
        ("victim.example", text("v=spf1 -all")),
        ("_dmarc.victim.example", text("v=DMARC1; p=reject")),
    ]
}

/// Forged records, by which every message would pass.
fn lies() -> Vec<Entry> {
    let names = ["good.example", "victim.example"].into_iter();
    let senders = names.map(|name| (name, text("v=spf1 +all")));
    let names = ["_dmarc.good.example", "_dmarc.victim.example"].into_iter();
    senders.chain(names.map(|name| (name, text("v=DMARC1; p=none")))).collect()
}

const STRICT: &str = "dmarc_reject = true
spf_timeout = '1s'
[[acl_smtp_mail]]
verb = 'defer'
spf = 'temperror'
[[acl_smtp_mail]]
verb = 'deny'
spf = 'fail'
";

struct Stage {
    server: NameServer,
    gateway: Gateway,
}

impl Stage {
    fn new(name: &str, options: &str) -> Self {
        let server = NameServer::start(truth(), lies());
        let times = "dmarc_timeout = '1s'\ndmarc_verify_hosts = '*'";
        let options = format!("dns_resolver = '{}'\n{times}\n{options}", server.address);
        Self { gateway: Gateway::start(name, &options), server }
    }

    fn run(&self, mode: Mode) -> Told {
        let (begin, end) = (|| self.server.set(mode), || self.server.set(Mode::Sound));
        let told = under_load(&self.gateway.address, &[GOOD, FORGED], begin, end);
        check_mail(|| self.gateway.mail(), &told.all);
        told
    }
}

#[test]
fn without_dns_mail_waits_where_a_policy_needs_it() {
    let stage = Stage::new("faults-dns-strict", STRICT);
    for mode in Mode::DEAD {
        let told = stage.run(mode);
        for mail in [&GOOD, &FORGED] {
            let during = of(mail, &told.during);
            assert!(!during.is_empty(), "{mode:?}");
            let is_deferred = |answer: &&Answer| matches!(answer, Answer::Deferred(reply) if reply.starts_with("451 4."));
            assert!(during.iter().all(is_deferred), "{mode:?}: {during:?}");
        }
        assert!(!of(&FORGED, &told.all).iter().any(|answer| answer.is_taken()), "{mode:?}");
    }
}

/// DMARC alone is asked, and an answer that is missing does not matter.
#[test]
fn without_dns_mail_is_accepted_where_it_is_configured_so() {
    let stage = Stage::new("faults-dns-mild", "dmarc_temperror = 'accept'\ndmarc_reject = true");
    for mode in Mode::DEAD {
        let told = stage.run(mode);
        for mail in [&GOOD, &FORGED] {
            let during = of(mail, &told.during);
            assert!(
                !during.is_empty() && during.iter().all(|answer| answer.is_taken()),
                "{during:?}"
            );
        }
    }
}

#[test]
fn a_lie_is_no_answer() {
    let stage = Stage::new("faults-dns-lies", STRICT);
    for mode in Mode::FORGED {
        let told = stage.run(mode);
        let forged = of(&FORGED, &told.all);
        assert!(!of(&FORGED, &told.during).is_empty(), "{mode:?}");
        assert!(!forged.iter().any(|answer| answer.is_taken()), "{mode:?}: {forged:?}");
    }
    // Records of another name are not its own: there are none (RFC 2308 section 2.2), and nothing passes by them.
    stage.run(Mode::OtherNames);
    for (name, file) in stage.gateway.mail() {
        let path = stage.gateway.files.path("mail/new").join(file);
        let message = fs::read_to_string(path).unwrap();
        let is_good = message.contains("From: a@good.example");
        assert!(
            is_good || message.contains("spf=none") && message.contains("dmarc=none"),
            "{name}: {message}"
        );
    }
    // The truth is found behind lies.
    let told = stage.run(Mode::LiesBefore);
    let (good, forged) = (of(&GOOD, &told.during), of(&FORGED, &told.during));
    assert!(good.len() > 10 && good.iter().all(|answer| answer.is_taken()), "{good:?}");
    let is_refused = |answer: &&Answer| matches!(answer, Answer::Refused(_));
    assert!(forged.len() > 10 && forged.iter().all(is_refused), "{forged:?}");
}
