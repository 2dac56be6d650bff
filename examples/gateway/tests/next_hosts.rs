//! The next host, where the first one has no room or falls silent, and the PROXY header for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use mail_types::dns::{DnssecStatus, Zone};
use mail_types::smtp::Reply;
use proxy_protocol::{Endpoints, Header, ProxyInfo};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::relay::{recipient, sender, settings, settings_with};
use super::scenario::Scenario;
use crate::gateway::delivery::proxied_client::ProxiedClient;
use crate::gateway::delivery::relay::Relay;
use crate::gateway::delivery::remote::{Demands, Remote};
use crate::gateway::delivery::settings::RemoteLimits;
use crate::gateway::events::origin::Origin;
use crate::gateway::smtp::client::{Declared, Needs};
use crate::gateway::smtp::peer::Client;

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
    let needs = Needs { size, ..Needs::default() };
    let demands = Demands { needs, ..Demands::default() };
    let origin = Origin::default();
    let relay = Relay::connect(&remote, &route, demands, (&sender(), &recipient()), &origin).await;
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
#[cfg(feature = "test-util")]
#[tokio::test(start_paused = true)]
async fn a_silent_handshake_leaves_time_for_clear_text() {
    let start = tokio::time::Instant::now();
    assert_eq!(reply(&["STARTTLS"], 1).await.to_string(), "250 ok");
    assert_eq!(start.elapsed().as_secs(), 120);
}

/// The header for a client of these ends.
#[tokio::test]
async fn the_addresses_of_the_client_come_before_the_session() {
    for (source, destination, expected) in [
        ("192.0.2.7:4711", "198.51.100.1:25", "192.0.2.7:4711 198.51.100.1:25"),
        ("[2001:db8::7]:4711", "[2001:db8::1]:25", "[2001:db8::7]:4711 [2001:db8::1]:25"),
        // A client that a proxy took by IPv6, and the address by IPv4 that took the proxy's connection.
        ("[2001:db8::7]:4711", "198.51.100.1:25", "[2001:db8::7]:4711 [::ffff:198.51.100.1]:25"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut octets = vec![0; 16];
            stream.read_exact(&mut octets).await.unwrap();
            let length = usize::from(u16::from_be_bytes([octets[14], octets[15]]));
            octets.resize(16 + length, 0);
            stream.read_exact(&mut octets[16..]).await.unwrap();
            stream.write_all(b"421 seen\r\n").await.unwrap();
            octets
        });
        let client = ProxyInfo::direct(source.parse().unwrap());
        let client = ProxiedClient::of(&Client::new(client, destination.parse().unwrap()));
        let next_hop = settings_with(
            "[remote_smtp]\nhosts_send_proxy = '127.0.0.1'",
            address,
            Duration::from_secs(20),
        );
        let services = Scenario::new().services;
        let remote = Remote::new(next_hop.settings, services.resolver, services.lookups).unwrap();
        let demands = Demands { client: Some(client), ..Demands::default() };
        let origin = Origin::default();
        let mail = (&sender(), &recipient());
        let relay = Relay::connect(&remote, &next_hop.route, demands, mail, &origin).await;
        relay.unwrap_err();
        let octets = task.await.unwrap();
        let (rest, header) = Header::parse(&octets).unwrap();
        assert!(rest.is_empty());
        let Endpoints::Inet { source, destination, .. } = header.endpoints else {
            panic!("{header:?}")
        };
        assert_eq!(format!("{source} {destination}"), expected);
    }
}
