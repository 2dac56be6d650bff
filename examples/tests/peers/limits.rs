//! The log lines of refused clients, and the stop of the gateway.

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
    smtp.say("RSET");
    smtp.say("MAIL FROM:<ann@sender.test>");
    assert!(smtp.say("RCPT TO:<ann@other.test>").starts_with("550 "));
    assert!(smtp.say("QUIT").starts_with("221"));
    assert!(gateway.end(Signal::TERM).success());
    let log = gateway.log();
    let line = "H=(client.test) [127.0.0.1] F=<> rejected RCPT <ann@other.test>: 550 ";
    assert_eq!(log.matches(line).count(), 10, "{log}");
    assert_eq!(log.matches("H=[127.0.0.1] 491 more refusals\n").count(), 1, "{log}");
    assert_eq!(log.lines().count(), 15, "three of the start, one of the stop: {log}");
}

/// The sender's path has just one pair of brackets, also the null one.
#[test]
fn a_refusal_names_the_sender() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "");
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.reply();
    smtp.say("EHLO client.test");
    for (sender, shown) in [("", "F=<>"), ("ann@sender.test", "F=<ann@sender.test>")] {
        smtp.say(&format!("MAIL FROM:<{sender}>"));
        assert!(smtp.say("RCPT TO:<bob@other.test>").starts_with("550 "));
        smtp.say("RSET");
        gateway.line(&format!("[127.0.0.1] {shown} rejected RCPT <bob@other.test>: 550 5.7.1 "));
    }
    let log = gateway.log();
    assert!(!log.contains("F=<<"), "{log}");
}

/// A client that comes again after each 421 makes no more lines than one that stays: of refusals, and
/// of what rules say.
#[test]
fn a_client_that_connects_again_begins_no_new_count() {
    let block = Block::claim();
    let rules = "smtp_max_refused_hosts = '*'
        [[acl_smtp_rcpt]]
        verb = 'warn'
        domains = 'other.test'
        logwrite = 'somebody tries $local_part'
        [[acl_smtp_rcpt]]
        verb = 'deny'
        domains = 'other.test'
        log_message = 'a try'";
    let mut gateway = Gateway::start(block.own(0), rules);
    for _ in 0..100 {
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.reply();
        smtp.say("EHLO client.test");
        smtp.say("MAIL FROM:<>");
        smtp.send("RCPT TO:<ann@other.test>\r\n".repeat(21).as_bytes());
        let replies = smtp.rest();
        assert_eq!(replies.matches("550 ").count(), 21, "{replies}");
        assert!(replies.contains("\r\n421 4.7.0 too many refused "), "{replies}");
    }
    assert!(gateway.end(Signal::TERM).success());
    let log = gateway.log();
    assert_eq!(log.matches("rejected RCPT <ann@other.test>: a try").count(), 10);
    assert_eq!(log.matches("somebody tries ann").count(), 1000);
    assert_eq!(log.matches("H=[127.0.0.1] 2090 more refusals\n").count(), 1, "{log}");
    assert_eq!(log.matches("H=[127.0.0.1] 1100 more lines of rules\n").count(), 1, "{log}");
    assert!(log.lines().count() < 1020, "{}", log.lines().count());
}

/// Loopback and a trusted proxy that speaks for itself are exempt, unless a list says otherwise; clients
/// behind the proxy are not.
#[test]
fn refused_recipients_are_counted_for_strangers_unless_a_list_says_otherwise() {
    let block = Block::claim();
    let proxies = "proxy_required_hosts = '127.0.0.1'\n";
    let (behind, own) = ("PROXY TCP4 192.0.2.1 198.51.100.25 5555 25\r\n", "PROXY UNKNOWN\r\n");
    for (options, header, counted) in [
        ("", "", false),
        ("smtp_max_refused_hosts = '127.0.0.0/8'\n", "", true),
        ("smtp_max_refused_hosts = ''\n", "", false),
        (proxies, own, false),
        (proxies, behind, true),
        (&format!("{proxies}smtp_max_refused_hosts = '127.0.0.1'\n"), own, true),
        (&format!("{proxies}smtp_max_refused_hosts = '127.0.0.1'\n"), behind, false),
        (&format!("{proxies}smtp_max_refused_hosts = '!192.0.2.1 : *'\n"), behind, false),
        (&format!("{proxies}smtp_max_refused = 0\n"), behind, false),
    ] {
        let gateway = Gateway::start(block.own(0), options);
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.send(header.as_bytes());
        smtp.reply();
        smtp.say("EHLO client.test");
        smtp.say("MAIL FROM:<>");
        smtp.send(format!("{}QUIT\r\n", "RCPT TO:<a@other.test>\r\n".repeat(50)).as_bytes());
        let replies = smtp.rest();
        let most = if counted { 21 } else { 50 };
        assert_eq!(replies.matches("550 ").count(), most, "{options}{header}: {replies}");
        assert_eq!(replies.contains("\r\n421 4.7.0 "), counted, "{options}{header}: {replies}");
    }
}

/// Without an option it is fifty, of the client that the proxy speaks for.
#[test]
fn a_host_has_fifty_connections() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "proxy_required_hosts = '127.0.0.1'");
    let port = gateway.port();
    let connect = |client: &str| {
        let family = if client.contains(':') { "TCP6" } else { "TCP4" };
        let server = if family == "TCP6" { "2001:db8:ffff::25" } else { "198.51.100.25" };
        let mut smtp = Dialogue::connect(port);
        smtp.send(format!("PROXY {family} {client} {server} 5555 25\r\n").as_bytes());
        let reply = smtp.reply();
        (smtp, reply)
    };
    // Each from another address of the same network.
    let networks = (0..50).map(|at| connect(&format!("2001:db8:0:1:{at:x}::1")));
    let addresses = (0..50).map(|_| connect("192.0.2.1"));
    let all: Vec<_> = networks.chain(addresses).collect();
    assert!(all.iter().all(|(_, reply)| reply.starts_with("220 ")));
    for (client, taken) in [
        ("2001:db8:0:1::ffff", false),
        ("192.0.2.1", false),
        ("2001:db8:0:2::1", true),
        ("192.0.2.2", true),
    ] {
        let (_, reply) = connect(client);
        let expected = if taken { "220 " } else { "421 4.3.2 " };
        assert!(reply.starts_with(expected), "{client}: {reply}");
    }
    gateway.line("H=[2001:db8:0:1::ffff] has too many connections");
}

#[test]
fn a_header_with_both_families_is_refused_with_the_option_that_takes_it() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "proxy_required_hosts = \"127.0.0.1\"");
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.send(b"PROXY TCP6 2001:db8::1 127.0.0.1 56324 25\r\n");
    assert_eq!(smtp.rest(), "");
    let line = gateway.line("PROXY header required of [127.0.0.1]");
    assert!(line.contains("IPv4 address in a PROXY TCP6 line, at byte 26"), "{line}");
    assert!(line.contains("proxy_ipv4_in_tcp6 = true"), "{line}");
}

/// Who opens connections without a sound header writes no more of the log than any other who is refused.
#[test]
fn repeated_faults_of_proxy_headers_are_summed_up() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "proxy_required_hosts = \"127.0.0.1\"");
    for at in 0..60 {
        let mut smtp = Dialogue::connect(gateway.port());
        let faults: [&[u8]; 3] =
            [b"EHLO client.test\r\n", b"PROXY TCP4 x\r\n", b"\r\n\r\n\0\r\nQUIT\n\xff"];
        smtp.send(faults[at % 3]);
        assert_eq!(smtp.rest(), "");
    }
    assert!(gateway.end(Signal::TERM).success());
    let log = gateway.log();
    assert_eq!(log.matches("PROXY header required of [127.0.0.1]: ").count(), 10, "{log}");
    assert_eq!(log.matches("H=[127.0.0.1] 50 more refusals\n").count(), 1, "{log}");
    assert!(log.lines().count() < 16, "{log}");
}

/// It stops, and says so to those who wait for it.
#[test]
fn it_stops_in_good_order_whatever_the_signal() {
    for signal in [Signal::TERM, Signal::INT] {
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

/// New connections have the new configuration; a connection that is there keeps its own.
#[test]
fn at_sighup_it_reads_its_configuration_again() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "smtp_banner = 'one'");
    let mut old = Dialogue::connect(gateway.port());
    assert!(old.reply().trim_end().ends_with(" one"));
    for (options, logged, banner) in [
        ("smtp_banner = 'two'", "configuration reloaded", " two"),
        ("no_such = 1", "configuration not reloaded, the previous one stays: line ", " two"),
        ("smtp_banner = 'three'\nsmtp_accept_max = 7", "smtp_accept_max: a change takes", " three"),
    ] {
        gateway.reload(options, logged);
        let mut new = (0..1000).map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            Dialogue::connect(gateway.port()).reply()
        });
        assert!(
            new.any(|greeting| greeting.trim_end().ends_with(banner)),
            "{options}: {}",
            gateway.log()
        );
    }
    assert!(old.say("EHLO client.test").contains("250"));
    assert!(gateway.end(Signal::TERM).success());
}
