//! A required PROXY header that is missing.

use std::fs;
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::Gateway;

const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x19\x15\xb3\0\x19";

/// What such a proxy may do.
struct Failure {
    what: &'static str,
    sent: &'static [u8],
    /// What comes of the header when it is too late.
    rest: &'static [u8],
}

const FAILURES: &[Failure] = &[
    Failure { what: "nothing", sent: b"", rest: b"" },
    Failure {
        what: "half a line",
        sent: b"PROXY TCP4 192.0.2.1 ",
        rest: b"198.51.100.25 5555 25\r\n",
    },
    Failure { what: "half a header", sent: V2.split_at(20).0, rest: V2.split_at(20).1 },
    Failure { what: "a command", sent: b"EHLO client.test\r\n", rest: b"" },
    Failure { what: "a request", sent: b"GET / HTTP/1.1\r\n", rest: b"" },
    Failure { what: "a bad line", sent: b"PROXY TCP4 192.0.2.1 x 1 2\r\n", rest: b"" },
    Failure {
        what: "an unassigned family",
        sent: b"\r\n\r\n\0\r\nQUIT\n\x21\x41\0\x04QUIT",
        rest: b"",
    },
];

/// Source: section 2 of proxy-protocol.txt, 2026-04-27: a receiver without a header aborts.
#[test]
fn it_is_dropped_without_a_word() {
    let block = Block::claim();
    let options = "proxy_required_hosts = \"127.0.0.1\"\nproxy_protocol_timeout = \"1s\"";
    let gateway = Gateway::start(block.own(0), options);
    for Failure { what, sent, .. } in FAILURES {
        for ends in [false, true] {
            let mut smtp = Dialogue::connect(gateway.port());
            smtp.send(sent);
            if ends {
                smtp.finish();
            }
            assert_eq!(smtp.rest(), "", "{what}, then its end: {ends}");
        }
    }
    assert!(gateway.arrivals().is_empty());
}

/// Source: Exim's text of 2014 on its PROXY support: no command but QUIT is allowed.
#[test]
fn or_every_command_but_quit_is_refused() {
    let block = Block::claim();
    let options = "proxy_required_hosts = \"127.0.0.1\"\nproxy_protocol_timeout = \"1s\"\n\
        proxy_refusal = \"exim\"";
    let gateway = Gateway::start(block.own(0), options);
    let refused = "503 Command refused, required Proxy negotiation failed";
    for Failure { what, sent, rest } in FAILURES {
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.send(sent);
        assert!(smtp.reply().starts_with("220 "), "{what}");
        // What is late of the header is not answered: each reply is to its command.
        smtp.send(rest);
        for command in ["EHLO client.test", "MAIL FROM:<a@sender.test>", "NOOP", "STARTTLS"] {
            assert_eq!(smtp.say(command), refused, "{what}, {command}");
        }
        assert!(smtp.say("quit").starts_with("221 "), "{what}");
        assert_eq!(smtp.rest(), "", "{what}");
    }
    assert!(gateway.arrivals().is_empty());
}

#[test]
fn a_refused_proxy_may_not_go_on_for_ever() {
    let block = Block::claim();
    let options = "proxy_required_hosts = \"127.0.0.1\"\nproxy_refusal = \"exim\"";
    let gateway = Gateway::start(block.own(0), options);
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.send(b"junk\r\n");
    assert!(smtp.reply().starts_with("220 "));
    let refused = (0..1_000).take_while(|_| smtp.say("NOOP").starts_with("503 ")).count();
    assert!(refused < 1_000);
}

#[test]
fn a_header_from_a_stranger_is_not_taken() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "proxy_required_hosts = \"192.0.2.25\"");
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.send(b"PROXY TCP4 192.0.2.1 198.51.100.25 5555 25\r\n");
    // It speaks before the banner, or is late and then unknown: in neither case is it believed.
    let reply = smtp.reply();
    assert!(reply.starts_with('5') || smtp.reply().starts_with('5'), "{reply}");
    gateway.line("127.0.0.1");
    assert!(!gateway.log().contains("[192.0.2.1]"));
}

#[test]
fn a_proxy_that_is_gone_at_once_does_no_harm() {
    let block = Block::claim();
    let gateway = Gateway::start(block.own(0), "proxy_required_hosts = \"127.0.0.1\"");
    for _ in 0..100 {
        let stream = TcpStream::connect(("127.0.0.1", gateway.port())).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    let mut smtp = Dialogue::connect(gateway.port());
    smtp.send(V2);
    assert!(smtp.reply().starts_with("220 "));
}

/// The text of 2014: the banner is not sent before the time of the header is over.
#[test]
fn the_banner_waits_for_the_header() {
    let block = Block::claim();
    let options = "proxy_required_hosts = \"127.0.0.1\"\nproxy_protocol_timeout = \"2s\"\n\
                   proxy_refusal = \"exim\"";
    let gateway = Gateway::start(block.own(0), options);
    let begun = Instant::now();
    let mut smtp = Dialogue::connect(gateway.port());
    assert!(smtp.reply().starts_with("220 "));
    // The clock of the gateway began later.
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// The list is expanded for each connection.
#[test]
fn the_list_of_proxies_is_looked_up_anew() {
    let block = Block::claim();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("proxies-{}", block.own(0)));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("proxies");
    fs::write(&path, "192.0.2.1: yes\n").unwrap();
    let (folder, file) = (folder.display(), path.display());
    let options = format!(
        "lookup_directories = \"{folder}\"\nproxy_required_hosts = \"${{lookup{{$sender_host_address}}lsearch{{{file}}}{{*}}{{}}}}\"\n\
         proxy_protocol_timeout = \"1s\""
    );
    let gateway = Gateway::start(block.own(0), &options);
    let mut smtp = Dialogue::connect(gateway.port());
    assert!(smtp.reply().starts_with("220 "));
    fs::write(&path, "127.0.0.1: yes\n").unwrap();
    assert_eq!(Dialogue::connect(gateway.port()).rest(), "");
    fs::remove_file(&path).unwrap();
    // Where the list cannot be told, a header is required.
    assert_eq!(Dialogue::connect(gateway.port()).rest(), "");
}
