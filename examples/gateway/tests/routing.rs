//! Routing of recipients, and the trace fields of a message.

use std::fs;
use std::path::Path;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::scenario::Scenario;
use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::delivery::routing::Route;
use crate::gateway::lookups::engines::Engines;
use crate::gateway::message::id::MessageId;
use crate::gateway::message::trace_fields::{Received, delivery};
use crate::gateway::policy::stage::Stage;
use crate::gateway::smtp::peer::protocol;
use crate::gateway::smtp::session::Greeting;
use crate::gateway::smtp::transaction::hops;

async fn routed(config: &Config, recipient: &str) -> String {
    route(Scenario::new().with_mail("<ann@a.example>", recipient), config).await
}

async fn route(mut scenario: Scenario, config: &Config) -> String {
    match scenario.route(&config.server.live.routing).await {
        Ok(Route::Local(_)) => "Local".to_owned(),
        Ok(Route::Relay(_)) => "Relay".to_owned(),
        Err(reply) => reply.to_string().get(..9).unwrap_or_default().to_owned(),
    }
}

/// With the lookups of a configuration.
fn scenario(config: &Config, recipient: &str) -> Scenario {
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", recipient);
    scenario.services.lookups = Arc::new(Engines::new(&config.server.live.lookups).unwrap());
    scenario
}

#[tokio::test]
async fn a_foreign_recipient_is_refused() {
    let config = Config::parse(
        "primary_hostname = 'mx.example'\nlocal_domains = 'a.example : [192.0.2.1]'\nlocal_parts = 'Ann : bob'\n\
         relay_to_domains = 'relay.example'\nroute_data = '127.0.0.1:1'",
    )
    .unwrap();
    for (recipient, expected) in [
        ("ann@a.example", "Local"),
        ("BOB@A.EXAMPLE", "Local"),
        ("bob@[192.0.2.1]", "Local"),
        ("postmaster@mx.example", "Local"),
        ("Postmaster@a.example", "Local"),
        ("any@relay.example", "Relay"),
        ("carl@a.example", "550 5.1.1"),
        ("any@sub.relay.example", "550 5.7.1"),
        ("ann@b.example", "550 5.7.1"),
        ("ann@[192.0.2.2]", "550 5.7.1"),
        ("any%relay.example@b.example", "550 5.7.1"),
    ] {
        assert_eq!(routed(&config, recipient).await, expected, "{recipient}");
    }
}

/// The client would choose the address of a connection.
#[tokio::test]
async fn a_domain_that_is_an_address_has_no_next_hop() {
    for route in ["$domain", "$domain/MX", "127.0.0.1:1"] {
        let text = format!("relay_to_domains = '*'\nroute_data = '{route}'");
        let config = Config::parse(&text).unwrap();
        for (recipient, expected) in [
            ("u@127.0.0.1", "550 5.1.2"),
            ("u@127.1", "550 5.1.2"),
            ("u@0x7f.1", "550 5.1.2"),
            ("u@2130706433", "550 5.1.2"),
            ("u@a.1", "550 5.1.2"),
            ("u@[127.0.0.1]", "550 5.7.1"),
            ("u@127.0.0.1.example", "Relay"),
            ("u@1a", "Relay"),
        ] {
            assert_eq!(routed(&config, recipient).await, expected, "{route} {recipient}");
        }
    }
}

#[tokio::test]
async fn the_lists_of_routing_are_exims() {
    for (option, list, recipient, expected) in [
        ("local_parts", "!root : *", "root@a.example", "550 5.1.1"),
        ("local_parts", "!root : *", "Root@a.example", "550 5.1.1"),
        ("local_parts", "!root : *", "ann@a.example", "Local"),
        ("local_parts", "!root", "ann@a.example", "Local"),
        ("local_parts", "! root", "root@a.example", "550 5.1.1"),
        ("local_parts", r"!^r..t\\$ : *", "root@a.example", "550 5.1.1"),
        ("local_parts", "^[ab]", "bob@a.example", "Local"),
        ("local_parts", "^[ab]", "carl@a.example", "550 5.1.1"),
        ("local_parts", "*-list", "dev-list@a.example", "Local"),
        ("local_parts", "", "ann@a.example", "550 5.1.1"),
        ("local_parts", "", "postmaster@a.example", "Local"),
        ("local_parts", "+staff", "ann@a.example", "Local"),
        ("local_parts", "+staff", "carl@a.example", "550 5.1.1"),
        ("local_parts", "${if eq{$domain}{a.example}{ann}{}}", "ann@a.example", "Local"),
        ("local_parts", "${if eq{$domain}{a.example}{ann}{}}", "bob@a.example", "550 5.1.1"),
        ("local_parts", "+by_domain", "ann@a.example", "Local"),
        ("local_parts", "${lookup sqlite{SELECT 1}}", "ann@a.example", "451 4.3.0"),
        ("local_parts", "${if eq{a}{b}{x}fail}", "ann@a.example", "550 5.1.1"),
        ("local_domains", "!b.example : *.example", "ann@b.example", "550 5.7.1"),
        ("local_domains", "!b.example : *.example", "ann@c.example", "Local"),
        ("local_domains", r"^m\\\\d+\\\\.example\\$", "ann@m12.example", "Local"),
        ("local_domains", "+named", "ann@c.example", "Local"),
        ("local_domains", "bücher.example", "ann@xn--bcher-kva.example", "Local"),
        ("relay_to_domains", "!r.example : *", "ann@r.example", "550 5.7.1"),
        ("relay_to_domains", "!r.example : *", "ann@s.example", "Relay"),
        ("relay_to_domains", "*", "ann@[192.0.2.9]", "550 5.7.1"),
        ("relay_to_domains", "${lc:$domain}", "ann@s.example", "Relay"),
    ] {
        let mut options = vec![
            ("local_domains", "a.example"),
            ("local_parts", "*"),
            ("relay_to_domains", "r.test"),
        ];
        options.retain(|(name, _)| *name != option);
        options.push((option, list));
        let lines = options.iter().map(|(name, list)| format!("{name} = \"{list}\"\n"));
        let text = lines.collect::<String>()
            + "primary_hostname = 'mx.example'\nroute_data = '127.0.0.1:1'\n\
               [domainlist]\nnamed = 'c.example'\n[localpartlist]\nstaff = 'ann : bob'\nby_domain = '${if eq{$domain}{a.example}{ann}}'";
        let config = Config::parse(&text).unwrap_or_else(|error| panic!("{list}: {error}"));
        assert_eq!(routed(&config, recipient).await, expected, "{recipient}, {option} = {list}");
    }
}

/// What a list looks up is there, is not there, or cannot be told: in a file, in a database, and by a named
/// list.
#[tokio::test]
async fn a_list_may_be_looked_up() {
    const LOOKUPS: [&str; 5] = [
        "lsearch;DIR/lists/keys",
        "x : lsearch;DIR/lists/keys",
        "${lookup{KEY}lsearch{DIR/lists/keys}{KEY}}",
        "${lookup sqlite{SELECT name FROM keys WHERE name = '${quote_sqlite:KEY}'}}",
        "+named",
    ];
    let (parts, domains) = ("$local_part", "$domain");
    for (option, key, there, absent, found) in [
        ("local_parts", parts, "ann@a.example", "bob@a.example", ["Local", "550 5.1.1"]),
        ("local_domains", domains, "ann@in.example", "ann@out.example", ["Local", "550 5.7.1"]),
        ("relay_to_domains", domains, "ann@in.example", "ann@out.example", ["Relay", "550 5.7.1"]),
    ] {
        for list in LOOKUPS {
            let scratch = Scratch::new();
            let folder = scratch.path();
            make_keys(folder);
            let list = list.replace("KEY", key);
            let options = lookups(folder, option, &list);
            let config = Config::parse(&options).unwrap_or_else(|error| panic!("{list}: {error}"));
            for (recipient, expected) in [(there, found[0]), (absent, found[1])] {
                let route = route(scenario(&config, recipient), &config).await;
                assert_eq!(route, expected, "{option} = {list}: {recipient}");
                assert_eq!(refused(&config, recipient).await, "", "{option} = {list}");
            }
            // Nobody can tell: the sender tries again, whoever it is for.
            fs::remove_dir_all(folder.join("lists")).unwrap();
            let keys = rusqlite::Connection::open(folder.join("gateway.sqlite")).unwrap();
            keys.execute("DROP TABLE keys", []).unwrap();
            for recipient in [there, absent] {
                let route = route(scenario(&config, recipient), &config).await;
                assert_eq!(route, "451 4.3.0", "{option} = {list}: {recipient}");
            }
            // Who is local by name is not looked up.
            if option == "local_parts" {
                let postmaster = scenario(&config, "postmaster@a.example");
                assert_eq!(route(postmaster, &config).await, "Local", "{list}");
            }
        }
    }
}

/// The same lists as conditions of a rule: one that cannot be told defers.
#[tokio::test]
async fn a_list_of_a_rule_may_be_looked_up() {
    for list in ["lsearch;DIR/lists/keys", "${lookup sqlite{SELECT name FROM keys}}", "+named"] {
        for (condition, there, absent) in [
            ("local_parts", "ann@a.example", "bob@a.example"),
            ("domains", "x@in.example", "x@out.example"),
        ] {
            let scratch = Scratch::new();
            let folder = scratch.path();
            make_keys(folder);
            let list = list.replace(
                "SELECT name FROM keys",
                &format!(
                    "SELECT name FROM keys WHERE name LIKE '{}'",
                    if condition == "domains" { "in%" } else { "ann" }
                ),
            );
            let rule = format!("[[acl_smtp_rcpt]]\nverb = 'deny'\n{condition} = \"{list}\"\n");
            let key = if condition == "domains" { "$domain" } else { "$local_part" };
            let options = lookups(folder, "local_parts", "*").replace("KEY", key);
            let options = options + &rule.replace("DIR", &folder.display().to_string());
            let config = Config::parse(&options).unwrap_or_else(|error| panic!("{list}: {error}"));
            let refusal = refused(&config, there).await;
            assert!(refusal.starts_with("550 5.7.1 "), "{condition} = {list}: {refusal}");
            assert_eq!(refused(&config, absent).await, "", "{condition} = {list}");
            fs::remove_dir_all(folder.join("lists")).unwrap();
            let keys = rusqlite::Connection::open(folder.join("gateway.sqlite")).unwrap();
            keys.execute("DROP TABLE keys", []).unwrap();
            for recipient in [there, absent] {
                let refusal = refused(&config, recipient).await;
                assert!(refusal.starts_with("451 4."), "{condition} = {list}: {refusal}");
            }
        }
    }
}

/// The keys `ann` and `in.example`, in a file and in a table.
fn make_keys(folder: &Path) {
    fs::create_dir(folder.join("lists")).unwrap();
    fs::write(folder.join("lists/keys"), "ann: 1\nin.example\n").unwrap();
    let keys = rusqlite::Connection::open(folder.join("gateway.sqlite")).unwrap();
    keys.execute_batch("CREATE TABLE keys (name); INSERT INTO keys VALUES ('ann'), ('in.example')")
        .unwrap();
}

/// A configuration where one option is a list with lookups, and `named` is such a list.
fn lookups(folder: &Path, option: &str, list: &str) -> String {
    let mut options = vec![
        ("local_domains", "a.example"),
        ("local_parts", "*"),
        ("relay_to_domains", "r.example"),
    ];
    options.retain(|(name, _)| *name != option);
    options.push((option, list));
    let lines = options.iter().map(|(name, list)| format!("{name} = \"{list}\"\n"));
    let lines = lines.collect::<String>();
    let named = "'lsearch;DIR/lists/keys'";
    let text = format!(
        "spool_directory = 'DIR'\nlookup_directories = 'DIR/lists'\nprimary_hostname = 'mx.example'\n\
         route_data = '127.0.0.1:1'\n{lines}[localpartlist]\nnamed = {named}\n\
         [domainlist]\nnamed = {named}\n"
    );
    text.replace("DIR", &folder.display().to_string())
}

/// What the rules at `RCPT` say.
async fn refused(config: &Config, recipient: &str) -> String {
    scenario(config, recipient).refusal(&config.server.live.rules, Stage::Rcpt).await
}

#[test]
fn trace_fields_hold_what_the_client_says_at_bay() {
    let now = UNIX_EPOCH + Duration::from_secs(1_795_369_513);
    let id = MessageId::next(now);
    let name = "host.example".parse().unwrap();
    let greeting = Greeting { name: "x) by evil (\"\\".into(), extended: true, tls: true };
    let sender = "<ann@b.example>".parse().unwrap();
    let all = ["bob@c.example", "carl@c.example"].map(|text| text.parse().unwrap());
    let received = |recipients| {
        Received {
            host: "mx.example",
            id,
            client: "::ffff:192.0.2.1".parse().unwrap(),
            client_name: Some(&name),
            helo: &greeting.name,
            protocol: protocol(&greeting, false),
            recipients,
            now,
        }
        .to_field()
    };
    let [bob, _] = &all;
    assert_eq!(
        received(slice::from_ref(bob)),
        format!(
            "Received: from x??by?evil????? (host.example [192.0.2.1])\r\n\tby mx.example with ESMTPS id {id}\r\n\
             \tfor <bob@c.example>; Sun, 22 Nov 2026 17:45:13 +0000\r\n"
        )
    );
    assert!(!received(&all).contains("bob"));
    let path = "Return-Path: <ann@b.example>\r\n";
    assert_eq!(delivery(&sender, &all, false), path);
    let both = format!("{path}Envelope-To: bob@c.example,\r\n\tcarl@c.example\r\n");
    assert_eq!(delivery(&sender, &all, true), both);
    let one = format!("{path}Delivered-To: bob@c.example\r\n");
    assert_eq!(delivery(&sender, slice::from_ref(bob), false), one);
}

#[test]
fn hops_are_counted_in_the_header_only() {
    for (message, count) in [
        ("", 0),
        (
            "Received: a\r\nRECEIVED: b\r\n\tReceived: folded\r\nX-Received: c\r\n\r\nReceived: body\r\n",
            2,
        ),
        ("received:x\r\n", 1),
        // A blank before the colon is none of the name.
        ("Received : a\r\nReceived\t: b\r\nReceived\r\n : c\r\nReceived x: d\r\n", 3),
    ] {
        assert_eq!(hops(message.as_bytes()), count, "{message:?}");
    }
}
