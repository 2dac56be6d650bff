//! Lookups of rules in a real `PostgreSQL`.

use std::process::Command;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::block::Block;
use super::gateway::Gateway;
use super::name_server::{NameServer, Said};
use super::servers::{Peers, have, output_of, swaks, text};

const RULES: &str = r#"
    [hostlist]
    banned = "<\n ${lookup pgsql{SELECT block FROM banned}}"
    [[acl_smtp_connect]]
    verb = "deny"
    hosts = "+banned"
    [[acl_smtp_mail]]
    verb = "deny"
    condition = "${lookup pgsql{SELECT 1 FROM blocked WHERE sender = '${quote_pgsql:$sender_address}'}{yes}{no}}"
    message = "${lookup pgsql{SELECT reason FROM blocked WHERE sender = '${quote_pgsql:$sender_address}'}{$value}fail}"
    [[acl_smtp_rcpt]]
    verb = "deny"
    domains = "local.test"
    "!local_parts" = "${lookup pgsql{SELECT string_agg(name, ':' ORDER BY name) FROM users WHERE quota > '${quote_pgsql:$message_size}'}}"
    message = "550 5.1.1 no such user"
    [[acl_smtp_data]]
    verb = "warn"
    set.acl_m_rows = "${lookup pgsql{INSERT INTO seen (sender, helo, size) VALUES ('${quote_pgsql:$sender_address}', '${quote_pgsql:$sender_helo_name}', '${quote_pgsql:$message_size}')}}"
    add_header = "X-Seen: $acl_m_rows ${lookup pgsql{SELECT sender, size > 10 AS large, NULL AS none FROM seen ORDER BY size DESC LIMIT 1}}"
    [[acl_smtp_data]]
    verb = "warn"
    add_header = "X-Encoding: ${lookup pgsql{/* of /* all */ values */ -- now\n SHOW server_encoding}}"
"#;

const TABLES: &str = "
    CREATE TABLE banned (block text);
    CREATE TABLE blocked (sender text, reason text);
    CREATE TABLE users (name text, quota bigint);
    CREATE TABLE seen (sender text, helo text, size integer);
    INSERT INTO banned VALUES ('127.0.0.3'), ('127.0.0.8/30');
    INSERT INTO blocked VALUES ('spam@a.test', 'we know you');
    INSERT INTO users VALUES ('ann', 100000), ('small', 0);";

/// A database with the tables, and a gateway that asks it.
struct Stage<'a> {
    database: String,
    gateway: Gateway,
    peers: Peers<'a>,
}

impl<'a> Stage<'a> {
    fn start(block: &'a Block) -> Self {
        let peers = Peers::of(block);
        let database = peers.start(&["postgresql"]).remove(0).address;
        sql(&database, TABLES);
        // Nobody listens at the first place.
        let (nobody, somebody) = (block.own(9), database.replace(':', "::"));
        let servers = format!("127.0.0.1::{nobody}/x/y/z : {somebody}/mail/gateway/secret");
        let options = format!("pgsql_servers = '{servers}'\nlookup_timeout = '3s'\n{RULES}");
        Self { database, gateway: Gateway::start(block.own(0), &options), peers }
    }

    fn send(&self, client: &str, sender: &str, to: &str) -> (bool, String) {
        let arguments = ["--from", sender, "--to", to, "--local-interface", client];
        swaks(&self.gateway.address(), &arguments)
    }
}

fn sql(database: &str, sql: &str) -> String {
    let (host, port) = database.split_once(':').unwrap();
    let mut command = Command::new("psql");
    command.args(["-h", host, "-p", port, "-U", "gateway", "-Atq", "-v", "ON_ERROR_STOP=1"]);
    let output = output_of(command.args(["mail", "-c", sql]).env("PGPASSWORD", "secret"), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn rules_ask_a_database_and_its_values_are_never_its_text() {
    if !have(PROGRAMS) {
        return;
    }
    let block = Block::claim();
    let mut stage = Stage::start(&block);
    for (client, sender, to, refusal) in [
        ("127.0.0.3", "a@a.test", "ann@local.test", "554 5.7.1 not permitted"),
        ("127.0.0.9", "a@a.test", "ann@local.test", "554 5.7.1 not permitted"),
        ("127.0.0.2", "spam@a.test", "ann@local.test", "550 5.7.1 we know you"),
        ("127.0.0.2", "a@a.test", "bob@local.test", "550 5.1.1 no such user"),
        ("127.0.0.2", "a@a.test", "small@local.test", "550 5.1.1 no such user"),
    ] {
        let (taken, transcript) = stage.send(client, sender, to);
        assert!(!taken && transcript.contains(refusal), "{refusal}: {transcript}");
    }
    let hostile = "x'/**/union/**/select/**/'y'--@a.test";
    for sender in ["a@a.test", hostile, "o'hara@a.test"] {
        let (taken, transcript) = stage.send("127.0.0.2", sender, "ann@local.test");
        assert!(taken, "{transcript}");
    }
    let message = stage.gateway.message("x'/**/union");
    assert!(message.contains("X-Seen: 1 sender="), "{message}");
    assert!(message.contains(" large=t none=\"\""), "{message}");
    assert!(message.contains("X-Encoding: UTF8"), "{message}");
    let seen =
        sql(&stage.database, "SELECT sender FROM seen WHERE helo = 'swaks.test' ORDER BY ctid");
    assert_eq!(seen, format!("a@a.test\n{hostile}\no'hara@a.test\n"));
}

#[test]
fn connections_are_made_anew_and_what_cannot_be_told_defers() {
    if !have(PROGRAMS) {
        return;
    }
    let block = Block::claim();
    let mut stage = Stage::start(&block);
    let ended =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gateway'";
    for _ in 0..2 {
        let (taken, transcript) = stage.send("127.0.0.2", "a@a.test", "ann@local.test");
        assert!(taken, "{transcript}");
        assert!(sql(&stage.database, ended).contains('t'), "none was kept");
    }
    let slow = "ALTER TABLE users RENAME TO kept;
        CREATE VIEW users AS SELECT name, quota FROM kept, pg_sleep(30)";
    sql(&stage.database, slow);
    let (taken, transcript) = stage.send("127.0.0.2", "a@a.test", "ann@local.test");
    assert!(!taken && transcript.contains("451 4.7.0"), "{transcript}");
    stage.gateway.line("timed out after 3s");
    drop(stage.peers);
    let (taken, transcript) = swaks(&stage.gateway.address(), &["--to", "ann@local.test"]);
    assert!(!taken && transcript.contains("421 4.7.0"), "{transcript}");
    stage.gateway.line("lookup or request deferred: PostgreSQL: ");
}

/// The tables and the texts of docs/scale.md.
#[test]
fn the_tables_of_the_document_take_events_and_rows_of_reports() {
    if !have(PROGRAMS) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let database = peers.start(&["postgresql"]).remove(0).address;
    let document = include_str!("../../../docs/scale.md");
    let part = |from: &str, to: &str| {
        let (_, rest) = document.split_once(from).unwrap();
        rest.split_once(to).unwrap().0
    };
    sql(&database, part("```sql\n", "```"));
    let dns = NameServer::start(true, |name, kind| match (name, kind) {
        ("_dmarc.sender.test", RecordType::TXT) => Said::Text("v=DMARC1; p=none".into()),
        _ => Said::Code(ResponseCode::NXDomain),
    });
    let options = format!(
        "pgsql_servers = '{}/mail/gateway/secret'\ndns_resolver = '{}'\ndmarc_verify_hosts = '*'\n\
         event_select = 'msg:complete smtp:fail:*'\nevent_action = 'EVENT'\n[macros]\nEVENT = {}\n{}",
        database.replace(':', "::"),
        dns.address,
        part("EVENT = ", "\n\n"),
        part("# A row for each message that DMARC has tested.\n", "```")
    );
    let mut gateway = Gateway::start(block.own(0), &options);
    let arguments = ["--from", "o'hara@sender.test", "--to", "ann@local.test"];
    let (taken, transcript) =
        swaks(&gateway.address(), &[&arguments[..], &["--local-interface", "127.0.0.2"]].concat());
    assert!(taken, "{transcript}");
    let row =
        sql(&database, "SELECT host, source, domain, status, policy, spf, dkim FROM dmarc_rows");
    assert_eq!(row, "gateway.test|127.0.0.2|sender.test|none|none|no|no\n");
    let select = "SELECT event, sender FROM events WHERE message_id <> ''";
    let event = gateway.wait_for("an event", |_| {
        let rows = sql(&database, select);
        (!rows.is_empty()).then_some(rows)
    });
    assert_eq!(event, "msg:complete|o'hara@sender.test\n");
}

const PROGRAMS: &[&str] = &["pg_lsclusters", "psql", "setpriv", "swaks"];
