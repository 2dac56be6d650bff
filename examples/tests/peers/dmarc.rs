//! DKIM and DMARC of real clients, with a real name server.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::thread;
use std::time::Duration;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::block::Block;
use super::gateway::Gateway;
use super::name_server::{NameServer, Said};
use super::servers::{Peers, have, swaks};
use crate::dkim::signing::sign;

/// What every gateway here has: those on loopback are examined too.
const ALL: &str = "dmarc_verify_hosts = \"*\"";

#[test]
fn an_aligned_pass_by_signature_or_by_address_is_written_down() {
    with_gateway("", |mut gateway, send, _| {
        // By its signature: SPF of signed.test fails.
        let message = signed("a@signed.test", "by signature");
        let (taken, transcript) = send.send(&gateway, "b@signed.test", &message);
        assert!(taken, "{transcript}");
        let message = gateway.message("Subject: by signature");
        let results = "Authentication-Results: gateway.test;\r\n\
        \tspf=fail smtp.mailfrom=signed.test;\r\n\
        \tdkim=pass header.d=signed.test header.s=s header.a=ed25519-sha256 header.b=";
        assert!(message.contains(results), "{message}");
        let results = "\tdmarc=pass policy.dmarc=reject header.from=signed.test\r\n";
        assert!(message.contains(results) && !message.contains("X-Quarantine"), "{message}");

        // By its address.
        let (taken, transcript) =
            send.send(&gateway, "a@pass.test", &plain("a@pass.test", "by address"));
        assert!(taken, "{transcript}");
        let message = gateway.message("Subject: by address");
        let results = "Authentication-Results: gateway.test;\r\n\
        \tspf=pass smtp.mailfrom=pass.test;\r\n\tdkim=none;\r\n\
        \tdmarc=pass policy.dmarc=reject header.from=pass.test\r\n";
        assert!(message.contains(results) && !message.contains("X-Quarantine"), "{message}");

        // A null path is that of a postmaster at the name of HELO, which is another organization's.
        let (taken, transcript) = send.send(&gateway, "<>", &plain("a@pass.test", "of nobody"));
        assert!(taken, "{transcript}");
        let message = gateway.message("Subject: of nobody");
        assert!(message.contains("spf=none smtp.mailfrom=postmaster@swaks.test"), "{message}");
        assert!(message.contains("dmarc=fail policy.dmarc=reject"), "{message}");

        // Nobody says anything about the domain.
        let (taken, transcript) =
            send.send(&gateway, "a@host.test", &plain("a@host.test", "no record"));
        assert!(taken, "{transcript}");
        let message = gateway.message("Subject: no record");
        assert!(message.contains("\tdmarc=none header.from=host.test\r\n"), "{message}");
        assert!(!message.contains("X-Quarantine"), "{message}");
    });
}

#[test]
fn what_is_to_be_rejected_goes_into_quarantine_unless_the_option_is_set() {
    with_gateway("", |mut gateway, send, dns| {
        let forged = signed("a@signed.test", "forged").replace("forged", "changed");
        let (taken, transcript) = send.send(&gateway, "a@host.test", &forged);
        assert!(taken, "{transcript}");
        let message = gateway.message("Subject: changed");
        let field =
            "X-Quarantine: DMARC: the message fails for signed.test, which asks to reject it\r\n";
        assert!(message.contains(field), "{message}");
        assert!(message.contains("dkim=fail reason=\"signature did not verify\""), "{message}");

        let options =
            format!("{ALL}\ndmarc_reject = true\nprdr_enable = true\ndns_resolver = \"{dns}\"");
        let mut strict = Gateway::start(send.block.own(1), &options);
        let (taken, transcript) = send.send(&strict, "a@host.test", &forged);
        let refusal = "550 5.7.1 rejected by the DMARC policy of signed.test";
        assert!(!taken && transcript.contains(refusal), "{transcript}");
        assert!(strict.messages().is_empty());
        // The same is said to each recipient that asks.
        let file = send.file(&forged);
        let arguments = [
            "--to",
            "a@local.test,b@local.test",
            "--from",
            "a@host.test",
            "--data",
            &file,
            "--prdr",
        ];
        let (taken, transcript) = send_with(&strict, &arguments);
        assert!(!taken && transcript.matches(refusal).count() >= 2, "{transcript}");
        // That is what reports say too.
        let rows = strict.folder().join("spool/dmarc.sqlite");
        strict.wait_for("two rows", |_| (rejected(&rows) == 2).then_some(()));
        // What passes does.
        let (taken, transcript) =
            send.send(&strict, "a@host.test", &signed("a@signed.test", "true"));
        assert!(taken, "{transcript}");
    });
}

#[test]
fn rules_decide_with_more_evidence_and_can_leave_a_message_alone() {
    let rules = "
    [[acl_smtp_rcpt]]
    verb = 'warn'
    recipients = 'list@local.test'
    control = 'dmarc_disable_verify'
    [[acl_smtp_data]]
    verb = 'deny'
    dmarc_status = 'reject'
    header.subject = '*lottery*'
    message = 'Message from $dmarc_used_domain failed its policy ($dmarc_domain_policy)'
    [[acl_smtp_data]]
    verb = 'warn'
    dmarc_status = 'off : quarantine'
    add_header = 'X-Status: $dmarc_status'";
    with_gateway(rules, |mut gateway, send, _| {
        let lottery = plain("a@signed.test", "your lottery");
        let (taken, transcript) = send.send(&gateway, "a@host.test", &lottery);
        let refusal = "550 5.7.1 Message from signed.test failed its policy (reject)";
        assert!(!taken && transcript.contains(refusal), "{transcript}");
        let file = send.file(&lottery);
        let arguments = ["--to", "list@local.test", "--from", "a@host.test", "--data", &file];
        let (taken, transcript) = send_with(&gateway, &arguments);
        assert!(taken, "{transcript}");
        let message = gateway.message("X-Status: off");
        assert!(!message.contains("dmarc=") && !message.contains("X-Quarantine"), "{message}");
        let soft = plain("a@softfail.test", "soft");
        let (taken, transcript) = send.send(&gateway, "a@host.test", &soft);
        assert!(taken, "{transcript}");
        let message = gateway.message("X-Status: quarantine");
        assert!(message.contains("X-Quarantine: DMARC: "), "{message}");
    });
}

/// A forwarder's mail is taken though it fails, and the author's domain learns why.
#[test]
fn a_rule_overrides_the_policy_and_reports_have_its_reason() {
    let rules = "
    dmarc_reject = true
    [hostlist]
    forwarders = '127.0.0.0/8'
    [[acl_smtp_rcpt]]
    verb = 'warn'
    hosts = '+forwarders'
    recipients = 'list@local.test'
    control = 'dmarc_override/trusted_forwarder'
    [[acl_smtp_data]]
    verb = 'warn'
    add_header = 'X-Status: $dmarc_status'";
    with_gateway(rules, |mut gateway, send, _| {
        let file = send.file(&plain("a@signed.test", "forwarded"));
        let arguments = ["--to", "list@local.test", "--from", "a@host.test", "--data", &file];
        let (taken, transcript) = send_with(&gateway, &arguments);
        assert!(taken, "{transcript}");
        let message = gateway.message("Subject: forwarded");
        assert!(message.contains("X-Status: reject"), "{message}");
        assert!(message.contains("dmarc=fail") && !message.contains("X-Quarantine"), "{message}");
        let rows = gateway.folder().join("spool/dmarc.sqlite");
        let row = gateway.wait_for("a row", |_| first_row(&rows));
        assert_eq!(row, "none trusted_forwarder");
        // The control is for the message to this recipient only.
        let forged = plain("a@signed.test", "forged");
        let (taken, transcript) = send.send(&gateway, "a@host.test", &forged);
        assert!(!taken, "{transcript}");
    });
}

#[test]
fn a_name_server_that_is_silent_is_no_reason_to_refuse() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let silent = UdpSocket::bind(("127.0.0.1", block.own(9))).unwrap();
    let dns = silent.local_addr().unwrap();
    let options =
        format!("{ALL}\ndmarc_reject = true\ndmarc_timeout = \"1s\"\ndns_resolver = \"{dns}\"");
    let mut gateway = Gateway::start(block.own(0), &options);
    let send = Sender::new(&block);
    let message = signed("a@signed.test", "in silence");
    let (taken, transcript) = send.send(&gateway, "a@signed.test", &message);
    assert!(taken, "{transcript}");
    let message = gateway.message("Subject: in silence");
    for result in [
        "\tspf=temperror smtp.mailfrom=signed.test",
        "\tdkim=temperror reason=\"the DNS did not answer\" header.d=signed.test",
        "\tdmarc=temperror header.from=signed.test",
    ] {
        assert!(message.contains(result), "{result}: {message}");
    }
    assert!(!message.contains("X-Quarantine"), "{message}");
}

/// Whoever sends a message chooses whose DNS SPF asks: that it is slow must not keep what the author's
/// domain wants from being found.
#[test]
fn a_sender_whose_dns_is_slow_does_not_get_by() {
    with_gateway("", |_, send, dns| {
        let front = UdpSocket::bind(("127.0.0.1", send.block.own(9))).unwrap();
        let (address, upstream) = (front.local_addr().unwrap(), dns.to_owned());
        thread::spawn(move || deaf_for(&front, &upstream, b"\x08softfail"));
        let options = format!("{ALL}\ndmarc_timeout = \"4s\"\ndns_resolver = \"{address}\"");
        let mut gateway = Gateway::start(send.block.own(2), &options);
        let forged = plain("a@signed.test", "slow");
        let (taken, transcript) = send.send(&gateway, "a@softfail.test", &forged);
        assert!(taken, "{transcript}");
        let message = gateway.message("Subject: slow");
        assert!(message.contains("\tspf=temperror smtp.mailfrom=softfail.test"), "{message}");
        assert!(message.contains("\tdmarc=fail policy.dmarc=reject"), "{message}");
        assert!(message.contains("X-Quarantine: DMARC: "), "{message}");
    });
}

/// The record of a subdomain ends the walk there; the list of the option has it within its organization.
#[test]
fn the_list_of_suffixes_puts_together_what_the_records_leave_apart() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let dns = NameServer::start(true, |name, kind| match (name, kind) {
        ("_dmarc.sub.example.test", RecordType::TXT) => Said::Text("v=DMARC1; p=reject".into()),
        ("example.test", RecordType::TXT) => Said::Text("v=spf1 ip4:127.0.0.2 -all".into()),
        _ => Said::Code(ResponseCode::NXDomain),
    });
    let list = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("suffixes-{}", block.first()));
    let text = "// ===BEGIN ICANN DOMAINS===\ntest\n// ===END ICANN DOMAINS===\n";
    fs::write(&list, text).unwrap();
    let file = format!("dmarc_tld_file = '{}'", list.display());
    for (number, option, result) in [(0, "", "fail"), (1, &*file, "pass")] {
        let options = format!("{ALL}\ndns_resolver = '{}'\n{option}", dns.address);
        let mut gateway = Gateway::start(block.own(number), &options);
        let send = Sender::new(&block);
        let message = plain("a@sub.example.test", "of a subdomain");
        let (taken, transcript) = send.send(&gateway, "a@example.test", &message);
        assert!(taken, "{transcript}");
        let message = gateway.message("Subject: of a subdomain");
        let field = format!("\tdmarc={result} policy.dmarc=reject header.from=sub.example.test");
        assert!(message.contains(&field), "{option}: {message}");
        assert_eq!(message.contains("X-Quarantine: DMARC: "), result == "fail", "{message}");
    }
    fs::remove_file(list).unwrap();
}

/// Passes questions on to a name server, but for those with a label, which are not answered.
fn deaf_for(front: &UdpSocket, upstream: &str, label: &[u8]) {
    let mut room = [0; 4096];
    while let Ok((length, client)) = front.recv_from(&mut room) {
        let question = room.get(..length).unwrap();
        if question.windows(label.len()).any(|part| part.eq_ignore_ascii_case(label)) {
            continue;
        }
        let back = UdpSocket::bind("127.0.0.1:0").unwrap();
        back.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        back.send_to(question, upstream).unwrap();
        let mut answer = [0; 4096];
        if let Ok(length) = back.recv(&mut answer) {
            front.send_to(answer.get(..length).unwrap(), client).unwrap();
        }
    }
}

/// Runs a test with a gateway that asks a name server, whose address it is told; not if a program is
/// missing.
pub(crate) fn with_gateway(options: &str, test: impl FnOnce(Gateway, &Sender<'_>, &str)) {
    if !have(&["knotd", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let dns = peers.start(&["knot"]).remove(0).address;
    let options = format!("{ALL}\ndns_resolver = \"{dns}\"\n{options}");
    let gateway = Gateway::start(block.own(0), &options);
    test(gateway, &Sender::new(&block), &dns);
}

/// Whoever sends from 127.0.0.2.
pub(crate) struct Sender<'a> {
    block: &'a Block,
}

impl<'a> Sender<'a> {
    fn new(block: &'a Block) -> Self {
        Self { block }
    }

    /// Sends it to one recipient; tells whether it was taken.
    pub(crate) fn send(&self, gateway: &Gateway, from: &str, message: &str) -> (bool, String) {
        let file = self.file(message);
        send_with(gateway, &["--to", "ann@local.test", "--from", from, "--data", &file])
    }

    /// Puts a message where swaks finds it.
    fn file(&self, message: &str) -> String {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let file = folder.join(format!("dmarc-{}.eml", self.block.first()));
        fs::write(&file, message).unwrap();
        format!("@{}", file.display())
    }
}

/// A message that is signed for its author's domain by the key of RFC 8463 appendix A.2.
pub(crate) fn signed(author: &str, subject: &str) -> String {
    let domain = author.split_once('@').unwrap().1;
    let tags = format!(
        "v=1; a=ed25519-sha256; c=relaxed/relaxed; d={domain}; s=s; h=from:from:to:subject:subject"
    );
    let header = format!("from:<{author}>\r\nto:<ann@local.test>\r\nsubject:{subject}\r\n");
    let signature = sign(&tags, &header, "hello\r\n");
    signature.replace('\r', "") + &plain(author, subject)
}

fn send_with(gateway: &Gateway, arguments: &[&str]) -> (bool, String) {
    swaks(&gateway.address(), &[&["--local-interface", "127.0.0.2"], arguments].concat())
}

pub(crate) fn plain(author: &str, subject: &str) -> String {
    format!("From: <{author}>\nTo: <ann@local.test>\nSubject: {subject}\n\nhello\n")
}

/// How many messages a gateway says that it has rejected.
fn first_row(rows: &Path) -> Option<String> {
    let file = rusqlite::Connection::open(rows).ok()?;
    let told = "SELECT disposition || ' ' || reasons FROM dmarc";
    file.query_row(told, [], |line| line.get(0)).ok()
}

fn rejected(rows: &Path) -> i64 {
    let Ok(file) = rusqlite::Connection::open(rows) else { return 0 };
    let count = "SELECT count(*) FROM dmarc WHERE disposition = 'reject'";
    file.query_row(count, [], |line| line.get(0)).unwrap_or_default()
}
