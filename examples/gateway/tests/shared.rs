//! Recipients of several domains with one next hop, and policies that cannot be read.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use mail_types::dns::{DnssecStatus, Zone};

use super::gateway::{Running, hop};
use super::relay::settings;
use super::scenario::Scenario;
use super::scratch::Scratch;
use crate::gateway::delivery::hosts::NoHosts;
use crate::gateway::delivery::remote::{Demands, Outbound, Remote, TlsDemand};

const REPLIES: [&str; 5] =
    ["220 next\r\n", "250 next\r\n", "250 sender\r\n", "250 first\r\n", "250 second\r\n"];

/// What the gateway says to the recipients of two domains, where this is an option of the next hop.
async fn said(option: &str) -> [String; 2] {
    let (address, _task) = hop(&REPLIES).await;
    let options = format!(
        "relay_to_domains = 'plain.example : secret.example'\nroute_data = '{address}'\n{option}\n"
    );
    let running = Running::start(&options).await;
    let mut client = running.client().await;
    client.say("EHLO client.example").await;
    client.say("MAIL FROM:<ann@client.example>").await;
    let first = client.say("RCPT TO:<a@plain.example>").await;
    let second = client.say("RCPT TO:<b@secret.example>").await;
    drop(client);
    running.end().await;
    [first, second]
}

/// An option by the domain of the recipient is not that of the first recipient's.
#[tokio::test]
async fn recipients_of_two_domains_share_no_connection_where_an_option_depends_on_the_domain() {
    for option in [
        "remote_smtp.hosts_require_tls = '${if eq{$domain}{secret.example}{*}}'",
        "hostlist.secure = '${if eq{$domain}{secret.example}{*}}'\nremote_smtp.hosts_require_tls = '+secure'",
    ] {
        let [first, second] = said(option).await;
        assert!(first.starts_with("250 "), "{first}");
        assert!(second.starts_with("452 4.5.3 "), "{option}: {second}");
    }
    let [first, second] = said("remote_smtp.hosts_require_tls = '${if eq{$host}{x}{*}}'").await;
    assert!(first.starts_with("250 ") && second.starts_with("250 "), "{first}{second}");
}

/// A policy that another program has half written may forbid clear text.
#[tokio::test]
async fn mail_waits_for_a_policy_that_cannot_be_read() {
    let scratch = Scratch::new();
    let zone = "next.example. MX 10 mx.next.example.\nmx.next.example. A 127.0.0.1\n";
    for (text, defers) in [
        ("version: STSv1\nmode: enf", true),
        ("version: STSv1\nmode: enforce\nmx: mx.next.example\nmax_age: 600\n", false),
    ] {
        fs::write(scratch.path().join("next.example"), text).unwrap();
        let mut settings = settings(([127, 0, 0, 1], 25).into(), Duration::from_secs(5)).settings;
        settings.mta_sts_directory = Some(scratch.path().to_owned());
        let zone = Zone::parse(zone).unwrap().with_security(DnssecStatus::Insecure);
        let lookups = Scenario::new().services.lookups;
        let remote = Remote::new(settings, Arc::new(zone), lookups).unwrap();
        let route = "next.example/MX:25".parse().unwrap();
        let demands = Demands::default();
        let outbound = Outbound { route: &route, domain: "next.example", demands };
        match remote.find(outbound, Duration::from_secs(5)).await {
            Err(NoHosts::Deferred { reason, .. }) => {
                assert!(defers && reason.contains("MTA-STS policy"), "{reason}");
            }
            found => {
                let action = found.unwrap().hosts.list[0].policy.action.as_str();
                assert!(!defers && action == "mta-sts", "{text}: {action}");
            }
        }
        let waived =
            Outbound { demands: Demands { tls: TlsDemand::Waived, ..demands }, ..outbound };
        assert!(remote.find(waived, Duration::from_secs(5)).await.is_ok());
    }
    // A folder that is not there is no folder without policies.
    let mut settings = settings(([127, 0, 0, 1], 25).into(), Duration::from_secs(5)).settings;
    settings.mta_sts_directory = Some(scratch.path().join("none"));
    let zone = Arc::new(Zone::default());
    let error = Remote::new(settings, zone, Scenario::new().services.lookups).err().unwrap();
    assert!(error.to_string().ends_with("none is not a directory"), "{error}");
}
