//! The deadlines of a delivery, on a clock that a test has stopped: the runtime moves it to the next deadline when
//! nobody has anything else to do.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use mail_types::dns::{DnssecStatus, Zone};
use mail_types::smtp::{Reply, Severity};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::relay::{NextHop, Then, connect, message, next_hop, recipient, sender, settings};
use super::scenario::Scenario;
use crate::gateway::delivery::relay::Relay;
use crate::gateway::delivery::remote::{Demands, Remote};
use crate::gateway::delivery::settings::RemoteLimits;
use crate::gateway::events::origin::Origin;
use crate::gateway::smtp::client::Declared;

/// The replies to: connection, EHLO, MAIL, RCPT, DATA, the message.
const REPLIES: [&str; 6] = [
    "220 next.example\r\n",
    "250 next.example\r\n",
    "250 2.1.0 sender\r\n",
    "250 2.1.5 recipient\r\n",
    "354 go on\r\n",
    "250 2.0.0 queued\r\n",
];

/// A next hop with the limits that are in force without options.
fn patient(address: SocketAddr) -> NextHop {
    let mut next_hop = settings(address, Duration::ZERO);
    next_hop.settings.limits = RemoteLimits::default();
    next_hop
}

/// Sends a message as far as it goes; returns the last reply, and the seconds that all of it took.
async fn timed(next_hop: &NextHop, text: String) -> (String, u64) {
    let start = Instant::now();
    let last = sent(next_hop, text).await;
    (last.to_string(), start.elapsed().as_secs())
}

async fn sent(next_hop: &NextHop, text: String) -> Reply {
    let mut relay = match connect(next_hop).await {
        Ok(relay) => relay,
        Err(reply) => return reply,
    };
    let mut last = relay.mail(&sender(), Declared::default()).await;
    if last.code().severity() == Severity::Completed {
        last = relay.rcpt(&recipient()).await;
    }
    if last.code().severity() == Severity::Completed {
        last = relay.message(&message(text), &[0]).await.last;
    }
    relay.quit().await;
    last
}

const SLOW: &str = "451 4.4.2 the next hop did not answer in time";
/// The time for the reply to QUIT, which is waited for after each session that is not lost.
const QUIT: u64 = 2;

/// RFC 5321 section 4.5.3.2. The greeting and EHLO have less than its five minutes, since a client waits meanwhile.
#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_is_waited_for_as_long_as_the_standard_says() {
    for (turn, seconds) in [(0, 240), (1, 240), (2, 300), (3, 300), (4, 120), (5, 600)] {
        // Without any octet of the reply, and with half of it.
        for half in ["", REPLIES[turn].split_at(7).0] {
            let mut replies: Vec<_> = REPLIES[..turn].iter().map(ToString::to_string).collect();
            replies.push(half.to_owned());
            let (address, _task) = next_hop(replies, Then::Listen).await;
            let found = timed(&patient(address), "a: b\r\n\r\nc\r\n".to_owned()).await;
            assert_eq!(found, (SLOW.to_owned(), seconds), "{turn}: {half:?}");
        }
    }
    let (address, _task) = next_hop(REPLIES.map(ToOwned::to_owned).into(), Then::Listen).await;
    let found = timed(&patient(address), "a: b\r\n\r\nc\r\n".to_owned()).await;
    assert_eq!(found, ("250 2.0.0 queued".to_owned(), QUIT));
}

/// Each octet is in time for itself, the whole reply is not.
#[tokio::test(start_paused = true)]
async fn a_reply_that_comes_octet_by_octet_has_no_more_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for octet in REPLIES[0].bytes() {
            sleep(Duration::from_secs(30)).await;
            if stream.write_all(&[octet]).await.is_err() {
                return;
            }
        }
    });
    assert_eq!(timed(&patient(address), String::new()).await, (SLOW.to_owned(), 240));
    server.abort();
}

/// The server takes nothing of the message any more: three minutes for a block of it.
#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_more_of_a_message_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for (turn, reply) in REPLIES[..5].iter().enumerate() {
            while turn > 0 && stream.read_u8().await.unwrap() != b'\n' {}
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
        sleep(Duration::from_hours(2)).await;
    });
    let text = "a line of a long message\r\n".repeat(1_000_000);
    assert_eq!(timed(&patient(address), text).await, (SLOW.to_owned(), 180));
    server.abort();
}

/// The first host accepts connections at both of its addresses and says nothing. Each has half of the time that is
/// left, and the mail is at the second host within the four minutes for which the client waits.
#[tokio::test(start_paused = true)]
async fn silent_addresses_leave_time_for_the_next_host() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let silent_too = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), port)).await.unwrap();
    let sound = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 3), port)).await.unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = sound.accept().await.unwrap();
        for (turn, reply) in REPLIES[..3].iter().enumerate() {
            while turn > 0 && stream.read_u8().await.unwrap() != b'\n' {}
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
        sleep(Duration::from_hours(2)).await;
    });
    let zone = "next.example. MX 10 one.next.example.\nnext.example. MX 20 two.next.example.\n\
                one.next.example. A 127.0.0.1\none.next.example. A 127.0.0.2\n\
                two.next.example. A 127.0.0.3\n";
    let zone = Zone::parse(zone).unwrap().with_security(DnssecStatus::Insecure);
    let next_hop = patient(([127, 0, 0, 1], port).into());
    let lookups = Scenario::new().services.lookups;
    let remote = Remote::new(next_hop.settings, Arc::new(zone), lookups).unwrap();
    let route = format!("next.example/MX:{port}").parse().unwrap();
    let demands = Demands::default();
    let (origin, start) = (Origin::default(), Instant::now());
    let relay = Relay::connect(&remote, &route, demands, (&sender(), &recipient()), &origin).await;
    let mut relay = relay.map_err(|failure| failure.reply).unwrap();
    assert_eq!(start.elapsed().as_secs(), 120 + 60);
    let reply = relay.mail(&sender(), Declared::default()).await;
    assert_eq!(reply.to_string(), "250 2.1.0 sender");
    drop((silent, silent_too));
    server.abort();
}
