//! A gateway with SPF, DKIM and DMARC, a small name server, and a next hop.

use std::net::TcpStream;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::block::Block;
use super::dialogue::Dialogue;
use super::dmarc::plain;
use super::gateway::Gateway;
use super::name_server::{NameServer, Said};
use super::next_hop::NextHop;
use crate::dkim::signing::ED25519;

/// `victim.example` and its like want mail rejected. What is below a dead name is dead: it is refused, fails,
/// is not answered, or points there; below a mute one that holds for DMARC's records too.
fn said(name: &str, kind: RecordType) -> Said {
    let nothing = |code| Said::Code(code);
    let own = name.split('.').find(|label| DEAD.contains(label));
    match own.filter(|own| *own == "mute" || !name.starts_with("_dmarc.")) {
        Some("servfail") => return nothing(ResponseCode::ServFail),
        Some("refused") => return nothing(ResponseCode::Refused),
        Some("silent" | "mute") => return Said::Nothing,
        Some(_) => return Said::Alias("x.servfail.example."),
        None => {}
    }
    if matches!(name, "s._domainkey.victim.example" | "_dmarc.orphan") {
        return nothing(ResponseCode::ServFail);
    }
    let texts = TEXTS.iter().filter(|_| kind == RecordType::TXT);
    match texts.into_iter().find(|(owner, _)| *owner == name) {
        Some((_, text)) => Said::Text((*text).to_owned()),
        None if TEXTS.iter().any(|(owner, _)| owner.ends_with(name)) => {
            nothing(ResponseCode::NoError)
        }
        None => nothing(ResponseCode::NXDomain),
    }
}

/// Labels whose names, and those below, have no answer.
const DEAD: [&str; 5] = ["servfail", "refused", "silent", "alias", "mute"];

const TEXTS: [(&str, &str); 14] = [
    ("_dmarc.victim.example", "v=DMARC1; p=reject"),
    ("_dmarc.good.example", "v=DMARC1; p=reject"),
    ("good.example", SENDER),
    ("_dmarc.mild.example", "v=DMARC1; p=none"),
    ("_dmarc.wary.example", "v=DMARC1; p=quarantine"),
    ("_dmarc.testing.example", "v=DMARC1; p=reject; t=y"),
    // The name server of the domain above these is down.
    ("_dmarc.victim.orphan", "v=DMARC1; p=reject"),
    ("victim.orphan", SENDER),
    ("s._domainkey.victim.orphan", ED25519),
    ("a.b._domainkey.victim.orphan", ED25519),
    ("sister.orphan", SENDER),
    ("_dmarc.strict.orphan", "v=DMARC1; p=reject; aspf=s; adkim=s"),
    ("mail.strict.orphan", SENDER),
    ("s._domainkey.mail.strict.orphan", ED25519),
];

/// The client is one of this domain's.
const SENDER: &str = "v=spf1 ip4:127.0.0.1 -all";

/// To which domain a message goes, and whether by BDAT.
pub(crate) type Way = (&'static str, bool);

/// Kept and handed on, by DATA and by BDAT.
pub(crate) const WAYS: [Way; 4] =
    [("local.test", false), ("local.test", true), ("next.test", false), ("next.test", true)];

/// A gateway between a client and a next hop.
pub(crate) struct Stage {
    gateway: Option<Gateway>,
    pub(crate) server: NameServer,
    next: NextHop,
    sent: usize,
    /// Given back last: the gateway has a port of it.
    block: Block,
}

impl Stage {
    pub(crate) fn new(edns: bool, options: &str) -> Self {
        let block = Block::claim();
        let server = NameServer::start(edns, said);
        let next = NextHop::start();
        let mut stage = Self { gateway: None, server, next, sent: 0, block };
        stage.restart(options);
        stage
    }

    /// Starts the gateway anew, with other options.
    pub(crate) fn restart(&mut self, options: &str) {
        self.gateway = None;
        let (dns, next) = (self.server.address, self.next.address);
        let all =
            if options.contains("dmarc_verify_hosts") { "" } else { "dmarc_verify_hosts = '*'\n" };
        let options = format!(
            "{all}dns_resolver = '{dns}'\n\
             relay_to_domains = 'next.test'\nroute_data = '{next}'\n{options}"
        );
        self.gateway = Some(Gateway::start(self.block.own(0), &options));
    }

    /// Sends a message with one more field before its header; returns the last reply, and the message where
    /// it has come to, if it was taken.
    pub(crate) fn send(&mut self, sender: &str, message: &str, way: Way) -> (String, String) {
        let mark = self.mark();
        self.transmit(sender, &format!("{mark}\r\n{message}"), &mark, way)
    }

    /// The same with one more line behind a text, which begins as it is.
    pub(crate) fn send_text(&mut self, sender: &str, text: &str, way: Way) -> (String, String) {
        let mark = self.mark();
        self.transmit(sender, &format!("{text}{mark}\r\n"), &mark, way)
    }

    fn mark(&mut self) -> String {
        self.sent += 1;
        format!("X-Number: {}.", self.sent)
    }

    fn transmit(
        &mut self,
        sender: &str,
        message: &str,
        mark: &str,
        (domain, chunked): Way,
    ) -> (String, String) {
        let gateway = self.gateway.as_mut().unwrap();
        let mut smtp: Dialogue<TcpStream, TcpStream> = Dialogue::connect(gateway.port());
        assert!(smtp.reply().starts_with("220"));
        smtp.say("EHLO client.test");
        assert!(smtp.say(&format!("MAIL FROM:<{sender}>")).starts_with("250"));
        assert!(smtp.say(&format!("RCPT TO:<ann@{domain}>")).starts_with("250"));
        if chunked {
            smtp.send(format!("BDAT {} LAST\r\n{message}", message.len()).as_bytes());
        } else {
            assert!(smtp.say("DATA").starts_with("354"));
            smtp.send(format!("{message}.\r\n").as_bytes());
        }
        let reply = smtp.reply();
        let taken = reply.starts_with("250");
        let found = match domain {
            _ if !taken => String::new(),
            "next.test" => self.next.take(),
            _ => gateway.message(mark),
        };
        assert!(!taken || found.contains(mark), "{found}");
        (reply, found)
    }
}

/// A message with these fields.
pub(crate) fn mail(fields: &str) -> String {
    let rest = plain("x@x.example", "x");
    let rest = rest.split_once('\n').unwrap().1.replace('\n', "\r\n");
    format!("{fields}\r\n{rest}")
}
