//! Lookups at Debian's redis-server: each row of Exim's table in both modes, and every way to log in.

#![cfg(feature = "redis")]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may panic"
)]

#[path = "support/lab.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod lab;
#[path = "support/exim_rows.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod rows;

use std::time::Duration;

use lab::{Lab, Redis, path};
use mail_types::exim::{Query, Trust};
use redis_lookup::LookupOutcome::{Deferred, Found, NotFound};
use redis_lookup::redis::Client;
use redis_lookup::{Command, DeferReason, LookupOutcome, Mode, Options, Servers};
use rows::{Expected, Row, rows};

const TIME: Duration = Duration::from_secs(5);

fn query(text: &str) -> Query {
    let mut query = Query::default();
    query.push_literal(text.as_bytes());
    query
}

fn command(text: &str) -> Command {
    Command::new_with(&query(text), &rows::options(Mode::Plain)).unwrap()
}

fn client(servers: &str) -> Client {
    let servers = Servers::parse(servers).unwrap_or_else(|error| panic!("{servers}: {error}"));
    Client::new(&servers, &Options::default(), TIME).unwrap()
}

async fn ask(client: &Client, text: &str) -> LookupOutcome {
    client.look_up(&command(text), TIME).await
}

fn found(text: &str) -> LookupOutcome {
    Found(text.into())
}

/// Fills database 10 with the data of Exim's table.
fn fill(redis: &Redis) {
    redis.cli(&["flushall"]);
    for words in
        ["set k v", "sadd ss y x", "rpush li a b c", "hset h f1 v1 f2 v2", "zadd z 1 m1 2.5 m2"]
    {
        let words: Vec<_> = ["-n", "10"].into_iter().chain(words.split(' ')).collect();
        redis.cli(&words);
    }
    redis.cli(&["-n", "10", "set", "empty", ""]);
    redis.cli(&["-n", "10", "eval", "redis.call('set','nul','\\0a')", "0"]);
}

/// The servers of a row, with the ports of this run.
fn here(text: &str, lab: &Lab) -> String {
    text.replace("(redis/r.sock)", &format!("({})", path(&lab.folder.join("r.sock"))))
        .replace("16379", &lab.port(0).to_string())
        .replace("17001", &lab.port(20).to_string())
}

/// Whether a result meets a row whose order of lines, or whose whole text, varies.
fn is_of_the_moment(row: &Row, outcome: &LookupOutcome, expected: &Expected) -> bool {
    let (Found(found), Expected::Found(text)) = (outcome, expected) else {
        return false;
    };
    let sorted = |text: &[u8]| {
        let mut lines: Vec<_> = text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        lines.sort();
        lines
    };
    match row.note.as_deref() {
        Some("in any order") => sorted(found) == sorted(text),
        // A time is two numbers; a scan is a cursor and keys, of which `g` and `bin` are of another run.
        Some("of the moment") if row.number == 29 => {
            let lines = sorted(found);
            lines.len() == 2 && lines.iter().flatten().all(u8::is_ascii_digit)
        }
        Some("of the moment") => {
            let keys: Vec<_> =
                sorted(text).into_iter().filter(|key| key != b"g" && key != b"bin").collect();
            let mut here = sorted(found);
            here.retain(|key| key != b"q" && key != b"q2" && key != b"big");
            here == keys
        }
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_of_the_table_has_its_outcome_in_both_modes() {
    let Some(lab) = Lab::new() else { return };
    let options = format!("unixsocket {}", path(&lab.folder.join("r.sock")));
    let redis = lab.server(0, &options);
    let list = Servers::parse(&here(rows::SERVERS, &lab)).unwrap();
    for mode in [Mode::Plain, Mode::Exim] {
        fill(&redis);
        let of_list = Client::new(&list, &rows::options(mode), TIME).unwrap();
        let mut answered = 0;
        // Those of a cluster are below.
        for row in rows().iter().filter(|row| row.number <= 82) {
            let expected = row.expected(mode);
            let command = match (row.command(mode), &expected) {
                (Err(error), Expected::Refused(text)) => {
                    assert_eq!(error.to_string(), *text, "{row:?}");
                    continue;
                }
                (command, _) => command.unwrap(),
            };
            let in_query = command.servers().map(|list| String::from_utf8_lossy(list).into_owned());
            let client = match in_query.as_ref().or(row.servers.as_ref()) {
                None => of_list.clone(),
                Some(servers) => match (list.pick(&here(servers, &lab)), &expected) {
                    (Err(error), Expected::Servers(text)) => {
                        assert_eq!(error.to_string(), *text, "{row:?}");
                        continue;
                    }
                    (picked, _) => {
                        Client::new(&picked.unwrap(), &rows::options(mode), TIME).unwrap()
                    }
                },
            };
            let outcome = client.look_up(&command, TIME).await;
            let met = expected.is_met_by(&outcome) || is_of_the_moment(row, &outcome, &expected);
            assert!(met, "{mode:?}: {outcome}, {row:?}");
            answered += 1;
        }
        assert!(answered > 70, "{answered}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_a_cluster_listed_as_servers_are_as_in_the_table() {
    let Some(lab) = Lab::new() else { return };
    let nodes = lab::cluster(&lab);
    let all = client(
        &nodes
            .iter()
            .map(|node| format!("127.0.0.1::{}//", node.port))
            .collect::<Vec<_>>()
            .join(":"),
    );
    let one = client(&format!("127.0.0.1::{}//", nodes.first().unwrap().port));
    let mut moved = 0;
    for key in ["k1", "k2", "k3"] {
        let port = nodes.first().unwrap().port.to_string();
        let value = key.replace('k', "v");
        std::process::Command::new("redis-cli")
            .args(["-c", "-p", &port, "set", key, &value])
            .output()
            .unwrap();
        assert_eq!(ask(&all, &format!("get {key}")).await, found(&value), "rows 83 to 85");
        match ask(&one, &format!("get {key}")).await {
            Deferred(DeferReason::Refused(refusal)) if refusal.code() == b"MOVED" => moved += 1,
            outcome => assert_eq!(outcome, found(&value), "rows 86 to 88"),
        }
    }
    assert_eq!(moved, 1, "k1 is of another node");
}

/// A server with a password, a user with a password of its own, and one without the permission for PING.
fn with_logins(lab: &Lab) -> Redis {
    let options = format!(
        "requirepass p@:/#%\nunixsocket {}\nuser mail on >mail/pass ~mail:* +@read +@connection\n\
         user bare on >x ~* +get",
        path(&lab.folder.join("s"))
    );
    let redis = lab.server(0, &options);
    let auth = ["-a", "p@:/#%", "--no-auth-warning", "-n", "10"];
    redis.cli(&[&auth[..], &["mset", "mail:a", "1", "secret", "2"]].concat());
    redis
}

#[tokio::test(flavor = "multi_thread")]
async fn each_form_of_a_login_is_accepted() {
    let Some(lab) = Lab::new() else { return };
    let _redis = with_logins(&lab);
    let socket = lab.folder.join("s");
    let (port, socket) = (lab.port(0), path(&socket));
    for (servers, text, outcome) in [
        (format!("<; 127.0.0.1:{port}/10/p@:/#%"), "get secret", found("2")),
        (format!("<; [::1]:{port}/10/p@:/#%"), "get secret", found("2")),
        (format!("<; localhost:{port}/10/p@:/#%"), "get secret", found("2")),
        (format!("<; ({socket})/10/p@:/#%"), "get secret", found("2")),
        (format!("<; redis://:p%40%3A%2F%23%25@localhost:{port}/10"), "get secret", found("2")),
        (format!("<; redis://mail:mail%2Fpass@127.0.0.1:{port}/10"), "get mail:a", found("1")),
        (
            format!("<; redis://mail:mail%2Fpass@127.0.0.1:{port}/10?protocol=3"),
            "get mail:a",
            found("1"),
        ),
        (
            format!("<; redis://mail:mail%2Fpass@{}/10", socket.replace('/', "%2F")),
            "get mail:a",
            found("1"),
        ),
        // Without the permission for PING.
        (format!("<; redis://bare:x@127.0.0.1:{port}"), "get none", NotFound),
    ] {
        assert_eq!(ask(&client(&servers), text).await, outcome, "{servers}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_login_or_select_defers_without_the_password() {
    let Some(lab) = Lab::new() else { return };
    let _redis = with_logins(&lab);
    let port = lab.port(0);
    for (servers, text, why) in [
        (format!("<; 127.0.0.1:{port}/10/"), "get secret", "NOAUTH"),
        (format!("<; 127.0.0.1:{port}/10/hunter2"), "get secret", "AUTH: WRONGPASS"),
        (format!("<; redis://mail:hunter2@127.0.0.1:{port}"), "get mail:a", "AUTH: WRONGPASS"),
        (format!("<; redis://off:hunter2@127.0.0.1:{port}"), "get mail:a", "AUTH: WRONGPASS"),
        (
            format!("<; redis://mail:hunter2@127.0.0.1:{port}?protocol=3"),
            "get mail:a",
            "HELLO 3: WRONGPASS",
        ),
        (
            format!("<; redis://mail:mail%2Fpass@127.0.0.1:{port}"),
            "get secret",
            "the server answered NOPERM",
        ),
        (
            format!("<; redis://mail:mail%2Fpass@127.0.0.1:{port}"),
            "set mail:a 2",
            "the server answered NOPERM",
        ),
        (format!("<; 127.0.0.1:{port}/99/p@:/#%"), "get secret", "SELECT 99: ERR DB index"),
        ("<; (/nowhere/s)/10/x".to_owned(), "get secret", "No such file"),
        (
            "<; nowhere.invalid//".to_owned(),
            "get secret",
            "nowhere.invalid:6379/0 cannot be reached",
        ),
    ] {
        let outcome = ask(&client(&servers), text).await;
        assert!(matches!(outcome, Deferred(_)), "{servers}: {outcome}");
        let shown = format!("{outcome} {outcome:?}");
        assert!(shown.contains(why) && !shown.contains("hunter2"), "{servers}: {outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_of_the_programs_provider_and_of_the_named_authority() {
    let Some(lab) = Lab::new() else { return };
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.subject_alt_names.push(rcgen::SanType::IpAddress("127.0.0.1".parse().unwrap()));
    let certificate = parameters.self_signed(&key).unwrap();
    let file = |name: &str, text: &str| {
        let file = lab.folder.join(name);
        std::fs::write(&file, text).unwrap();
        path(&file).to_owned()
    };
    let ca = file("ca.pem", &certificate.pem());
    let key = file("key.pem", &key.serialize_pem());
    let options = format!(
        "tls-port {}\ntls-cert-file {ca}\ntls-key-file {key}\ntls-ca-cert-file {ca}\ntls-auth-clients no\n\
         requirepass pw",
        lab.port(1)
    );
    let _redis = lab.server(0, &options);
    let port = lab.port(1);
    let start = |parameters: &str| {
        let text = format!("<; rediss://:pw@localhost:{port}/3{parameters}");
        Client::new(&Servers::parse(&text).unwrap(), &Options::default(), TIME)
    };
    let error = start("").unwrap_err().to_string();
    assert!(error.contains("the program has not installed"), "{error}");
    rustls::crypto::ring::default_provider().install_default().unwrap();

    for (name, text) in [
        ("empty.pem", ""),
        ("bad.pem", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"),
    ] {
        let error = start(&format!("?ca={}", file(name, text))).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    let error = start("?ca=/nowhere.pem").unwrap_err().to_string();
    assert!(error.contains("/nowhere.pem"), "{error}");

    let client = start(&format!("?ca={ca}")).unwrap();
    assert_eq!(ask(&client, "set a b").await, found("OK"));
    assert_eq!(ask(&client, "get a").await, found("b"));
    // An authority that is not ours.
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = file("other.pem", &other.cert.pem());
    let outcome = ask(&start(&format!("?ca={other}")).unwrap(), "get a").await.to_string();
    assert!(outcome.contains("TLS: invalid peer certificate"), "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn types_of_version_3_and_large_numbers() {
    let Some(lab) = Lab::new() else { return };
    let redis = lab.server(0, "");
    redis.cli(&["hset", "h", "a", "1", "b", "2"]);
    redis.cli(&["zadd", "z", "2.5", "m"]);
    let port = lab.port(0);
    for servers in
        [format!("<; redis://127.0.0.1:{port}?protocol=3"), format!("127.0.0.1::{port}//")]
    {
        let client = client(&servers);
        for (text, expected) in [
            ("hgetall h", found("a\n1\nb\n2")),
            ("hgetall none", NotFound),
            ("zscore z m", found("2.5")),
            ("zscore z none", NotFound),
            ("smembers none", NotFound),
            ("incrby n 9223372036854775807", found("9223372036854775807")),
            ("decrby n 9223372036854775807", found("0")),
        ] {
            assert_eq!(ask(&client, text).await, expected, "{servers}: {text}");
        }
    }
}

/// A value that breaks words, patterns or the protocol somewhere.
fn hostile(seed: u64) -> Vec<Vec<u8>> {
    let pieces: [&[u8]; 20] = [
        b" ",
        b"\"",
        b"'",
        b"\\",
        b"\r\n",
        b"\n",
        b"\0",
        b"\xff",
        b"$",
        b"*",
        b"-1",
        b"{",
        b"}",
        b"FLUSHALL",
        b"*1\r\n$8\r\nFLUSHALL\r\n",
        b"\t",
        b"\x0b\x0c",
        b"GET",
        b"?",
        "\u{2028}".as_bytes(),
    ];
    let mut state = seed;
    let mut next = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut values = vec![Vec::new()];
    while values.len() < 500 {
        let count = next(8) + 1;
        values.push((0..count).flat_map(|_| pieces.get(next(20)).unwrap().to_vec()).collect());
    }
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hostile_value_is_one_argument_unchanged() {
    let Some(lab) = Lab::new() else { return };
    let redis = lab.server(0, "");
    let client = client(&format!("127.0.0.1::{}//", lab.port(0)));
    let look_up = async |pieces: &[(&str, &[u8])]| {
        let mut query = Query::default();
        for (at, (text, value)) in pieces.iter().enumerate() {
            query.push_literal(text.as_bytes());
            match at % 2 {
                0 => query.push_value(value, Trust::Untrusted),
                _ => query.push_quoted(value, Trust::Untrusted, "redis"),
            }
        }
        let command = Command::new_with(&query, &Options::default().with_writes(true)).unwrap();
        client.look_up(&command, TIME).await
    };
    for value in hostile(20_141_126) {
        let (shown, value) = (value.escape_ascii().to_string(), value.as_slice());
        assert_eq!(look_up(&[("ECHO ", value)]).await, Found(value.to_vec()), "{shown}");
        assert_eq!(
            look_up(&[("HSET ", value), (" ", value), (" ", value)]).await,
            found("1"),
            "{shown}"
        );
        let same = Found(value.to_vec());
        assert_eq!(look_up(&[("HGET ", value), (" ", value)]).await, same, "{shown}");
        assert_eq!(look_up(&[("HLEN ", value)]).await, found("1"), "{shown}");
        let around = Found([b"<", value, b">"].concat());
        assert_eq!(look_up(&[("ECHO <", value), (">", b"")]).await, around, "{shown}");
        assert_eq!(look_up(&[("DEL ", value)]).await, found("1"), "{shown}");
    }
    assert_eq!(redis.cli(&["dbsize"]), "0");
}
