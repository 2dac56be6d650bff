//! A reply for each recipient: from the gateway to Exim and swaks, and from Exim to the gateway.

use super::block::Block;
use super::gateway::Gateway;
use super::relay::mail;
use super::servers::{Peers, have, swaks};

/// Ann's filter refuses what dora takes, and bob's puts it off.
const FILTERS: &str = include_str!("../../gateway/tests/data/content-filters.toml");
const RCPTS: [&str; 3] = ["ann@local.test", "bob@local.test", "dora@local.test"];

fn filters(more: &str) -> String {
    // The gateway of the tests has these domains anyway.
    more.to_owned() + "\n" + &FILTERS.replace("local_domains = \"local.test\"\n", "")
}

fn lottery(subject: &str) -> String {
    format!("From: <exim@sender.test>\nSubject: lottery {subject}.\n\nbody\n")
}

/// Checks that Exim takes dora for delivered, ann for refused and bob for deferred.
fn check_exim(log: &str) {
    for (sign, words) in [
        ("** ann@local.test", "ann does not like this content"),
        ("== bob@local.test", "bob says try later"),
        ("> dora@local.test", "content ok"),
    ] {
        let found = log.lines().any(|line| line.contains(sign) && line.contains(words));
        assert!(found, "{sign}: {log}");
    }
}

/// Straight, and by BDAT or DATA as the client's option says; over TLS, since it is offered.
#[test]
fn exim_hears_from_each_recipient() {
    if !have(&["exim4"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), &filters(""));
    let peers = Peers::of(&block);
    for (subject, option, chunked) in [("by bdat", "", true), ("by data", NO_CHUNKING, false)] {
        let address = gateway.address();
        let (delivered, log) = peers.exim_send_by(&address, &RCPTS, &lottery(subject), option);
        assert!(!delivered, "{log}");
        check_exim(&log);
        assert!(log.contains(" X=TLS1.3"), "{log}");
        assert_eq!(log.contains(" K "), chunked, "{log}");

        let message = gateway.message(&format!("Subject: lottery {subject}."));
        assert!(message.contains("\r\nDelivered-To: dora@local.test\r\n"), "{message}");
    }
    assert_eq!(gateway.messages().len(), 2);
    assert!(gateway.line("message for <ann@local.test>").contains("550 5.7.1"));
}

const NO_CHUNKING: &str = "  hosts_try_chunking =";

#[test]
fn exim_hears_from_each_recipient_through_haproxy() {
    if !have(&["haproxy", "exim4", "openssl"]) {
        return;
    }
    let block = Block::claim();
    let options = filters("proxy_required_hosts = \"127.0.0.1\"\nlog_selector = \"+proxy\"");
    let mut gateway = Gateway::start(block.own(0), &options);
    let peers = Peers::of(&block);
    let listeners = peers.start(&["haproxy", &gateway.address()]);
    for (name, option) in [("v1", ""), ("v2", NO_CHUNKING), ("v2-crc32c", "")] {
        let listener = listeners.iter().find(|listener| listener.name == name).unwrap();
        let message = lottery(name);
        let (_, log) = peers.exim_send_by(&listener.address, &RCPTS, &message, option);
        check_exim(&log);
        assert!(log.contains(" X=TLS1.3"), "{log}");
        assert_eq!(log.contains(" K "), option.is_empty(), "{log}");
        let message = gateway.message(&format!("Subject: lottery {name}."));
        assert!(message.contains("127.0.0.3"), "{message}");
        assert!(message.contains("\r\nDelivered-To: dora@local.test\r\n"), "{message}");
    }
    assert_eq!(gateway.messages().len(), 3);
}

/// One recipient hears its own verdict as the last reply, whether it asked or not.
#[test]
fn a_single_recipient_is_filtered_too() {
    if !have(&["exim4", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let gateway = Gateway::start(block.own(0), &filters(""));
    let peers = Peers::of(&block);
    let (_, log) = peers.exim_send(&gateway.address(), &RCPTS[..1], &lottery("alone"));
    assert!(log.contains("** ann@local.test ") && log.contains("does not like"), "{log}");
    let arguments = ["--to", "bob@local.test", "--header", "Subject: lottery"];
    let (taken, transcript) = swaks(&gateway.address(), &arguments);
    assert!(!taken && transcript.contains("<** 450 "), "{transcript}");
    assert!(gateway.messages().is_empty());
}

/// Source: Exim's text of 2014 on PRDR: without it, whoever has another filter is put off.
#[test]
fn swaks_comes_back_for_recipients_with_another_filter() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), &filters("envelope_to_add = true"));
    let arguments = ["--to", "dora@local.test,ann@local.test,emil@local.test", "--body", "first"];
    let (_, transcript) = swaks(&gateway.address(), &arguments);
    let refused = transcript.lines().filter(|line| line.starts_with("<** "));
    let refused: Vec<_> = refused.collect();
    assert_eq!(refused.len(), 1, "{transcript}");
    assert!(refused[0].starts_with("<** 452 4.5.3 "), "{transcript}");
    let message = gateway.message("first");
    assert!(
        message.contains("\r\nEnvelope-To: dora@local.test,\r\n\temil@local.test\r\n"),
        "{message}"
    );
    // Those with the same filter go together.
    let arguments = ["--to", "ann@local.test,x-filtered@local.test", "--body", "second"];
    let (taken, transcript) = swaks(&gateway.address(), &arguments);
    assert!(taken && !transcript.contains("<** "), "{transcript}");
    assert!(gateway.message("second").contains("x-filtered@local.test"));
}

/// Exim asks us, we ask Exim; and one that does not ask is answered for all at once.
#[test]
fn what_each_recipient_says_behind_the_next_hop_is_passed_on() {
    if !have(&["exim4", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let next = peers.start(&["exim-prdr"]);
    let options = format!(
        "prdr_enable = true\nrelay_to_domains = \"next.test\"\nroute_data = \"{}\"",
        next[0].address
    );
    let gateway = Gateway::start(block.own(0), &options);
    let rcpts = ["bad@next.test", "later@next.test", "good@next.test", "better@next.test"];
    let (_, log) = peers.exim_send(&gateway.address(), &rcpts, &lottery("onwards"));
    for (rcpt, words) in [
        ("** bad@next.test", "bad does not like this content"),
        ("== later@next.test", "later says try later"),
        ("> good@next.test", "acceptance"),
        ("> better@next.test", "acceptance"),
    ] {
        let line = log.lines().find(|line| line.contains(rcpt) && line.contains(words));
        assert!(line.is_some(), "{rcpt}: {log}");
    }
    let kept = mail(&next[1].address, 2);
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept.iter().all(|message| message.contains("Subject: lottery onwards.")));

    // The real server runs no filter for who did not ask: its one reply is everybody's.
    let arguments = ["--to", "good@next.test,better@next.test", "--body", "together"];
    let (taken, transcript) = swaks(&gateway.address(), &arguments);
    assert!(taken && !transcript.contains("353"), "{transcript}");
    assert_eq!(mail(&next[1].address, 4).len(), 4);
}

/// Our own rules refuse for one what the next hop has accepted at `RCPT`.
#[test]
fn who_is_refused_here_does_not_get_it_from_the_next_hop() {
    if !have(&["exim4"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let next = peers.start(&["exim-prdr"]);
    let options = format!(
        "prdr_enable = true\nrelay_to_domains = \"next.test\"\nroute_data = \"{}\"
        [[acl_smtp_data_prdr]]
        verb = \"deny\"
        local_parts = \"ann\"
        header.subject = \"*lottery*\"",
        next[0].address
    );
    let gateway = Gateway::start(block.own(0), &options);
    let rcpts = ["ann@next.test", "bad@next.test", "good@next.test"];
    let (_, log) = peers.exim_send(&gateway.address(), &rcpts, &lottery("to some"));
    for words in ["** ann@next.test", "** bad@next.test", "> good@next.test"] {
        assert!(log.contains(words), "{words}: {log}");
    }
    let kept = mail(&next[1].address, 1);
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept[0].contains("good@next.test"), "{kept:?}");
    assert_eq!(gateway.arrivals().len(), 1);
    assert!(gateway.arrivals()[0].ends_with(" for good@next.test"), "{:?}", gateway.arrivals());
}
