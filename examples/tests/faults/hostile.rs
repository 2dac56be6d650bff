//! Hostile clients, beside honest ones that all get their 250.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::clients::attempt;
use super::fault::{Gateway, lasting};
use super::next_hop::{self, At, Fault};
use super::secure_hop;
use crate::load::sender::{Connection, Numbers};

/// Attacks, once and then for as long as a fault lasts, while honest clients send at a rate of their own, each
/// message over a new connection or all over one; returns what the last attack does. How much of their rate they
/// keep is printed.
fn beside_honest<T>(
    gateway: &Gateway,
    name: &str,
    honest: Honest,
    mut attack: impl FnMut() -> T,
) -> T {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let end = End(&ended);
        let client = |number| {
            scope.spawn({
                let ended = &ended;
                move || honest.send_until(gateway, number, ended)
            })
        };
        let clients: Vec<_> = (0..4).map(client).collect();
        while gateway.mail().len() < clients.len() {
            assert!(clients.iter().all(|client| !client.is_finished()), "a client has failed");
            thread::sleep(Duration::from_millis(20));
        }
        let (before, begun) = (gateway.mail().len(), Instant::now());
        let result = loop {
            let result = attack();
            if begun.elapsed() >= lasting() {
                break result;
            }
        };
        drop(end);
        let seconds = begun.elapsed().as_secs_f64();
        let count: u32 = clients.into_iter().map(|client| client.join().unwrap()).sum();
        let beside = f64::from(count) - f64::from(u32::try_from(before).unwrap());
        let kept = 100.0 * beside * EVERY.as_secs_f64() / (4.0 * seconds);
        eprintln!(
            "fault: {count} messages of honest clients beside {name}, {kept:.0} % of their rate"
        );
        result
    })
}

/// The connections of an honest client.
#[derive(Clone, Copy)]
enum Honest {
    /// One for each message.
    New,
    /// One for all messages.
    Kept,
}

impl Honest {
    /// Sends a message after the other at its rate until the end; each is answered 250. Returns how many.
    fn send_until(self, gateway: &Gateway, client: u64, ended: &AtomicBool) -> u32 {
        let (begun, mut count, mut kept) = (Instant::now(), 0, None);
        let mut numbers = Numbers::new(client);
        while !ended.load(Ordering::Acquire) {
            thread::sleep((EVERY * count).saturating_sub(begun.elapsed()));
            let mut connection =
                kept.take().unwrap_or_else(|| Connection::open(&gateway.address).unwrap());
            connection.send(&format!("honest-{client}-{count}"), 100, &mut numbers).unwrap();
            if matches!(self, Self::Kept) {
                kept = Some(connection);
            }
            count += 1;
        }
        count
    }
}

/// Tells clients to end, when the attack is over or has failed.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A connection whose first reply is read; `None` if it was reset before.
fn connect(gateway: &Gateway) -> Option<(TcpStream, String)> {
    let stream = TcpStream::connect(&gateway.address).ok()?;
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut room = [0; 512];
    let length = (&stream).read(&mut room).ok()?;
    Some((stream, String::from_utf8_lossy(&room[..length]).into_owned()))
}

/// Says `start`, waits for a reply that begins with `awaited`, and sends the rest as far as the server takes it; returns all
/// replies until the server closes the connection.
fn say(
    gateway: &Gateway,
    start: &str,
    awaited: &str,
    rest: impl Iterator<Item = Vec<u8>> + Send,
) -> String {
    let (stream, mut replies) = connect(gateway).unwrap();
    let (mut reader, mut writer) = (&stream, &stream);
    thread::scope(|scope| {
        // Of ten thousand commands, whose replies must be read meanwhile.
        scope.spawn(|| (&stream).write_all(start.as_bytes()));
        let mut room = [0; 1 << 12];
        while !replies.lines().any(|line| line.starts_with(awaited)) {
            let length = reader.read(&mut room).unwrap();
            assert!(length > 0, "{replies}");
            replies += &String::from_utf8_lossy(&room[..length]);
        }
        scope.spawn(move || {
            for piece in rest {
                if writer.write_all(&piece).is_err() {
                    return;
                }
            }
            let _ = writer.shutdown(Shutdown::Write);
        });
        let mut last = Vec::new();
        // A server that has heard enough resets the connection.
        let _: io::Result<usize> = reader.read_to_end(&mut last);
        // Octets that the server does not read must not hold up the writer.
        let _ = stream.shutdown(Shutdown::Both);
        replies + &String::from_utf8_lossy(&last)
    })
}

fn once(text: &str) -> std::option::IntoIter<Vec<u8>> {
    Some(text.as_bytes().to_vec()).into_iter()
}

/// As many files as the system allows: each connection is one.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

const START: &str = "EHLO client.test\r\nMAIL FROM:<a@client.test>\r\nRCPT TO:<b@local.test>\r\n";

#[test]
fn a_thousand_slow_senders_hold_up_nobody() {
    allow_many_files();
    let gateway = Gateway::start("faults-slow", "");
    let before = gateway.memory();
    let held = beside_honest(&gateway, "slow senders", Honest::New, || {
        let text = format!("{START}DATA\r\nSubject: slow\r\n\r\n{}", "x\r\n".repeat(1000));
        let open = |_| connect(&gateway).unwrap().0;
        let slow: Vec<_> = (0..1000).map(open).collect();
        let end = Instant::now() + lasting();
        for octet in text.as_bytes().chunks(1) {
            for mut stream in &slow {
                stream.write_all(octet).unwrap();
            }
            if Instant::now() > end {
                break;
            }
            thread::sleep(Duration::from_secs(1));
        }
        slow
    });
    let grown = gateway.memory().saturating_sub(before);
    assert!(grown < 1000 * 64 + SLACK, "{grown} KiB more");
    drop(held);
}

#[test]
fn a_flood_of_connections_ends_at_its_limit_and_does_not_last() {
    allow_many_files();
    let gateway = Gateway::start("faults-flood", "smtp_accept_max = 200");
    let before = gateway.memory();
    let (mut taken, mut refused) = (0, 0);
    // The honest ones keep their connections, and the flood takes all that is left.
    beside_honest(&gateway, "a flood of connections", Honest::Kept, || {
        let wave: Vec<_> = (0..500).filter_map(|_| connect(&gateway)).collect();
        let here = wave.iter().filter(|(_, reply)| reply.starts_with("220 ")).count();
        assert!(here <= 200, "{here} connections");
        let full = |reply: &str| reply.starts_with("421 4.3.2 ");
        refused += wave.iter().filter(|(_, reply)| full(reply)).count();
        taken += here;
    });
    assert!(taken > 0 && refused > 300, "{taken} and {refused}");
    let grown = gateway.memory().saturating_sub(before);
    assert!(grown < 200 * 64 + SLACK, "{grown} KiB more");
    let end = Instant::now() + Duration::from_secs(10);
    while connect(&gateway).is_none_or(|(_, reply)| !reply.starts_with("220 ")) {
        assert!(Instant::now() < end, "the flood lasts");
    }
}

#[test]
fn lines_of_100_megabytes_are_refused_and_not_kept() {
    let gateway =
        Gateway::start("faults-lines", "message_size_limit = '4M'\nmessage_memory_limit = '16M'");
    let before = gateway.memory();
    let long = || (0..1600).map(|_| vec![b'x'; 1 << 16]);
    let data = format!("{START}DATA\r\n");
    let end = "\r\n.\r\nQUIT\r\n";
    beside_honest(&gateway, "long lines", Honest::New, || {
        for (start, awaited, first, code) in [
            ("", "220 ", "", "500 5.5.2 "),
            (&*data, "354 ", "", "552 5.3.4 "),
            (&data, "354 ", "Subject: a\r\n\r\n", "552 5.3.4 "),
            (START, "250 2.1.5 ", "BDAT 104857600 LAST\r\n", "552 5.3.4 "),
        ] {
            let text = once(first).chain(long()).chain(once(end));
            let replies = say(&gateway, start, awaited, text);
            let is_refused = replies.lines().any(|line| line.starts_with(code));
            assert!(is_refused, "{start}{first}: {replies}");
        }
    });
    let grown = gateway.memory().saturating_sub(before);
    assert!(grown < (16 << 10) + SLACK, "{grown} KiB more");
}

/// A server that took other ends of a message than CR LF, dot, CR LF would see two messages.
#[test]
fn a_message_hides_no_other() {
    let gateway = Gateway::start("faults-smuggling", "event_action = ''");
    let hidden =
        format!("{START}DATA\r\nSubject: hidden\r\n\r\nx\r\n").replace("EHLO client.test\r\n", "");
    let mut kept = 0;
    beside_honest(&gateway, "smuggling", Honest::New, || {
        for (end, is_text) in ENDS {
            let text = format!("Subject: seen\r\n\r\nx{end}{hidden}.\r\nQUIT\r\n");
            let replies = say(&gateway, &format!("{START}DATA\r\n"), "354 ", once(&text));
            let expected = if is_text { "250 2.0.0 OK id=" } else { "554 5.6.0 bare CR or LF" };
            assert!(replies.contains(expected), "{end:?}: {replies}");
            assert_eq!(replies.matches("354 ").count(), 1, "{end:?}: {replies}");
            kept += usize::from(is_text);
        }
    });
    // All is in the Maildir at the end.
    let folder = gateway.files.path("mail/new");
    assert!(gateway.program.stop().success());
    let files = fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()));
    let subjects = files.filter(|text| text.as_ref().unwrap().contains("Subject: seen\r\n"));
    assert_eq!(subjects.count(), kept);
    drop(gateway.files);
}

/// Ends of a line and of a message, and whether they are text of it.
const ENDS: [(&str, bool); 12] = [
    ("\n.\n", false),
    ("\n.\r\n", false),
    ("\r\n.\n", false),
    ("\r.\r", false),
    ("\r.\r\n", false),
    ("\r\n.\r", false),
    ("\n\r\n.\n\r\n", false),
    ("\r\r\n.\r\r\n", false),
    ("\r\n..\r\n", true),
    ("\r\n. \r\n", true),
    ("\r\n.\0\r\n", true),
    ("\r\n.\t.\r\n", true),
];

#[test]
fn what_is_said_in_clear_before_tls_is_not_heard_within() {
    let gateway = Gateway::start("faults-starttls", "");
    beside_honest(&gateway, "commands before TLS", Honest::New, || {
        for behind in ["MAIL FROM:<a@client.test>\r\n", "EHLO client.test\r\n", "\0", "x"] {
            let text = format!("EHLO client.test\r\nSTARTTLS\r\n{behind}");
            let replies = say(&gateway, "", "220 ", once(&text));
            let last = replies.lines().last().unwrap();
            assert!(last.starts_with("554 5.5.0 "), "{behind:?}: {replies}");
            assert_eq!(replies.matches("220 ").count(), 1, "{behind:?}: {replies}");
        }
    });
}

/// Next hops that never end a reply, and those whose certificates and TLSA records are at the limits: beside them, mail to
/// the Maildir goes on.
#[test]
fn hostile_next_hops_hold_up_nobody() {
    let (hop, gateway) = next_hop::start("faults-hostile-hop");
    let before = gateway.memory();
    beside_honest(&gateway, "a next hop that floods", Honest::New, || {
        for fault in [Fault::Flood, Fault::LongLine] {
            hop.begin(fault, At::Ehlo);
            let answer = attempt(&gateway.address, &next_hop::RELAYED).answer;
            hop.end();
            assert!(answer.is_deferred(), "{fault:?}: {answer:?}");
        }
    });
    let grown = gateway.memory().saturating_sub(before);
    assert!(grown < 32 << 10, "{grown} KiB more");
    for (stage, is_taken) in secure_hop::at_the_limits("faults-hostile-sets") {
        let gateway = &stage.gateway;
        let answer =
            beside_honest(gateway, "chains and TLSA records at the limits", Honest::New, || {
                attempt(&gateway.address, &secure_hop::RELAYED).answer
            });
        assert_eq!(answer.is_taken(), is_taken, "{answer:?}");
    }
}

#[test]
fn ten_thousand_recipients_are_a_thousand() {
    let gateway = Gateway::start("faults-recipients", "");
    let before = gateway.memory();
    let replies = beside_honest(&gateway, "10,000 recipients", Honest::New, || {
        let mut recipients = String::new();
        for at in 0..10_000 {
            writeln!(recipients, "RCPT TO:<r{at}@local.test>\r").unwrap();
        }
        let start = "EHLO client.test\r\nMAIL FROM:<a@client.test>\r\n";
        let start = format!("{start}{recipients}DATA\r\n");
        say(&gateway, &start, "354 ", once("Subject: a\r\n\r\nb\r\n.\r\nQUIT\r\n"))
    });
    assert_eq!(replies.matches("250 2.1.5 ").count(), 1000);
    assert_eq!(replies.matches("452 4.5.3 ").count(), 9000);
    assert!(replies.contains("250 2.0.0 OK id="), "the message is taken");
    let grown = gateway.memory().saturating_sub(before);
    assert!(grown < SLACK, "{grown} KiB more");
}

#[test]
fn a_stranger_with_a_proxy_header_is_sent_away() {
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\x12\x34\0\x19";
    let v1 = b"PROXY TCP4 192.0.2.1 198.51.100.25 5555 25\r\nEHLO a.test\r\n";
    let gateway = Gateway::start("faults-proxy", "");
    beside_honest(&gateway, "PROXY headers", Honest::New, || {
        for header in [&v1[..], v2] {
            let mut stream = TcpStream::connect(&gateway.address).unwrap();
            stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
            stream.write_all(header).unwrap();
            let mut replies = Vec::new();
            let _ = stream.read_to_end(&mut replies);
            let replies = String::from_utf8_lossy(&replies);
            let last = replies.lines().last().unwrap_or_default();
            assert!(last.starts_with("554 5."), "{replies}");
            assert!(!replies.contains("250"), "{replies}");
        }
    });
}

/// The time from one message of an honest client to its next.
const EVERY: Duration = Duration::from_millis(40);
/// The memory that the gateway may use beside the limits, in KiB.
const SLACK: usize = 24 << 10;
