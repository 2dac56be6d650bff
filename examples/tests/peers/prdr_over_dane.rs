//! A message for recipients that differ, to Exim with PRDR and a staple, over TLS that TLSA records authenticate.

use super::block::Block;
use super::dane_lab::Lab;
use super::dialogue::Dialogue;
use super::gateway::Gateway;
use super::relay::mail;
use super::servers::have;
use super::stapled_hosts::{Kind, Staple, StapledHost, write};

const HOST: StapledHost =
    StapledHost { name: "mail", certificate: Kind::Good, usage: 2, staple: Staple::Good };

/// `reject` and `defer` are refused at `RCPT`, `bad` and `later` refuse the message.
const RECIPIENTS: [(&str, &str, &str); 5] = [
    ("good", "delivered", "250 PRDR R=<good@mail.secure.test> acceptance"),
    ("bad", "failed", "550 bad does not like this content"),
    ("later", "deferred", "450 later says try later"),
    ("reject", "failed", "550 no such user"),
    ("defer", "deferred", "451 try this user later"),
];

fn start(block: &Block) -> Lab<'_> {
    let first = block.first();
    Lab::start_with(block, "exim-prdr", |folder, port| write(&[HOST], first, (folder, port)))
}

fn addresses() -> Vec<String> {
    RECIPIENTS.map(|(name, ..)| format!("{name}@{}", HOST.domain())).to_vec()
}

/// Tells whether a reply of the gateway, which adds an enhanced code, has this code and text.
fn says(reply: &str, expected: &str) -> bool {
    let (code, text) = expected.split_once(' ').unwrap();
    reply.starts_with(code) && reply.ends_with(text)
}

/// The messages that Exim has kept.
fn kept(lab: &Lab<'_>, count: usize) -> Vec<String> {
    mail(&lab.peers.folder().join("exim-prdr").display().to_string(), count)
}

#[test]
fn send_tells_of_each_recipient_of_exim_by_bdat_and_by_data() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let lab = start(&block);
    let addresses = addresses();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    for (messages, chunking) in [(1, "*"), (2, "")] {
        let config = lab.configuration("send", &format!("hosts_try_chunking = '{chunking}'"));
        let outcomes = lab.outcomes_of_send(&addresses, &["--config", &config]);
        for (outcome, (name, result, reply)) in outcomes.iter().zip(RECIPIENTS) {
            assert_eq!(outcome["result"], result, "{name}: {outcome}");
            assert!(outcome["reply"].as_str().unwrap().starts_with(reply), "{name}: {outcome}");
            assert_eq!(outcome["tls"]["verified"], "dane", "{name}: {outcome}");
            assert_eq!(outcome["tls"]["ocsp"], 4, "{name}: {outcome}");
            assert_eq!(outcome["prdr"], true, "{name}: {outcome}");
            assert_eq!(outcome["chunking"], chunking == "*", "{name}: {outcome}");
        }
        let kept = kept(&lab, messages);
        assert_eq!(kept.len(), messages, "{kept:?}");
        let only = |message: &String| message.contains("Envelope-to: good@mail.secure.test\n");
        assert!(kept.iter().all(only), "{kept:?}");
    }
}

#[test]
fn the_gateway_tells_its_client_of_each_recipient_of_exim_by_bdat_and_by_data() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let lab = start(&block);
    for (index, chunking) in [(0, "*"), (1, "")] {
        // Without the staple nothing would be delivered.
        let options = format!(
            "prdr_enable = true\ndns_resolver = '{}'\nrelay_to_domains = '!local.test : *'\n\
            route_data = '${{domain}}/MX:{}'\n[remote_smtp]\nhosts_require_ocsp = '*'\n\
            hosts_try_chunking = '{chunking}'",
            lab.resolver, lab.port
        );
        let gateway = Gateway::start(block.own(index), &options);
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.reply();
        for command in ["EHLO client.test", "MAIL FROM:<a@sender.test> PRDR"] {
            assert!(smtp.say(command).starts_with("250"), "{command}");
        }
        for (address, (name, _, reply)) in addresses().iter().zip(RECIPIENTS) {
            let heard = smtp.say(&format!("RCPT TO:<{address}>"));
            let is_late = matches!(name, "good" | "bad" | "later");
            assert!(
                if is_late { heard.starts_with("250") } else { says(&heard, reply) },
                "{heard}"
            );
        }
        assert!(smtp.say("DATA").starts_with("354"));
        let first = smtp.say("Subject: a test\r\n\r\nbody\r\n.");
        assert!(first.starts_with("353 "), "{first}");
        for (_, _, reply) in &RECIPIENTS[..3] {
            let heard = smtp.reply();
            assert!(says(&heard, reply), "{heard}, not {reply}");
        }
        assert!(smtp.reply().starts_with("250 "));
        assert!(smtp.say("QUIT").starts_with("221"));
        let log = gateway.log();
        let line = log.lines().find(|line| line.contains("=> good@")).unwrap();
        assert!(line.contains(" CV=dane PRDR "), "{line}");
        assert_eq!(line.contains(" K "), chunking == "*", "{line}");
        let messages = usize::from(index) + 1;
        assert_eq!(kept(&lab, messages).len(), messages);
    }
}
