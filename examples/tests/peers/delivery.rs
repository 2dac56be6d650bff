//! Mail directly from other programs.

use std::process::{Command, Stdio};

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::Gateway;
use super::servers::{Peers, have, swaks};

#[test]
fn swaks_delivers() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "");
    let (taken, transcript) =
        swaks(&gateway.address(), &["--to", "ann@local.test", "--body", "plain as day"]);
    assert!(taken, "{transcript}");

    let message = gateway.message("plain as day");
    assert!(message.starts_with("Return-Path: <swaks@sender.test>\r\n"), "{message}");
    assert!(message.contains("\r\nReceived: from swaks.test ([127.0.0.1])\r\n"), "{message}");
    let line = gateway.line(" <= swaks@sender.test ");
    assert!(line.contains("P=esmtp "), "{line}");
}

#[test]
fn swaks_delivers_after_starttls() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "");
    let (taken, transcript) =
        swaks(&gateway.address(), &["--tls", "--to", "ann@local.test", "--body", "wrapped up"]);
    assert!(taken, "{transcript}");
    assert!(transcript.contains("TLS started with cipher"), "{transcript}");

    assert!(gateway.message("wrapped up").contains("with ESMTPS"));
    let line = gateway.line(" <= swaks@sender.test ");
    assert!(line.contains("P=esmtps "), "{line}");
}

#[test]
fn dots_at_the_start_of_lines_survive() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "");
    let data = r"Subject: dots\n\n.\n..\n.end\nlast";
    let (taken, transcript) =
        swaks(&gateway.address(), &["--to", "ann@local.test", "--data", data]);
    assert!(taken, "{transcript}");
    let message = gateway.message("Subject: dots");
    assert!(message.contains("\r\n\r\n.\r\n..\r\n.end\r\nlast\r\n"), "{message}");
}

#[test]
fn a_foreign_recipient_is_refused() {
    if !have(&["swaks"]) {
        return;
    }
    let block = Block::claim();
    let gateway = Gateway::start(block.own(0), "");
    let (taken, transcript) = swaks(&gateway.address(), &["--to", "bob@elsewhere.test"]);
    assert!(!taken, "{transcript}");
    assert!(transcript.contains("<** 550 "), "{transcript}");
    assert!(gateway.messages().is_empty());
}

#[test]
fn exim_delivers() {
    if !have(&["exim4"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "");
    let peers = Peers::of(&block);
    let message = "From: <exim@sender.test>\nSubject: from Exim\n\nbody\n";
    let rcpts = ["ann@local.test", "bob@local.test"];
    let (delivered, log) = peers.exim_send(&gateway.address(), &rcpts, message);
    assert!(delivered, "{log}");
    // The client takes what is offered: TLS, and BDAT.
    assert!(log.contains(" X=TLS1.3"), "{log}");
    assert!(log.contains(" K "), "{log}");

    gateway.message("Subject: from Exim");
    assert!(gateway.line(" <= exim@sender.test ").contains("P=esmtps "));
}

#[test]
fn openssl_delivers_after_starttls() {
    if !have(&["openssl"]) {
        return;
    }
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "");
    let mut openssl = Command::new("openssl")
        .args(["s_client", "-quiet", "-starttls", "smtp", "-name", "openssl.test", "-connect"])
        .arg(gateway.address())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut smtp = Dialogue::new(openssl.stdout.take().unwrap(), openssl.stdin.take().unwrap());
    let offered = smtp.say("EHLO openssl.test");
    assert!(offered.starts_with("250-") && !offered.contains("STARTTLS"), "{offered}");
    for (command, code) in [
        ("MAIL FROM:<openssl@sender.test>", "250"),
        ("RCPT TO:<ann@local.test>", "250"),
        ("DATA", "354"),
        ("Subject: by hand\r\n\r\nbody\r\n.", "250"),
        ("QUIT", "221"),
    ] {
        let reply = smtp.say(command);
        assert!(reply.starts_with(code), "{command}: {reply}");
    }
    drop(smtp);
    openssl.wait().unwrap();
    assert!(gateway.message("Subject: by hand").contains("with ESMTPS"));
}
