//! Mail relayed to Exim as the next hop.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::block::Block;
use super::gateway::Gateway;
use super::name_server::{NameServer, Said};
use super::servers::{Peers, have, swaks};

fn options(next_hop: &str) -> String {
    format!("relay_to_domains = \"next.test\"\nroute_data = \"{next_hop}\"")
}

#[test]
fn the_next_hop_gets_the_message() {
    if !have(&["exim4", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let exim = peers.start(&["exim"]);
    let gateway = Gateway::start(block.own(0), &options(&exim[0].address));
    let arguments = ["--to", "ann@next.test,bob@next.test", "--body", "onwards\\n.\\n..\\nend"];
    let (taken, transcript) = swaks(&gateway.address(), &arguments);
    assert!(taken, "{transcript}");

    let kept = mail(&exim[1].address, 2);
    assert_eq!(kept.len(), 2, "{kept:?}");
    for message in &kept {
        assert!(message.contains("onwards\n.\n..\nend\n"), "{message}");
        assert!(message.contains("swaks.test"), "a Received field of ours: {message}");
        assert!(message.starts_with("Return-path: <swaks@sender.test>\n"), "{message}");
    }
    // It is the next hop's now, and ours no more.
    assert!(gateway.messages().is_empty());
}

/// The next hop gets the fields that rules add, each in its place, and none that they remove.
#[test]
fn the_next_hop_gets_the_header_of_the_rules() {
    if !have(&["exim4", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let exim = peers.start(&["exim"]);
    let options = options(&exim[0].address)
        + "
    [[acl_smtp_rcpt]]
    verb = 'warn'
    add_header = 'X-Client: $sender_helo_name'
    remove_header = 'X-Spam-*'
    [[acl_smtp_data]]
    verb = 'warn'
    remove_header = 'Subject'
    add_header = ':at_end:X-Last: yes'
    [[acl_smtp_data]]
    verb = 'warn'
    add_header = ':at_start:X-First: yes'";
    let gateway = Gateway::start(block.own(0), &options);
    let data = "From: a@b.test\\nSubject: one\\nX-Spam-Score: 5\\nX-Kept: yes\\n folded\\n\
                \\nSubject: body\\n";
    let (taken, transcript) = swaks(&gateway.address(), &["--to", "a@next.test", "--data", data]);
    assert!(taken, "{transcript}");
    let kept = mail(&exim[1].address, 1).remove(0);
    // Exim puts fields of its own before the first one.
    let (header, body) = kept.split_once("\n\n").unwrap();
    let names: Vec<_> = header
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name)
        .skip_while(|name| *name != "X-First")
        .collect();
    assert_eq!(names, ["X-First", "Received", "X-Client", "From", "X-Kept", "X-Last"], "{kept}");
    assert!(header.contains("X-Client: swaks.test\n"), "{kept}");
    assert!(header.contains("X-Kept: yes\n folded\n"), "{kept}");
    assert!(body.starts_with("Subject: body\n"), "{kept}");
}

/// The name server of `dns_resolver` is asked for a next hop, too; one that does not answer defers the message.
#[test]
fn the_next_hop_is_found_by_the_configured_resolver() {
    if !have(&["exim4", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let exim = peers.start(&["exim"]);
    let port = exim[0].address.rsplit_once(':').unwrap().1.to_owned();
    let names = NameServer::start(true, |name, kind| match (name, kind) {
        ("hop.test", RecordType::A) => Said::Address(Ipv4Addr::LOCALHOST),
        ("hop.test" | "dead.test", _) => Said::Code(ResponseCode::ServFail),
        _ => Said::Code(ResponseCode::NXDomain),
    });
    for (host, is_taken) in [("hop.test", true), ("dead.test", false), ("gone.test", false)] {
        let options = options(&format!("{host}:{port}"));
        let resolver = format!("dns_resolver = \"{}\"\n", names.address);
        let gateway = Gateway::start(block.own(0), &format!("{resolver}{options}"));
        let (taken, transcript) = swaks(&gateway.address(), &["--to", "ann@next.test"]);
        assert_eq!(taken, is_taken, "{host}: {transcript}");
        assert!(is_taken || transcript.contains("<** 451 4.4."), "{host}: {transcript}");
    }
    assert_eq!(mail(&exim[1].address, 1).len(), 1);
}

#[test]
fn what_the_next_hop_refuses_is_refused() {
    if !have(&["exim4", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let exim = peers.start(&["exim"]);
    let gateway = Gateway::start(block.own(0), &options(&exim[0].address));
    for (rcpt, reply) in [("reject@next.test", "<** 550 "), ("defer@next.test", "<** 451 ")] {
        let (taken, transcript) = swaks(&gateway.address(), &["--to", rcpt]);
        assert!(!taken, "{transcript}");
        assert!(transcript.contains(reply), "{transcript}");
    }
    assert!(mail(&exim[1].address, 0).is_empty());
}

#[test]
fn a_next_hop_that_is_down_defers() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let nobody = format!("127.0.0.1:{}", block.own(1));
    let gateway = Gateway::start(block.own(0), &options(&nobody));
    let (taken, transcript) = swaks(&gateway.address(), &["--to", "ann@next.test"]);
    assert!(!taken, "{transcript}");
    assert!(transcript.contains("<** 4"), "{transcript}");
}

/// Waits until the next hop has delivered `count` messages, and returns all that it has.
pub(crate) fn mail(folder: &str, count: usize) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let entries = fs::read_dir(Path::new(folder).join("mail/new")).into_iter().flatten();
        let read = |path: PathBuf| fs::read_to_string(path).unwrap();
        let found: Vec<_> = entries.map(|entry| read(entry.unwrap().path())).collect();
        if found.len() >= count || Instant::now() > end {
            return found;
        }
        thread::sleep(Duration::from_millis(50));
    }
}
