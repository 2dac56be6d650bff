//! Lookups in a real Redis: by rules of the gateway, with hostile values, and by the tool
//! `redis_lookup`.

use std::fs;
use std::process::Command;
use std::time::UNIX_EPOCH;

use examples::gateway::config::Config;
use examples::gateway::lookups::engines::Engines;
use mail_types::exim::LookupResult;
use serde_json::{Value, json};

use super::block::Block;
use super::dialogue::Dialogue;
use super::gateway::{Gateway, binary};
use super::injection::{ask, seed, values};
use super::servers::{Listener, Peers, have, output_of, swaks, text};

const PROGRAMS: &[&str] = &["redis-server", "redis-cli", "swaks"];

/// All servers of Redis that `scripts/peers` starts; they end with this.
struct RedisPeers<'a> {
    peers: Peers<'a>,
    listeners: Vec<Listener>,
}

impl<'a> RedisPeers<'a> {
    fn start(block: &'a Block) -> Self {
        let peers = Peers::of(block);
        let listeners = peers.start(&["redis"]);
        Self { peers, listeners }
    }

    fn address(&self, name: &str) -> &str {
        &self.listeners.iter().find(|listener| listener.name == name).unwrap().address
    }
}

fn cli(address: &str, arguments: &[&str]) -> String {
    let (host, port) = address.split_once(':').unwrap();
    let mut command = Command::new("redis-cli");
    command.args(["-h", host, "-p", port, "-a", "secret", "--no-auth-warning", "-n", "10"]);
    text(&output_of(command.args(arguments), b"").stdout).trim_end().to_owned()
}

#[test]
fn the_examples_of_2014_work_as_they_are_written() {
    if !have(PROGRAMS) {
        return;
    }
    let block = Block::claim();
    let redis = RedisPeers::start(&block);
    let server = &redis.address("redis").to_owned();
    let rules = include_str!("../../gateway/tests/data/redis-lists.toml");
    let options = format!(
        "redis_servers = '<; {server}/10/secret'\nredis_allow_writes = true\nlookup_timeout = '3s'\n{rules}"
    );
    let mut gateway = Gateway::start(block.own(0), &options);
    let send = |client: &str| {
        let arguments = ["--to", "ann@local.test", "--local-interface", client];
        swaks(&format!("127.0.0.1:{}", block.own(0)), &arguments)
    };
    cli(server, &["sadd", "relay_from_ips", "127.0.0.2", "192.168.0.0/24"]);
    cli(server, &["set", "SPAM_HOST", "spam.example"]);
    let (taken, transcript) = send("127.0.0.3");
    assert!(!taken && transcript.contains("550 5.7.1 relay not permitted"), "{transcript}");
    gateway.line("true spam.example");
    assert_eq!(cli(server, &["get", "SPAMMER"]), "yes");
    let (taken, transcript) = send("127.0.0.2");
    assert!(taken, "of relay_from_ips: {transcript}");
    cli(server, &["hset", "local.test", "domain", "local.test"]);
    let (taken, transcript) = send("127.0.0.3");
    assert!(taken, "of virtual_domains: {transcript}");
    // A deferred list defers the recipient; it is not taken for another list.
    cli(server, &["set", "relay_from_ips", "no set"]);
    let (taken, transcript) = send("127.0.0.2");
    assert!(!taken && transcript.contains("451 4.7.0"), "{transcript}");
    gateway.line("Redis: the server answered WRONGTYPE");
    drop(redis);
    let (taken, transcript) = send("127.0.0.3");
    assert!(!taken && transcript.contains("451 4.7.0"), "{transcript}");
    gateway.line(&format!("Redis: {server}/10 cannot be reached: "));
    assert!(!gateway.log().contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_gets_each_value_as_one() {
    if !have(PROGRAMS) {
        return;
    }
    let block = Block::claim();
    let redis = RedisPeers::start(&block);
    let server = redis.address("redis");
    let text = format!(
        "redis_servers = '<; {server}/10/secret'\nredis_allow_writes = true\n\
         event_action = '${{lookup redis{{GET a}}}}'"
    );
    let engines = Engines::new(&Config::parse(&text).unwrap().server.live.lookups).unwrap();
    let ask = async |query: &str, x: &[u8]| {
        let (found, why) = ask(&engines, &format!("${{lookup redis{{{query}}}}}"), x).await;
        assert_eq!(why, "", "{query}: {}", x.escape_ascii());
        found
    };
    for value in values(seed()) {
        let (shown, same) = (value.escape_ascii().to_string(), LookupResult::Value(value.clone()));
        assert_eq!(ask("ECHO $x", &value).await, same, "{shown}");
        assert_eq!(ask("ECHO ${quote_redis:$x}", &value).await, same, "{shown}");
        let around = LookupResult::Value([b"<", &value[..], b">"].concat());
        assert_eq!(ask("ECHO \"<$x>\"", &value).await, around, "{shown}");
        assert_eq!(
            ask("HSET $x $x ${quote_redis:$x}", &value).await,
            LookupResult::Value(b"1".into())
        );
        assert_eq!(ask("HGET ${quote_redis:$x} $x", &value).await, same, "{shown}");
        assert_eq!(ask("DEL $x", &value).await, LookupResult::Value(b"1".into()), "{shown}");
    }
    assert_eq!(ask("DBSIZE", b"").await, LookupResult::Value(b"0".into()));
}

fn tool(arguments: &[&str], input: &str) -> (Option<i32>, Vec<Value>, String) {
    let mut command = Command::new(binary().with_file_name("redis_lookup"));
    let output = output_of(command.arg("--json").args(arguments), input.as_bytes());
    let lines =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code(), lines, text(&output.stderr))
}

#[test]
fn the_tool_finds_what_the_gateway_finds() {
    if !have(PROGRAMS) {
        return;
    }
    let block = Block::claim();
    let redis = RedisPeers::start(&block);
    let of = |name: &str| redis.address(name);
    let ca = redis.peers.certificates().join("authority.pem");
    cli(of("redis"), &["mset", "mail:a", "1", "b", "two words"]);
    cli(of("redis"), &["rpush", "mail:list", "x", "", "y"]);
    let lines =
        "GET b\nGET none\nLRANGE mail:list 0 -1\nLLEN mail:list\nGET mail:list\nSET a b\n GET \"\n";
    let plain = [
        json!({"outcome": "found", "value": "two words"}),
        json!({"outcome": "not_found"}),
        json!({"outcome": "found", "value": "x\n\ny"}),
        json!({"outcome": "found", "value": "3"}),
        json!({"outcome": "deferred", "reason": "the server answered WRONGTYPE Operation against a key holding the wrong kind of value"}),
        json!({"error": "query refused: SET changes data, and writes are not allowed", "at": 0}),
        json!({"error": "query refused: a double quote is not closed", "at": 1}),
    ];
    for servers in [
        format!("<; {}/10/secret", of("redis")),
        format!("<; ({})/10/secret", of("redis-socket")),
        format!("<; redis://:secret@{}/10", of("redis")),
        format!("<; rediss://:secret@{}/10?ca={}", of("redis-tls"), ca.display()),
        format!("<; 127.0.0.1:{}// ; {}/10/secret", block.own(89), of("redis")),
    ] {
        let (code, found, error) = tool(&["--servers", &servers], lines);
        assert_eq!((code, found.as_slice()), (Some(0), &plain[..]), "{servers}: {error}");
    }
    a_user_and_the_mode_of_exim(of("redis"));
    masters_are_found(of("redis-cluster"), of("redis-sentinel"));
    authorities_of_the_system(&redis.peers, of("redis-tls"));
}

fn a_user_and_the_mode_of_exim(server: &str) {
    let two = |arguments: &[&str]| -> [Value; 2] { tool(arguments, "").1.try_into().unwrap() };
    let user = format!("<; redis://mail:mail@{server}/10");
    let [allowed, refused] = two(&["--servers", &user, "GET mail:a", "GET b"]);
    assert_eq!(allowed, json!({"outcome": "found", "value": "1"}));
    assert!(refused.to_string().contains("the server answered NOPERM"), "{refused}");
    let servers = format!("<; {server}/10/secret");
    let arguments = ["--servers", &servers, "--compatible", "LLEN mail:list", "GET none"];
    let [length, none] = two(&arguments);
    assert_eq!(length, json!({"outcome": "found", "value": "true"}));
    assert_eq!(none, json!({"outcome": "found", "value": ""}));
}

fn masters_are_found(cluster: &str, sentinel: &str) {
    for servers in [
        format!("<; redis+cluster://:secret@{cluster}"),
        format!("<; redis+sentinel://:secret@{sentinel}/mail/3"),
    ] {
        for number in 0..20 {
            let (set, get) = (format!("SET k{number} v"), format!("GET k{number}"));
            let arguments = ["--servers", &servers, "--allow-writes", &set, &get];
            let (code, found, error) = tool(&arguments, "");
            let done = json!({"outcome": "found", "value": "OK"});
            let value = json!({"outcome": "found", "value": "v"});
            assert_eq!((code, found), (Some(0), vec![done, value]), "{servers}: {error}");
        }
    }
}

/// A bad file among the authorities of the system matters only to a server without an authority of its own.
fn authorities_of_the_system(peers: &Peers<'_>, server: &str) {
    let ca = peers.certificates().join("authority.pem");
    let bad = peers.certificates().join("bad.pem");
    fs::write(&bad, "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n").unwrap();
    let with_bad_system = |parameters: &str| {
        let servers = format!("<; rediss://:secret@{server}/10{parameters}");
        let mut command = Command::new(binary().with_file_name("redis_lookup"));
        command.env("SSL_CERT_FILE", &bad).env_remove("SSL_CERT_DIR");
        output_of(command.args(["--servers", &servers, "GET b"]), b"")
    };
    let output = with_bad_system(&format!("?ca={}", ca.display()));
    assert_eq!(text(&output.stdout), "found: two words\n", "{}", text(&output.stderr));
    let output = with_bad_system("");
    let error = text(&output.stderr);
    assert!(
        output.status.code() == Some(2) && error.contains("no certificate authority"),
        "{error}"
    );
}

/// The rules of docs/scale.md, with a lower limit.
#[test]
fn the_rate_of_a_client_is_that_of_all_gateways() {
    if !have(PROGRAMS) {
        return;
    }
    let block = Block::claim();
    let redis = RedisPeers::start(&block);
    let server = redis.address("redis");
    let document = include_str!("../../../docs/scale.md");
    let key = document.lines().find(|line| line.starts_with("MINUTE = ")).unwrap();
    let (_, rules) = document.split_once("# The rate of a client").unwrap();
    let (rules, _) = rules.split_once("# A row for each message").unwrap();
    let options = format!(
        "redis_servers = '<; {server}/10/secret'\nredis_allow_writes = true\n[macros]\n{key}\n# The rate{}",
        rules.replace("600", "3")
    );
    let one = Gateway::start(block.own(0), &options);
    let other = Gateway::start(block.own(1), &options);
    let minute = || UNIX_EPOCH.elapsed().unwrap().as_secs() / 60;
    let say = |gateway: &Gateway| {
        let mut smtp = Dialogue::connect(gateway.port());
        smtp.reply();
        smtp.say("EHLO client.test");
        smtp.say("MAIL FROM:<a@sender.test>")
    };
    let mut replies = Vec::new();
    // Another minute has another counter.
    for _ in 0..2 {
        let start = minute();
        replies = [&one, &one, &other, &other, &one].map(say).to_vec();
        if minute() == start {
            break;
        }
    }
    let accepted = replies.iter().map(|reply| reply.starts_with("250 ")).collect::<Vec<_>>();
    assert_eq!(accepted, [true, true, true, false, false], "{replies:?}");
    assert!(
        replies[3].starts_with("451 4.7.1 127.0.0.1 sends more than 3 messages"),
        "{replies:?}"
    );
    let keys = cli(server, &["KEYS", "rate:*"]);
    let key = keys.lines().last().unwrap();
    let time: i64 = cli(server, &["TTL", key]).parse().unwrap();
    assert!((1..=120).contains(&time), "{key}: {time}");
}

#[test]
fn the_tool_refuses_a_wrong_list_of_servers() {
    let (code, _, error) = tool(&["--servers", "127.0.0.1"], "");
    assert!(code == Some(2) && error.contains("item 1: byte 9"), "{error}");
    let (code, _, error) = tool(&["--servers", "<; rediss://a?ca=/nowhere.pem", "GET a"], "");
    assert!(code == Some(2) && error.contains("/nowhere.pem"), "{error}");
}

#[test]
fn the_gateway_says_what_is_built_in() {
    let output = output_of(Command::new(binary()).arg("--version"), b"");
    let shown = text(&output.stdout);
    let expected = if cfg!(feature = "pgsql") { "sqlite pgsql redis\n" } else { "sqlite redis\n" };
    assert!(shown.contains("Support for: ") && shown.ends_with(expected), "{shown}");
}
