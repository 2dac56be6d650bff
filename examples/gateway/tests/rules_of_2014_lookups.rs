//! The example rules of Exim's text on its experimental features, of 2014, with lookups or comparisons;
//! the simple ones are in `rules_of_2014.rs`. A file of the text is replaced by one of the test.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use mail_types::dns::{DnssecStatus, RecordType, Zone};
use mail_types::smtp::Helo;
use spf_result::{Check, Report};

use super::rules_dmarc::examined;
use super::scenario::Scenario;
use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::lookups::engines::Engines;
use crate::gateway::policy::conditions::dmarc::keep;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::state::PolicyState;

/// Reads a file of rules, whose lookups work below a folder.
fn config(text: &str, folder: &Path) -> Config {
    let folder = folder.display();
    // An option that nothing uses is refused.
    let files = if text.contains("/etc/") { "lookup_directories" } else { "maildir" };
    let options = format!("spool_directory = '{folder}'\n{files} = '{folder}'\n");
    let text = text.replace("/etc/exim/", &format!("{folder}/"));
    Config::parse(&(options + &text.replace("/etc/mail/", &format!("{folder}/")))).unwrap()
}

fn with_engines(mut scenario: Scenario, config: &Config) -> Scenario {
    scenario.services.lookups = Arc::new(Engines::new(&config.server.live.lookups).unwrap());
    scenario
}

/// Evaluates a sender against a record of its domain.
fn report(sender: &str, domain: &str, record: &str) -> Report {
    let mut zone = Zone::default();
    zone.add(domain.parse().unwrap(), RecordType::Txt, record, DnssecStatus::default()).unwrap();
    let (helo, client) = (Helo::new("client.example"), "192.0.2.1".parse().unwrap());
    let check = Check::from_text(client, &helo, sender).unwrap();
    check.report(check.session().run(|question| zone.answer(question)))
}

#[tokio::test]
async fn forgeries_are_explained_by_sender_or_by_helo() {
    let scratch = Scratch::new();
    let config = config(include_str!("data/spf-examples.toml"), scratch.path());
    for (sender, domain, record, expected) in [
        (
            "ann@a.example",
            "a.example",
            "v=spf1 -all",
            "550 5.7.1 192.0.2.1 is not allowed to send mail from a.example.  Please see http://www.openspf.org/Why?scope=mfrom;identity=ann@a.example;ip=192.0.2.1",
        ),
        (
            "",
            "client.example",
            "v=spf1 -all",
            "550 5.7.1 192.0.2.1 is not allowed to send mail from client.example.  Please see http://www.openspf.org/Why?scope=helo;identity=client.example;ip=192.0.2.1",
        ),
        ("ann@a.example", "a.example", "v=spf1 ?all", ""),
        (
            "ann@aol.com",
            "aol.com",
            "v=spf1 ?all",
            "550 5.7.1 AOL sender, but not from AOL-approved relay.",
        ),
        ("ann@aol.com", "aol.com", "v=spf1 ip4:192.0.2.1 ?all", ""),
    ] {
        let mut scenario = Scenario::new().with_mail(&format!("<{sender}>"), "bob@b.example");
        scenario.state.authentication.spf = Some(report(sender, domain, record));
        assert_eq!(scenario.refusal(&config.server.live.rules, Stage::Mail).await, expected);
    }
    // Who has no question left for a guess.
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@b.example");
    scenario.state.count_spf_questions(PolicyState::MAX_SPF_QUESTIONS);
    let refusal = scenario.refusal(&config.server.live.rules, Stage::Rcpt).await;
    assert_eq!(refusal, "451 4.7.0 temporary failure evaluating policy, try again later");
}

#[tokio::test]
async fn what_became_of_the_proxy_is_logged() {
    let scratch = Scratch::new();
    let config = config(include_str!("data/proxy-session.toml"), scratch.path());
    for (mut scenario, expected) in [
        (
            Scenario::proxied("PROXY TCP4 192.0.2.1 203.0.113.9 5555 2525\r\n"),
            vec![
                "Warning: Successfully proxied from  [192.0.2.1] through proxy protocol host 198.51.100.7",
            ],
        ),
        // A probe of the proxy's own, which comes from where the proxy is.
        (Scenario::proxied("PROXY TCP4 198.51.100.7 203.0.113.9 5555 2525\r\n"), vec![]),
        // A header without addresses.
        (
            Scenario::proxied("PROXY UNKNOWN\r\n"),
            vec!["Warning: Failed required proxy protocol negotiation from  [198.51.100.7]"],
        ),
        (Scenario::new(), vec![]),
    ] {
        assert_eq!(scenario.refusal(&config.server.live.rules, Stage::Connect).await, "");
        assert_eq!(scenario.state.take_log(), expected);
    }
}

#[tokio::test]
async fn each_client_has_the_limit_of_the_file() {
    let scratch = Scratch::new();
    let config = config(include_str!("data/connection-rate-file.toml"), scratch.path());
    let limits = scratch.path().join("proxy_limits");
    for (file, times, expected) in [
        ("192.0.2.1: 3\n192.0.2.0/24: 1\n", 3, ""),
        (
            "192.0.2.1: 3\n192.0.2.0/24: 1\n",
            4,
            "421 4.7.1 Too many connections from this IP right now",
        ),
        ("192.0.2.0/24: 1\n", 1, "421 4.7.1 Too many connections from this IP right now"),
        (
            "192.0.2.0/24: many\n",
            1,
            "421 4.7.0 temporary failure evaluating policy, try again later",
        ),
        ("198.51.100.1: 1\n", 1, "421 4.7.0 temporary failure evaluating policy, try again later"),
    ] {
        fs::write(&limits, file).unwrap();
        let mut scenario = with_engines(Scenario::new(), &config);
        let mut refusal = String::new();
        for time in 0..times {
            refusal = scenario
                .judge(&config.server.live.rules, Stage::Connect, time)
                .await
                .refusal
                .map(|r| r.to_string())
                .unwrap_or_default();
            // Another connection.
            scenario.state = PolicyState::default();
        }
        assert_eq!(refusal, expected, "{file} {times}");
    }
}

#[tokio::test]
async fn a_site_of_many_hosts_has_one_address() {
    let scratch = Scratch::new();
    let config = config(include_str!("data/multiple-ip-sites.toml"), scratch.path());
    let sites = "mout-xforward.gmx.net           82.165.159.12\nmout.gmx.net                    212.227.15.16\n";
    for (file, expected) in [
        (sites.to_owned(), vec![]),
        (
            format!("{sites}client.example 192.0.2.9\n"),
            vec!["Warning: dbg: acl_m_dcc_override_client_ip set to 192.0.2.9"],
        ),
        (
            "*.example  192.0.2.8\n".to_owned(),
            vec!["Warning: dbg: acl_m_dcc_override_client_ip set to 192.0.2.8"],
        ),
    ] {
        fs::write(scratch.path().join("multipleip_sites"), file).unwrap();
        let mut scenario =
            with_engines(Scenario::new().with_mail("<ann@a.example>", "bob@b.example"), &config);
        assert_eq!(scenario.refusal(&config.server.live.rules, Stage::Data).await, "");
        assert_eq!(scenario.state.take_log(), expected);
    }
}

#[tokio::test]
async fn mailing_lists_are_noted_down() {
    let scratch = Scratch::new();
    let config = config(include_str!("data/mailing-lists.toml"), scratch.path());
    let database = rusqlite::Connection::open(&config.server.live.lookups.sqlite_dbfile).unwrap();
    database
        .execute_batch(
            "CREATE TABLE lists (address); INSERT INTO lists VALUES ('rust@example.com')",
        )
        .unwrap();
    let broken = "550 5.7.1 Messages from a.example break mailing lists";
    for (recipient, policy, logged, expected) in [
        (
            "Rust@Example.com",
            "reject",
            vec!["a local host", "example.com has sound records"],
            broken,
        ),
        ("rust@example.com", "none", vec!["a local host", "example.com has sound records"], ""),
        ("ann@example.com", "reject", vec!["a local host", "example.com has sound records"], ""),
        (
            "\"'; DROP TABLE lists --\"@example.com",
            "reject",
            vec!["a local host", "example.com has sound records"],
            "",
        ),
        ("ann@sub.broken.example", "reject", vec![], ""),
    ] {
        let scenario = Scenario::new().with_mail("<ann@a.example>", recipient);
        let mut scenario = with_engines(scenario, &config);
        assert_eq!(scenario.refusal(&config.server.live.rules, Stage::Rcpt).await, "");
        assert_eq!(scenario.state.take_log(), logged, "{recipient}");
        let set = super::scenario::rules(&format!(
            "[[acl_smtp_mail]]\nverb = 'warn'\nset.acl_m_policy = '{policy}'"
        ));
        scenario.judge(&set, Stage::Mail, 0).await;
        assert_eq!(
            scenario.refusal(&config.server.live.rules, Stage::Data).await,
            expected,
            "{recipient}"
        );
    }
}

#[tokio::test]
async fn lists_come_out_of_a_database() {
    let scratch = Scratch::new();
    let config = config(include_str!("data/found-lists.toml"), scratch.path());
    let database = rusqlite::Connection::open(&config.server.live.lookups.sqlite_dbfile).unwrap();
    database
        .execute_batch(
            "CREATE TABLE relay_from_ips (block); CREATE TABLE virtual_domains (domain);
             INSERT INTO virtual_domains VALUES ('b.example');
             CREATE TABLE seen (host, spammer); INSERT INTO seen VALUES ('192.0.2.66', 'no')",
        )
        .unwrap();
    let refused = "550 5.7.1 relay not permitted";
    for (blocks, recipient, expected) in [
        ("('198.51.100.0/24'), ('10.0.0.0/8')", "bob@b.example", ""),
        ("('198.51.100.0/24'), ('10.0.0.0/8')", "bob@c.example", refused),
        ("('192.0.2.0/24'), ('10.0.0.0/8')", "bob@c.example", ""),
        ("('2001:db8::/32'), ('192.0.2.1')", "bob@c.example", ""),
        (
            "('nonsense/8'), ('192.0.2.1')",
            "bob@c.example",
            "451 4.7.0 temporary failure evaluating policy, try again later",
        ),
    ] {
        let fill =
            format!("DELETE FROM relay_from_ips; INSERT INTO relay_from_ips VALUES {blocks}");
        database.execute_batch(&fill).unwrap();
        let mut scenario =
            with_engines(Scenario::new().with_mail("<ann@a.example>", recipient), &config);
        assert_eq!(
            scenario.refusal(&config.server.live.rules, Stage::Rcpt).await,
            expected,
            "{blocks}"
        );
        assert_eq!(scenario.state.take_log()[0], "true 192.0.2.66");
    }
}

/// The text on DMARC: the list of a condition may come out of a lookup, with colons between its items.
#[tokio::test]
async fn the_words_of_dmarc_come_out_of_a_database() {
    let scratch = Scratch::new();
    let text = "[[acl_smtp_data]]\nverb = 'deny'\n\
        dmarc_status = \"${lookup sqlite{SELECT words FROM refused WHERE domain = '${quote_sqlite:$sender_address_domain}'}}\"\n\
        message = 'it is $dmarc_status'";
    let config = config(text, scratch.path());
    let database = rusqlite::Connection::open(&config.server.live.lookups.sqlite_dbfile).unwrap();
    database.execute_batch("CREATE TABLE refused (domain, words)").unwrap();
    let unread = "451 4.7.0 temporary failure evaluating policy, try again later";
    for (words, policy, expected) in [
        ("reject : quarantine", "p=reject", "550 5.7.1 it is reject"),
        ("reject : quarantine", "p=quarantine", "550 5.7.1 it is quarantine"),
        ("reject : quarantine", "p=none", ""),
        ("reject:quarantine", "p=quarantine", "550 5.7.1 it is quarantine"),
        ("!accept : !norecord", "p=none", "550 5.7.1 it is none"),
        ("", "p=reject", ""),
        // Found text has no separator of its own, and a word that is not one defers.
        ("<; reject ; quarantine", "p=reject", unread),
        ("rejected", "p=reject", unread),
    ] {
        database.execute("DELETE FROM refused", []).unwrap();
        database.execute("INSERT INTO refused VALUES ('a.example', ?1)", [words]).unwrap();
        let scenario = Scenario::new().with_mail("<ann@a.example>", "bob@b.example");
        let mut scenario = with_engines(scenario, &config);
        keep(examined(policy, false), "mx.example", &mut scenario.state);
        let refusal = scenario.refusal(&config.server.live.rules, Stage::Data).await;
        assert_eq!(refusal, expected, "{words}: {policy}");
    }
}
