//! The limits of the lines of the log that a client causes, apart from refusals and rules.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use event_expand::{Effect, Event, EventName};
use mail_types::exim::Trust;
use proxy_protocol::ProxyInfo;
use tokio::net::TcpListener;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::events_queue::start;
use super::relay::{recipient, sender, settings_with};
use super::scenario::Scenario;
use super::scratch::Scratch;
use crate::gateway::delivery::proxied_client::ProxiedClient;
use crate::gateway::delivery::relay::Relay;
use crate::gateway::delivery::remote::{Demands, Remote};
use crate::gateway::events::origin::Origin;
use crate::gateway::events::raised_event::{Facts, RaisedEvent};
use crate::gateway::smtp::peer::Client;
use crate::gateway::telemetry::repeats::Repeats;

/// The number of lines with this text that some work logs in its thread.
async fn lines(folder: &Path, text: &str, work: impl Future<Output = ()>) -> usize {
    let path = folder.join("log");
    let file = Arc::new(File::create(&path).unwrap());
    let kept = tracing_subscriber::fmt().with_writer(file).finish().set_default();
    work.await;
    drop(kept);
    fs::read_to_string(&path).unwrap().lines().filter(|line| line.contains(text)).count()
}

/// Raises so many events with this action.
async fn raise(folder: &Path, action: &str, facts: &Facts, count: u32) {
    let events = start(folder, &format!("event_action = '{action}'\n"));
    for _ in 0..count {
        let event = Event::new(EventName::TlsCert).data(b"0", Trust::Trusted);
        let effect = events.ask(RaisedEvent::new(event, facts.clone())).await;
        assert_eq!(effect == Effect::RefuseVerification, action == "no");
    }
}

/// Each handshake may raise an event.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_fill_the_log_by_events() {
    let scratch = Scratch::new();
    let client = Facts::default().with("sender_host_address", b"192.0.2.1", Trust::Untrusted);
    for (action, text) in [
        ("no", "tls:cert event requests alternate response: no"),
        ("${eval:x}", "failed to expand event_action tls:cert in main: "),
    ] {
        for (facts, count) in [(&client, Repeats::RULES), (&Facts::default(), Repeats::RULES + 2)] {
            let raised = Box::pin(raise(scratch.path(), action, facts, Repeats::RULES + 2));
            let found = lines(scratch.path(), text, raised).await;
            assert_eq!(found, usize::try_from(count).unwrap(), "{action}");
        }
    }
}

/// Each recipient may cause a connection.
#[tokio::test]
async fn a_client_cannot_fill_the_log_by_deliveries_that_fail() {
    let scratch = Scratch::new();
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ends = ["192.0.2.1:4711", "198.51.100.1:25"].map(|end| end.parse().unwrap());
    let client = ProxiedClient::of(&Client::new(ProxyInfo::direct(ends[0]), ends[1]));
    let services = Scenario::new().services;
    for (options, of_each) in
        [("", 1), ("[remote_smtp]\nhosts_require_tls = '${eval:$host_address}'", 2)]
    {
        for (client, most) in [(Some(client), Repeats::DELIVERIES), (None, u32::MAX)] {
            let next_hop = settings_with(options, address, Duration::from_secs(20));
            let (resolver, lookups) = (services.resolver.clone(), services.lookups.clone());
            let remote = Remote::new(next_hop.settings, resolver, lookups).unwrap();
            let connect = async {
                for _ in 0..Repeats::DELIVERIES + 2 {
                    let demands = Demands { client, ..Demands::default() };
                    let (origin, mail) = (Origin::default(), (&sender(), &recipient()));
                    let relay = Relay::connect(&remote, &next_hop.route, demands, mail, &origin);
                    relay.await.unwrap_err();
                }
            };
            let found = lines(scratch.path(), "", connect).await;
            let expected = (of_each * (Repeats::DELIVERIES + 2)).min(most);
            assert_eq!(found, usize::try_from(expected).unwrap(), "{options}");
        }
    }
}
