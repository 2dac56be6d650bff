//! Hostile values in queries: each arrives as one value, unchanged, or is refused before the query is
//! sent; with `PostgreSQL` too, if `scripts/peers` can start it.

use std::fs;
use std::path::Path;
#[cfg(feature = "pgsql")]
use std::time::Duration;

use event_expand::{Expansion, Progress, Request, Template, Variables};
use examples::gateway::config::Config;
#[cfg(feature = "pgsql")]
use examples::gateway::lookups::asking::Answers;
use examples::gateway::lookups::engines::Engines;
use mail_types::exim::{LookupResult, Trust, Value, Variable};

/// What has broken out of strings somewhere.
const FIXED: [&[u8]; 40] = [
    b"",
    b"'",
    b"''",
    b"'''",
    b"\\",
    b"\\'",
    b"\\\\'",
    b"';",
    b"'; DROP TABLE kept; --",
    b"' OR '1'='1",
    b"' UNION SELECT 'x",
    b"x'/**/UNION/**/SELECT/**/'y",
    b"\"",
    b"`",
    b"[",
    b"]",
    b"$1",
    b"?1",
    b":x",
    b"@x",
    b"$$",
    b"$tag$",
    b"$tag$'; DROP TABLE kept; $tag$",
    b"--",
    b"-- '",
    b"/*",
    b"*/",
    b"/* ' */",
    b"E'\\''",
    b"U&'\\0027'",
    b" ",
    b"\n",
    b"\r\n'",
    b"\t",
    b"\0",
    b"a\0'; --",
    b"\xff",
    b"\xbf'",
    b"\xbf\x27; --",
    "\u{2019}\u{ff07}\u{2bc}'".as_bytes(),
];

const PIECES: [&[u8]; 24] = [
    b"'",
    b"\\",
    b"\"",
    b"$",
    b"$x$",
    b"--",
    b"/*",
    b"*/",
    b";",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xc0\xa7",
    b" ",
    b"OR",
    b"x",
    b"1",
    b"%",
    b"?",
    b"E",
    b"`",
    "\u{10ffff}".as_bytes(),
    "\u{fe4f}".as_bytes(),
];

/// The fixed values, and others made of pieces and single bytes up to 500.
pub(super) fn values(seed: u64) -> Vec<Vec<u8>> {
    let mut state = seed;
    // Knuth's linear congruential generator, of which the upper bits are good.
    let mut next = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut values: Vec<_> = FIXED.iter().map(|value| value.to_vec()).collect();
    while values.len() < 500 {
        let mut value = Vec::new();
        for _ in 0..=next(12) {
            match next(3) {
                0 => value.push(u8::try_from(next(256)).unwrap()),
                _ => value.extend(PIECES.get(next(PIECES.len())).copied().unwrap_or_default()),
            }
        }
        values.push(value);
    }
    values
}

pub(super) fn seed() -> u64 {
    let seed = std::env::var("EXIMIA_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(20_141_126);
    println!("EXIMIA_SEED={seed}");
    seed
}

/// The variable `x`, which anybody may have written.
struct X<'a>(&'a [u8]);

impl Variables for X<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "x" => Value::new(self.0, Trust::Untrusted).into(),
            _ => Variable::Unknown,
        }
    }
}

/// Makes the lookup of a text as the action of an event does; says what was found, and why not.
pub(super) async fn ask(engines: &Engines, text: &str, x: &[u8]) -> (LookupResult, String) {
    let answer = engines.answer(&request(engines, text, x).ask).await;
    (answer.found, answer.why.unwrap_or_default())
}

fn request(engines: &Engines, text: &str, x: &[u8]) -> Request {
    let template = Template::parse(text.as_bytes()).unwrap();
    match Expansion::new(&template, &X(x), engines.options()).poll() {
        Progress::Request(request) => request,
        other => panic!("{text}: {other:?}"),
    }
}

#[tokio::test]
async fn sqlite_gets_each_value_as_one() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("injection");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let text = format!("spool_directory = '{}'", folder.display());
    let engines = Engines::new(&Config::parse(&text).unwrap().server.live.lookups).unwrap();
    let ask = async |query: &str, x: &[u8]| {
        let (found, why) = ask(&engines, &format!("${{lookup sqlite{{{query}}}}}"), x).await;
        assert_eq!(why, "", "{}", x.escape_ascii());
        found
    };
    ask("CREATE TABLE kept (number INTEGER PRIMARY KEY, value)", b"").await;
    let values = values(seed());
    for (at, value) in values.iter().enumerate() {
        let same = LookupResult::Value(value.clone());
        assert_eq!(
            ask("SELECT '${quote_sqlite:$x}'", value).await,
            same,
            "{}",
            value.escape_ascii()
        );
        let insert = "INSERT INTO kept (value) VALUES ('${quote_sqlite:$x}')";
        assert_eq!(ask(insert, value).await, LookupResult::Value(b"1".into()));
        let by_number = format!("SELECT value FROM kept WHERE number = {}", at + 1);
        assert_eq!(ask(&by_number, b"").await, same);
        let by_value = "SELECT count(*) > 0 FROM kept WHERE value = '${quote_sqlite:$x}'";
        assert_eq!(ask(by_value, value).await, LookupResult::Value(b"1".into()));
        let around = [b"<", &value[..], b">"].concat();
        assert_eq!(ask("SELECT '<${quote_sqlite:$x}>'", value).await, LookupResult::Value(around));
    }
    assert_eq!(ask("SELECT count(*) FROM kept", b"").await, LookupResult::Value(b"500".into()));
    let tables = ask("SELECT group_concat(name) FROM sqlite_schema", b"").await;
    assert_eq!(tables, LookupResult::Value(b"kept".into()));
}

/// Whoever knows `PostgreSQL` knows that its text has no NUL, and is UTF-8.
#[cfg(feature = "pgsql")]
#[tokio::test(flavor = "multi_thread")]
async fn pgsql_gets_each_value_as_one_or_none() {
    use super::block::Block;
    use super::servers::{Peers, have};

    if !have(&["pg_lsclusters", "setpriv"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let server = peers.start(&["postgresql"]).remove(0).address;
    let servers = format!("pgsql_servers = '{}/mail/gateway/secret'", server.replace(':', "::"));
    let text = servers + "\nevent_action = '${lookup pgsql{SELECT 1}}'";
    let engines = Engines::new(&Config::parse(&text).unwrap().server.live.lookups).unwrap();
    let ask = async |query: &str, x: &[u8]| {
        ask(&engines, &format!("${{lookup pgsql{{{query}}}}}"), x).await
    };
    let (_, why) = ask("CREATE TABLE kept (number serial, value text)", b"").await;
    assert_eq!(why, "");
    let (mut kept, mut replaced) = (0, 0);
    for value in values(seed()) {
        let shown = value.escape_ascii().to_string();
        let insert = "INSERT INTO kept (value) VALUES ('${quote_pgsql:$x}') RETURNING value";
        let (found, why) = ask(insert, &value).await;
        match str::from_utf8(&value) {
            Ok(text) if !text.contains('\0') => {
                kept += 1;
                assert_eq!(found, LookupResult::Value(value.clone()), "{shown}: {why}");
                let by_number = "SELECT value FROM kept ORDER BY number DESC LIMIT 1";
                let found = ask(by_number, b"").await.0;
                assert_eq!(found, LookupResult::Value(value.clone()), "{shown}");
                let by_value = "SELECT count(*) > 0 FROM kept WHERE value = '${quote_pgsql:$x}'";
                let found = ask(by_value, &value).await.0;
                assert_eq!(found, LookupResult::Value(b"t".into()), "{shown}");
            }
            _ => {
                replaced += 1;
                // What an event records is there, without what the server cannot hold.
                let text = String::from_utf8_lossy(&value).replace('\0', "\u{fffd}");
                assert_eq!(found, LookupResult::Value(text.into_bytes()), "{shown}: {why}");
                // A rule finds nothing by it, and does not wait for better times.
                let by_value =
                    "${lookup pgsql{SELECT 1 FROM kept WHERE value = '${quote_pgsql:$x}'}}";
                let request = request(&engines, by_value, &value);
                let found = Answers::answer(&engines, &request.ask, Duration::ZERO).await;
                assert_eq!(found, (LookupResult::Nothing, None), "{shown}");
            }
        }
    }
    // Text of the query that an expansion makes is no value, and is recorded all the same.
    let insert = "INSERT INTO kept (value) VALUES ('${if eq{a}{a}{\\xff}}<${quote_pgsql:$x}>') \
                  RETURNING value";
    let (found, why) = ask(insert, b"\xfe").await;
    assert_eq!(found, LookupResult::Value("\u{fffd}<\u{fffd}>".into()), "{why}");
    let deleted = ask("DELETE FROM kept WHERE value LIKE '_<_>'", b"").await.0;
    assert_eq!(deleted, LookupResult::Value(b"1".into()));
    assert_eq!((kept + replaced, kept > 100, replaced > 100), (500, true, true));
    let count = ask("SELECT count(*) FROM kept", b"").await.0;
    assert_eq!(count, LookupResult::Value(b"500".into()));
}
