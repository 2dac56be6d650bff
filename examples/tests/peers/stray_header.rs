//! PROXY headers that nobody expects.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::Gateway;

const STRAY: &str = "PROXY header from [127.0.0.1], which proxy_required_hosts does not match: if it is a trusted \
                     proxy, add its address there";

/// A balancer that no option names says who its client is; the log says what to do.
#[test]
fn a_proxy_header_that_nobody_expects_is_told_with_its_option() {
    let block = Block::claim();
    let (clear, tls) = (block.own(0), block.own(1));
    let options = format!(
        "local_interfaces = '127.0.0.1.{clear} : 127.0.0.1.{tls}'\ntls_on_connect_ports = '{tls}'"
    );
    let mut gateway = Gateway::start_as_written(clear, &format!("{options}\n"));
    let v1 = b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n";
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x02\x7f\0\0\x01\0\x01\0\x19";
    let at_once = First::Client;
    for (port, header, start, first) in [
        (clear, &v1[..], 6, at_once),
        (clear, v2, 12, at_once),
        (clear, v1, 6, First::Banner),
        (clear, v2, 12, First::Banner),
        (tls, v1, 6, at_once),
        (tls, v2, 12, at_once),
    ] {
        // In one piece, octet by octet, and in two pieces of any length.
        let splits =
            [vec![], (1..start).collect()].into_iter().chain((1..=start).map(|at| vec![at]));
        // The log has ten refusals of a host. After the banner the four lines of a header of version 2 are
        // refused too, each with a line of its own.
        for splits in splits.collect::<Vec<_>>().chunks(2) {
            gateway.restart();
            for (at, split) in splits.iter().enumerate() {
                let rest = send_in_pieces(port, first, header, split, 20);
                // After the banner version 2 is lines, the last of which ends in a bare LF.
                let refused = rest.lines().last().is_some_and(|line| line.starts_with("554 "));
                assert!((port == tls || refused) && !rest.contains("250"), "{split:?}: {rest}");
                gateway.wait_for(&format!("a line, {split:?}"), |gateway| {
                    (gateway.log().matches(STRAY).count() == at + 1).then_some(())
                });
            }
        }
    }
}

/// The first piece arrives before the banner, and the next one when the rule's delay is over.
#[test]
fn a_proxy_header_that_begins_before_the_banner_is_told() {
    let block = Block::claim();
    let rule = "[[acl_smtp_connect]]\nverb = 'warn'\ndelay = '1s'\n";
    let mut gateway = Gateway::start(block.own(0), rule);
    let (v1, v2) =
        (&b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n"[..], &b"\r\n\r\n\0\r\nQUIT\n\x21\x11"[..]);
    // Another start, and one that does not go on, have no line.
    let others = [&b"EHLO a\r\n"[..], b"P", b"PING\r\n", b"\r\n", b"\r\n\r\n\r\n"];
    let headers = [(v1, 0), (v1, 1), (v1, 5), (v2, 0), (v2, 1), (v2, 11)];
    let port = gateway.port();
    thread::scope(|scope| {
        for (octets, split) in headers.into_iter().chain(others.map(|other| (other, 0))) {
            scope.spawn(move || {
                let splits = [split];
                let splits = if split == 0 { &[][..] } else { &splits };
                let rest = send_in_pieces(port, First::Client, octets, splits, 1300);
                let refusal = "554 5.5.0 SMTP synchronization error\r\n";
                assert_eq!(rest, refusal, "{octets:?} {split}");
            });
        }
    });
    gateway.wait_for("lines", |gateway| {
        (gateway.log().matches(STRAY).count() == headers.len()).then_some(())
    });
}

/// At a port with TLS on connect a client that says no more is not waited for.
#[test]
fn the_start_of_a_header_that_ends_with_the_connection_is_none() {
    let block = Block::claim();
    let port = block.own(0);
    let gateway = Gateway::start(port, &format!("tls_on_connect_ports = '{port}'"));
    for start in [&b""[..], b"P", b"PROXY", b"\r\n\r\n", b"PING\r\n", b"EHLO a\r\n"] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(start).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        // An alert may come back.
        let ended = stream.read_to_end(&mut Vec::new());
        let reset = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
        assert!(ended.as_ref().map_or_else(reset, |_| true), "{start:?}: {ended:?}");
    }
    assert!(!gateway.log().contains("PROXY header"), "{}", gateway.log());
}

/// The side that sends first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum First {
    Client,
    /// The server: the client waits for the whole banner.
    Banner,
}

/// Sends octets with pauses of so many milliseconds at these positions, and returns all that comes back after a banner
/// that was waited for. Once the start of a header is complete the server may close.
fn send_in_pieces(port: u16, first: First, octets: &[u8], splits: &[usize], pause: u64) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut smtp = Dialogue::new(stream.try_clone().unwrap(), stream.try_clone().unwrap());
    if first == First::Banner {
        assert!(smtp.reply().starts_with("220 "));
    }
    let ends = splits.iter().copied().chain([octets.len()]);
    let mut from = 0;
    for end in ends {
        if stream.write_all(&octets[from..end]).is_err() {
            break;
        }
        from = end;
        thread::sleep(Duration::from_millis(pause));
    }
    smtp.rest()
}

/// One balancer behind another.
#[test]
fn a_second_proxy_header_is_told() {
    let block = Block::claim();
    let mut gateway = Gateway::start(block.own(0), "proxy_required_hosts = '127.0.0.1'");
    let mut smtp = Dialogue::connect(gateway.port());
    let header = b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 25\r\n".repeat(2);
    smtp.send(&header);
    smtp.rest();
    gateway.line("a second PROXY header behind that of [127.0.0.1]");
}
