//! The next host, where the first one has no room or falls silent.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use mail_types::dns::{DnssecStatus, Zone};
use mail_types::smtp::Reply;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use super::relay::{recipient, sender, settings};
use super::scenario::Scenario;
use crate::gateway::delivery::relay::Relay;
use crate::gateway::delivery::remote::{Remote, TlsDemand};
use crate::gateway::delivery::settings::RemoteLimits;
use crate::gateway::events::origin::Origin;
use crate::gateway::smtp::client::{Declared, Needs};

/// Hosts that offer these extensions, in the order of preference; one that offers STARTTLS says nothing in the
/// handshake.
async fn hosts(offers: &[&'static str]) -> u16 {
    let mut port = 0;
    for (offer, last) in offers.iter().copied().zip(2..) {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, last), port)).await.unwrap();
        port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, offer));
            }
        });
    }
    port
}

async fn answer(stream: TcpStream, offer: &str) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 next\r\n").await.unwrap();
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|octets| octets > 0) {
        let reply = match line.split_whitespace().next().unwrap_or_default() {
            "EHLO" => format!("250-next\r\n250 {offer}\r\n"),
            "STARTTLS" => "220 go\r\n".to_owned(),
            _ => "250 ok\r\n".to_owned(),
        };
        stream.write_all(reply.as_bytes()).await.unwrap();
        if line.starts_with("STARTTLS") {
            sleep(Duration::from_hours(2)).await;
        }
        line.clear();
    }
}

/// Connects for a message of this size; returns the reply to MAIL, or the one instead of a connection.
async fn reply(offers: &[&'static str], size: u64) -> Reply {
    let port = hosts(offers).await;
    let records = offers.iter().zip(2..).map(|(_, last)| {
        format!("next.example. MX {last} mx{last}.next.example.\nmx{last}.next.example. A 127.0.0.{last}\n")
    });
    let zone = Zone::parse(&records.collect::<String>()).unwrap();
    let mut settings = settings(SocketAddr::from(([127, 0, 0, 1], port)), Duration::ZERO).settings;
    settings.limits = RemoteLimits::default();
    let lookups = Scenario::new().services.lookups;
    let zone = Arc::new(zone.with_security(DnssecStatus::Insecure));
    let remote = Remote::new(settings, zone, lookups).unwrap();
    let route = format!("next.example/MX:{port}").parse().unwrap();
    let demands = (TlsDemand::None, Needs { size, ..Needs::default() });
    let origin = Origin::default();
    let relay = Relay::connect(&remote, &route, demands, &recipient(), &origin).await;
    match relay {
        Ok(mut relay) => relay.mail(&sender(), Declared { size, ..Declared::default() }).await,
        Err(failure) => failure.reply,
    }
}

#[tokio::test]
async fn the_next_host_gets_a_message_that_is_too_large_for_the_first() {
    let said = |offers: &'static [&'static str]| async { reply(offers, 500).await.to_string() };
    assert_eq!(said(&["SIZE 100", "SIZE 1000"]).await, "250 ok");
    assert_eq!(said(&["SIZE 100", "SIZE 200", "SIZE"]).await, "250 ok");
    let too_large = "552 5.3.4 message too large for the next hop";
    assert_eq!(said(&["SIZE 100", "SIZE 200"]).await, too_large);
    assert_eq!(said(&["SIZE 100"]).await, too_large);
}

/// The only host falls silent in the handshake: half of the four minutes is left for clear text.
#[tokio::test(start_paused = true)]
async fn a_silent_handshake_leaves_time_for_clear_text() {
    let start = Instant::now();
    assert_eq!(reply(&["STARTTLS"], 1).await.to_string(), "250 ok");
    assert_eq!(start.elapsed().as_secs(), 120);
}
