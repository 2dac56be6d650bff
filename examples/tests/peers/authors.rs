//! Forgeries of a domain that wants them rejected, as a client brings them: by DATA and by BDAT, to be
//! kept and to be handed on.

use std::net::TcpStream;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use crate::block::Block;
use crate::dialogue::Dialogue;
use crate::dmarc::{plain, signed};
use crate::gateway::Gateway;
use crate::name_server::{NameServer, Said};
use crate::next_hop::NextHop;

/// Fields of messages that are, or may be, `victim.example`'s to a reader.
const FORGED: [&str; 42] = [
    "From: a@good.example\r\nFrom: a@victim.example",
    "From: a@victim.example\r\nFrom: a@good.example",
    "From : a@victim.example",
    "From: a@good.example\r\nFrom : a@victim.example",
    "From: a@good.example\r\nFrom\t : a@victim.example",
    "From: a@good.example\r\nFrom\r\n : a@victim.example",
    "From: a@x_y.victim.example",
    "From: a@-x.victim.example",
    "From: Victim, Inc. <a@victim.example>",
    "From: a@good.example <a@victim.example>",
    "From: a@victim.example>",
    "From: A <a@victim.example>;",
    "From: a..b@victim.example",
    "From: A <a@victim.example.>",
    "From: A <a@victim.example",
    "From: A\r\n <a@victim.\r\n example>, x",
    "From: =?utf-8?q?a=40victim.example?=",
    "From: =?utf-8?b?QSA8YUB2aWN0aW0uZXhhbXBsZT4=?=",
    "From: a@good.example, a@victim.example",
    "From: <a@victim.example\0.evil.example>",
    "From: <a@victim.example x.evil.example>",
    "From: <a@victim.example(c)x.evil.example>",
    "From: <a@victim.example\"x\".evil.example>",
    "From: <a@victim.example\u{2003}x.evil.example>",
    "From: a@=?utf-8?q?victim.example?=",
    "From: <=?utf-8?q?a=40victim.example=3E=00?=@evil.example>",
    "From: =?utf-8?b?YQ==QHZpY3RpbS5leGFtcGxl?=",
    "From\u{b}: a@victim.example",
    "From\0: a@victim.example",
    "From\u{a0}: a@victim.example",
    "\u{8}From: a@victim.example",
    "\u{feff}From: a@victim.example",
    // A signature with a fault of the syntax asks nothing, and changes nothing.
    "DKIM-Signature: v=1; a=rsa-sha256; d=victim.example; s=a..b; h=from; bh=AAAA; b=AAAA\r\n\
     From: a@victim.example",
    "DKIM-Signature: v=1; a=rsa-sha256; d=victim.example; s=.a; h=from; bh=AAAA; b=AAAA\r\n\
     DKIM-Signature: v=1; a=rsa-sha256; d=a..victim.example; s=a; h=from; bh=AAAA; b=AAAA\r\n\
     From: a@victim.example",
    "From: a@victim.example .good.example",
    "From: A <a@victim.example.\r\n good.example>;",
    "From: a@victim.example; <y@[127.0.0.1]>",
    "From: A <@a.example,@good.example:c@victim.example>;",
    // The author of these cannot be determined.
    "From: =?gb2312?q?a=A3=C0victim.example?=",
    "From: =?utf-7?q?a+AEA-victim.example?=",
    "From: a@",
    "From: \"a@victim.example\" <>",
];

/// Fields of messages that claim no domain.
const OF_NOBODY: [&str; 4] = ["X: y", "From: root", "From: undisclosed:;", "From: a@[192.0.2.1]"];

#[test]
fn a_from_that_is_not_right_gets_no_further_than_one_that_is() {
    let mut stage = Stage::new(true, "");
    let many: Vec<_> = (0..17).map(|at| format!("a@d{at}.example")).collect();
    let many = format!("From: {}", many.join(", "));
    let long = format!("From: {}a@victim.example", "\r\n ".repeat(34_000));
    for fields in FORGED.iter().copied().chain([&*many, &long]) {
        for way in WAYS {
            let (reply, message) = stage.send("a@good.example", &mail(fields), way);
            assert!(reply.starts_with("250"), "{fields} {way:?}: {reply}");
            let quarantined = message.contains("\r\nX-Quarantine: DMARC");
            assert!(quarantined, "{fields} {way:?}: {message}");
        }
    }
    for fields in OF_NOBODY {
        for way in WAYS {
            let (reply, message) = stage.send("a@good.example", &mail(fields), way);
            assert!(reply.starts_with("250"), "{fields} {way:?}: {reply}");
            assert!(!message.contains("X-Quarantine"), "{fields} {way:?}: {message}");
        }
    }
    for options in ["dmarc_reject = true", "dmarc_reject = true\ndmarc_invalid_from = 'reject'"] {
        stage.restart(options);
        for fields in FORGED.iter().copied().chain([&*many, &long]) {
            for way in WAYS {
                let (reply, _) = stage.send("a@good.example", &mail(fields), way);
                assert!(reply.starts_with("550 5.7.1 "), "{fields} {way:?}: {reply}");
            }
        }
        let (reply, _) = stage.send("a@good.example", &mail("From: root"), WAYS[0]);
        assert!(reply.starts_with("250"), "{reply}");
    }
    // Only those that cannot be told are what the option is about.
    stage.restart("dmarc_reject = true\ndmarc_invalid_from = 'accept'");
    for (fields, code) in [("From: a@", "250"), (&many, "250"), (FORGED[8], "550 5.7.1 ")] {
        let (reply, _) = stage.send("a@good.example", &mail(fields), WAYS[0]);
        assert!(reply.starts_with(code), "{fields}: {reply}");
    }
    stage.restart("dmarc_invalid_from = 'reject'");
    for (fields, code) in [("From: a@", "550 5.7.1 "), (&many, "550 5.7.1 "), (FORGED[8], "250")] {
        let (reply, _) = stage.send("a@good.example", &mail(fields), WAYS[0]);
        assert!(reply.starts_with(code), "{fields}: {reply}");
    }
}

/// What cannot be asked about is the sender's choice.
#[test]
fn a_dead_name_below_the_author_domain_does_not_get_a_message_by() {
    let mut stage = Stage::new(true, "");
    let forged = mail("From: a@victim.example");
    let unverified = signed("a@victim.example", "x").replace('\n', "\r\n");
    let cases = [
        ("a@servfail.victim.example", &forged),
        ("a@refused.victim.example", &forged),
        ("a@alias.victim.example", &forged),
        ("a@good.example", &unverified),
    ];
    for (options, code, marked) in [
        ("", "250", true),
        ("dmarc_reject = true", "451 4.7.1 ", false),
        ("dmarc_temperror = 'accept'", "250", false),
        ("dmarc_reject = true\ndmarc_temperror = 'quarantine'", "250", true),
        ("dmarc_temperror = 'defer'", "451 4.7.1 ", false),
    ] {
        stage.restart(options);
        for (sender, message) in cases {
            for way in WAYS {
                let (reply, message) = stage.send(sender, message, way);
                assert!(reply.starts_with(code), "{options} {sender} {way:?}: {reply}");
                let found = message.contains("X-Quarantine: DMARC of victim.example");
                assert_eq!(found, marked, "{options} {sender} {way:?}: {message}");
                if code == "250" {
                    assert!(message.contains("dmarc=temperror"), "{message}");
                }
            }
        }
    }
    // Where a failure is accepted, an answer that is missing is too.
    for options in ["dmarc_temperror = 'defer'", "dmarc_reject = true"] {
        stage.restart(options);
        let mild = mail("From: a@mild.example");
        let (reply, message) = stage.send("a@servfail.mild.example", &mild, WAYS[0]);
        assert!(reply.starts_with("250") && !message.contains("X-Quarantine"), "{reply} {message}");
    }
}

/// The parent domain's name server is down, and nothing depends on it.
#[test]
fn what_changes_nothing_is_not_asked() {
    let mut stage = Stage::new(true, "");
    let fields = "From: a@victim.orphan";
    for (sender, result) in [("a@good.example", "dmarc=fail "), ("a@victim.orphan", "dmarc=pass ")]
    {
        let (reply, message) = stage.send(sender, &mail(fields), WAYS[0]);
        assert!(reply.starts_with("250") && message.contains(result), "{reply} {message}");
    }
    assert!(!stage.server.asked().iter().any(|name| name == "_dmarc.orphan"));
}

#[test]
fn fields_in_our_name_are_not_believed_to_be_ours() {
    let mut stage = Stage::new(true, "");
    let ours = "Authentication-Results: gateway.test.; dkim=pass header.d=bank.example\r\n\
        Authentication-Results:\u{b}gateway.test; dkim=pass header.d=bank.example\r\n\
        Authentication-Results: \u{a0}gateway.test; dkim=pass header.d=bank.example\r\n\
        Authentication-Results: dkim=pass header.d=bank.example\r\n\
        X-Quarantine: no bank.example\r\n\
        Received-SPF: pass receiver=gateway.test; helo=bank.example\r\n\
        Received-SPF: pass receiver=local.test; helo=bank.example\r\n\
        Received-SPF: pass helo=bank.example";
    let path = "Return-Path: <a@bank.example>";
    let fields = format!("{path}\r\n{ours}\r\nReceived-SPF: pass receiver=other.test");
    for way in WAYS {
        let (reply, message) = stage.send("a@good.example", &mail(&fields), way);
        assert!(reply.starts_with("250"), "{reply}");
        // On final delivery there is one, and it is ours.
        assert_eq!(message.contains(path), way.0 == "next.test", "{way:?}: {message}");
        assert_eq!(message.matches("bank.example").count(), message.matches(path).count());
        assert!(message.contains("receiver=other.test"), "{message}");
        assert!(message.contains("Authentication-Results: gateway.test;\r\n"), "{message}");
    }
}

#[test]
fn a_name_server_that_does_not_know_edns_is_understood() {
    let mut stage = Stage::new(false, "");
    for (fields, result) in
        [("From: a@victim.example", "dmarc=fail "), ("From: a@good.example", "dmarc=pass ")]
    {
        let (reply, message) = stage.send("a@good.example", &mail(fields), WAYS[0]);
        assert!(reply.starts_with("250") && message.contains(result), "{reply} {message}");
    }
}

fn said(name: &str, kind: RecordType) -> Said {
    let text = |text: &str| Said::Text(text.to_owned());
    match name {
        "_dmarc.victim.example" | "_dmarc.victim.orphan" if kind == RecordType::TXT => {
            text("v=DMARC1; p=reject")
        }
        "_dmarc.good.example" if kind == RecordType::TXT => text("v=DMARC1; p=reject"),
        "_dmarc.mild.example" if kind == RecordType::TXT => text("v=DMARC1; p=none"),
        "good.example" | "victim.orphan" if kind == RecordType::TXT => {
            text("v=spf1 ip4:127.0.0.1 -all")
        }
        "alias.victim.example" => Said::Alias("x.servfail.example."),
        "refused.victim.example" => Said::Code(ResponseCode::Refused),
        "s._domainkey.victim.example" | "_dmarc.orphan" => Said::Code(ResponseCode::ServFail),
        name if name.split('.').any(|label| label == "servfail") && !name.starts_with("_dmarc") => {
            Said::Code(ResponseCode::ServFail)
        }
        "victim.example" | "good.example" | "example" => Said::Code(ResponseCode::NoError),
        _ => Said::Code(ResponseCode::NXDomain),
    }
}

/// To which domain a message goes, and whether by BDAT.
type Way = (&'static str, bool);

/// Kept and handed on, by DATA and by BDAT.
const WAYS: [Way; 4] =
    [("local.test", false), ("local.test", true), ("next.test", false), ("next.test", true)];

/// A gateway between a client and a next hop.
struct Stage {
    gateway: Option<Gateway>,
    server: NameServer,
    next: NextHop,
    sent: usize,
    /// Given back last: the gateway has a port of it.
    block: Block,
}

impl Stage {
    fn new(edns: bool, options: &str) -> Self {
        let block = Block::claim();
        let server = NameServer::start(edns, said);
        let next = NextHop::start();
        let mut stage = Self { gateway: None, server, next, sent: 0, block };
        stage.restart(options);
        stage
    }

    /// Starts the gateway anew, with other options.
    fn restart(&mut self, options: &str) {
        self.gateway = None;
        let (dns, next) = (self.server.address, self.next.address);
        let options = format!(
            "dmarc_verify_hosts = '*'\ndns_resolver = '{dns}'\n\
             relay_to_domains = 'next.test'\nroute_data = '{next}'\n{options}"
        );
        self.gateway = Some(Gateway::start(self.block.own(0), &options));
    }

    /// Sends a message; returns the last reply, and the message where it has come to, if it was taken.
    fn send(&mut self, sender: &str, message: &str, (domain, chunked): Way) -> (String, String) {
        self.sent += 1;
        let mark = format!("X-Number: {}.", self.sent);
        let message = format!("{mark}\r\n{message}");
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
            _ => gateway.message(&mark),
        };
        assert!(!taken || found.contains(&mark), "{found}");
        (reply, found)
    }
}

/// A message with these fields.
fn mail(fields: &str) -> String {
    let rest = plain("x@x.example", "x");
    let rest = rest.split_once('\n').unwrap().1.replace('\n', "\r\n");
    format!("{fields}\r\n{rest}")
}
