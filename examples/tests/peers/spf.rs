//! SPF of real clients, with a real name server.

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::block::Block;
use super::gateway::Gateway;
use super::name_server::{NameServer, Said};
use super::servers::{Peers, have, swaks};

/// As the text of 2014 has its examples, with plain messages; a header for each that is taken.
const RULES: &str = "
    [[acl_smtp_mail]]
    verb = 'deny'
    message = '$sender_host_address is not allowed to send mail from $sender_address_domain: $spf_smtp_comment'
    spf = 'fail'
    [[acl_smtp_rcpt]]
    verb = 'defer'
    spf = 'err_perm'
    [[acl_smtp_data]]
    verb = 'warn'
    spf = 'none'
    spf_guess = 'pass'
    add_header = 'X-SPF-Guess: $spf_header_comment'
    [[acl_smtp_data]]
    verb = 'warn'
    spf = 'pass : softfail'
    add_header = '$spf_received'";

#[test]
fn what_a_domain_publishes_decides_and_is_written_down() {
    if !have(&["knotd", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let dns = peers.start(&["knot"]).remove(0).address;
    let options = format!("dns_resolver = \"{dns}\"\n{RULES}");
    let mut gateway = Gateway::start(block.own(0), &options);
    let from = |sender: &str| {
        let arguments = [
            "--to",
            "ann@local.test",
            "--from",
            sender,
            "--local-interface",
            "127.0.0.2",
            "--add-header",
            "Authentication-Results: gateway.test; spf=pass smtp.mailfrom=forged.test",
        ];
        swaks(&gateway.address(), &arguments)
    };

    let (taken, transcript) = from("a@fail.test");
    let refusal = "550 5.7.1 127.0.0.2 is not allowed to send mail from fail.test: 127.0.0.2 is not a host of fail.test : Reason: mechanism";
    assert!(!taken && transcript.contains(refusal), "{transcript}");
    let (taken, transcript) = from("a@permerror.test");
    assert!(!taken && transcript.contains("451 4.7.1"), "{transcript}");

    for sender in ["a@pass.test", "a@mx.test", "a@softfail.test", "a@guessed.test"] {
        let (taken, transcript) = from(sender);
        assert!(taken, "{transcript}");
    }
    let rows = [
        (
            "pass.test",
            "spf=pass smtp.mailfrom=pass.test",
            "Received-SPF: pass (gateway.test: domain of pass.test designates 127.0.0.2",
        ),
        ("mx.test", "spf=pass smtp.mailfrom=mx.test", "mechanism=mx"),
        (
            "softfail.test",
            "spf=pass smtp.mailfrom=softfail.test",
            "mechanism=\"include:pass.test\"",
        ),
        (
            "guessed.test",
            "spf=none smtp.mailfrom=guessed.test",
            "X-SPF-Guess: gateway.test: domain of guessed.test designates",
        ),
    ];
    for (domain, result, header) in rows {
        let message = gateway.message(&format!("<a@{domain}>"));
        let field = format!("Authentication-Results: gateway.test; {result}\r\n");
        assert!(message.contains(&field) && message.contains(header), "{message}");
        assert!(!message.contains("forged.test"), "{message}");
    }
}

#[test]
fn a_name_server_that_is_not_there_defers() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let rule = "[[acl_smtp_mail]]\nverb = 'defer'\nspf = 'err_temp'\n";
    let options =
        format!("dns_resolver = \"127.0.0.1:{}\"\nspf_timeout = \"1s\"\n{rule}", block.own(9));
    let gateway = Gateway::start(block.own(0), &options);
    let arguments = ["--to", "ann@local.test", "--from", "a@pass.test"];
    let (taken, transcript) = swaks(&gateway.address(), &arguments);
    assert!(!taken && transcript.contains("451 4.7.1"), "{transcript}");
}

/// A recipient without the test of SPF costs no question; others are refused at RCPT.
#[test]
fn a_recipient_may_have_no_test() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let names = NameServer::start(true, |name, kind| match (name, kind) {
        ("fail.test", RecordType::TXT) => Said::Text("v=spf1 -all".to_owned()),
        _ => Said::Code(ResponseCode::NXDomain),
    });
    let rules = "dmarc_verify_hosts = \"\"\n[[acl_smtp_rcpt]]\nverb = \"deny\"\n\
                 \"!local_parts\" = \"open\"\nspf = \"fail\"\n";
    let options = format!("dns_resolver = \"{}\"\n{rules}", names.address);
    let gateway = Gateway::start(block.own(0), &options);
    let to = |recipient: &str| {
        let client = ["--local-interface", "127.0.0.2", "--from", "a@fail.test", "--to", recipient];
        swaks(&gateway.address(), &client)
    };
    let asked = || names.asked().iter().filter(|name| *name == "fail.test").count();
    let (taken, transcript) = to("open@local.test");
    assert!(taken && asked() == 0, "{transcript}");
    let (taken, transcript) = to("ann@local.test");
    assert!(!taken && asked() > 0, "{transcript}");
    assert!(transcript.contains("550 5.7.1 not permitted"), "{transcript}");
}

/// The record of a guess is that of the option, and a guess that fails is denied.
#[test]
fn a_guess_has_the_record_of_the_option() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let names = NameServer::start(true, |name, kind| match (name, kind) {
        ("near.test", RecordType::A) => Said::Address([127, 0, 9, 9].into()),
        ("far.test", RecordType::A) => Said::Address([192, 0, 2, 1].into()),
        _ => Said::Code(ResponseCode::NXDomain),
    });
    let rules = "spf_guess = \"v=spf1 a/16 -all\"\ndmarc_verify_hosts = \"\"\n[[acl_smtp_rcpt]]\nverb = \"deny\"\n\
                 message = \"$sender_host_address doesn't look trustworthy to me\"\nspf_guess = \"fail\"\n";
    let options = format!("dns_resolver = \"{}\"\n{rules}", names.address);
    let gateway = Gateway::start(block.own(0), &options);
    for (domain, expected) in [("near.test", true), ("far.test", false)] {
        let from = format!("a@{domain}");
        let client = ["--local-interface", "127.0.0.2", "--from", &from, "--to", "ann@local.test"];
        let (taken, transcript) = swaks(&gateway.address(), &client);
        assert_eq!(taken, expected, "{transcript}");
        let refusal = "550 5.7.1 127.0.0.2 doesn't look trustworthy to me";
        assert_eq!(transcript.contains(refusal), !expected, "{transcript}");
    }
}
