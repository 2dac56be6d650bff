//! What the gateway logs of those whom it refuses, and how it stops.

use rustix::process::Signal;

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::Gateway;

/// The first as they are, then how many more.
#[test]
fn repeated_refusals_are_summed_up() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "");
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.reply();
    smtp.say("EHLO client.test");
    smtp.say("MAIL FROM:<>");
    smtp.send("RCPT TO:<ann@other.test>\r\n".repeat(500).as_bytes());
    (0..500).for_each(|_| assert!(smtp.reply().starts_with("550 ")));
    assert!(smtp.say("QUIT").starts_with("221"));
    gateway.line("490 more refusals");
    let log = gateway.log();
    let line = "H=(client.test) [127.0.0.1] F=<> rejected RCPT <ann@other.test>: 550 ";
    assert_eq!(log.matches(line).count(), 10, "{log}");
    assert!(log.contains("H=(client.test) [127.0.0.1] 490 more refusals"), "{log}");
}

#[test]
fn a_header_with_both_families_is_refused_with_the_option_that_takes_it() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "proxy_required_hosts = \"127.0.0.1\"");
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.send(b"PROXY TCP6 2001:db8::1 127.0.0.1 56324 25\r\n");
    assert_eq!(smtp.rest(), "");
    let line = gateway.line("PROXY header required of [127.0.0.1]");
    assert!(line.contains("byte 26 is that of an IPv4 address in a line for IPv6"), "{line}");
    assert!(line.contains("proxy_ipv4_in_tcp6 = true"), "{line}");
}

/// Nothing is read again: it stops, and says so to those who wait for it.
#[test]
fn it_stops_in_good_order_whatever_the_signal() {
    for signal in [Signal::HUP, Signal::TERM, Signal::INT] {
        let block = Block::claim();
        let mut gateway = Gateway::start(block.own(0), "");
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.reply();
        smtp.say("EHLO client.test");
        let status = gateway.end(signal);
        assert!(smtp.reply().starts_with("421 4.3.2 "), "{signal:?}");
        assert_eq!(smtp.rest(), "");
        assert!(status.success(), "{signal:?}: {status}");
        assert!(gateway.log().contains("stopping"));
    }
}
