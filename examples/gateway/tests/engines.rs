//! Lookups in `SQLite` and in files. `PostgreSQL`: `tests/peers/lookups.rs`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "pgsql")]
use event_expand::{Ask, Parameter};
use event_expand::{Expansion, Progress, Request, Template, Variables};
use mail_types::exim::{LookupResult, Trust, Value, Variable};

use super::scratch::Scratch;
use crate::gateway::config::Config;
#[cfg(feature = "pgsql")]
use crate::gateway::lookups::asking::Answers;
use crate::gateway::lookups::engines::Engines;
#[cfg(feature = "pgsql")]
use crate::gateway::lookups::engines::Unencodable;
#[cfg(feature = "pgsql")]
use crate::gateway::lookups::pgsql::statement;

/// The variable `x`, which anybody may have written.
pub(super) struct X<'a>(pub(super) &'a [u8]);

impl Variables for X<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "x" => Value::new(self.0, Trust::Untrusted).into(),
            _ => Variable::Unknown,
        }
    }
}

/// Makes the first lookup of a text; says what was found, and why not.
pub(super) async fn ask(engines: &Engines, text: &str, x: &[u8]) -> (LookupResult, String) {
    let request = request(engines, text, x);
    let answer = engines.answer(&request.ask).await;
    assert_eq!(answer.found == LookupResult::Deferred, answer.why.is_some());
    (answer.found, answer.why.unwrap_or_default())
}

fn request(engines: &Engines, text: &str, x: &[u8]) -> Request {
    let template = Template::parse(text.as_bytes()).unwrap();
    match Expansion::new(&template, &X(x), engines.options()).poll() {
        Progress::Request(request) => request,
        other => panic!("{text}: {other:?}"),
    }
}

fn engines(folder: &Path, options: &str) -> Engines {
    // An option of lookups wants a text that has some.
    let some = "event_action = '${expand:$event_name}'";
    let text = format!("spool_directory = '{}'\n{some}\n{options}", folder.display());
    Engines::new(&Config::parse(&text).unwrap().server.live.lookups).unwrap()
}

#[tokio::test]
async fn a_random_number_is_below_its_limit() {
    let scratch = Scratch::new();
    let engines = engines(scratch.path(), "");
    let mut found = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let (number, why) = ask(&engines, "${randint:3}", b"").await;
        assert_eq!(why, "");
        found.insert(format!("{number:?}"));
    }
    let each = ["0", "1", "2"].map(|number| format!("{:?}", value(number)));
    assert_eq!(found, each.into());
    for text in ["${randint:0}", "${randint: 1 }", "${randint:}"] {
        assert_eq!(ask(&engines, text, b"").await.0, value("0"), "{text}");
    }
}

fn value(text: &str) -> LookupResult {
    LookupResult::Value(text.into())
}

/// What a text of `PostgreSQL` cannot hold, no row has: a rule finds nothing by it, and nobody is asked. An event
/// is recorded, with U+FFFD in its place. Here nobody listens, so that whoever asks has no answer.
#[cfg(feature = "pgsql")]
#[tokio::test]
async fn what_postgresql_cannot_hold_is_in_no_row_and_is_recorded_all_the_same() {
    let scratch = Scratch::new();
    let engines = engines(scratch.path(), "pgsql_servers = '127.0.0.1::1/mail/me/pw'");
    let text = "${lookup pgsql{SELECT 1 FROM t WHERE a = '<${quote_pgsql:$x}>'}}";
    for (x, recorded) in [
        (&b"a\0b"[..], Some("<a\u{fffd}b>")),
        (b"\0", Some("<\u{fffd}>")),
        (b"\xff", Some("<\u{fffd}>")),
        (b"a\xc3", Some("<a\u{fffd}>")),
        (b"\xed\xa0\x80\0", Some("<\u{fffd}\u{fffd}\u{fffd}\u{fffd}>")),
        ("a\u{fc}\u{fffd}".as_bytes(), None),
        (b"'; --", None),
    ] {
        let Ask::Lookup { query, .. } = request(&engines, text, x).ask else { unreachable!() };
        let request = request(&engines, text, x);
        let of_rule = Answers::answer(&engines, &request.ask, Duration::ZERO).await;
        let of_event = ask(&engines, text, x).await;
        assert_eq!(of_event.0, LookupResult::Deferred, "{}: an event asks", x.escape_ascii());
        let statement = statement(&query, Unencodable::Replaced).unwrap().unwrap();
        if let Some(recorded) = recorded {
            assert_eq!(of_rule, (LookupResult::Nothing, None), "{}", x.escape_ascii());
            assert_eq!(statement.parameters, [Parameter::Text(recorded.to_owned())]);
        } else {
            assert_eq!(of_rule.0, LookupResult::Deferred, "{}", x.escape_ascii());
            let own = format!("<{}>", str::from_utf8(x).unwrap());
            assert_eq!(statement.parameters, [Parameter::Text(own)]);
        }
    }
}

#[tokio::test]
async fn rows_are_written_as_exim_writes_them() {
    let scratch = Scratch::new();
    let engines = engines(scratch.path(), "");
    let made = "${lookup sqlite{CREATE TABLE t (a, b)}}";
    assert_eq!(ask(&engines, made, b"").await.0, value("0"));
    for (query, expected) in [
        (
            "INSERT INTO t VALUES ('${quote_sqlite:$x}', 1), ('two', NULL), ('', x'00ff')",
            value("3"),
        ),
        ("SELECT a FROM t WHERE b = 1", value("o'hara")),
        ("SELECT a FROM t ORDER BY rowid", value("o'hara\ntwo\n")),
        ("SELECT a, 1.5 AS c FROM t WHERE a = '${quote_sqlite:$x}'", value("a=o'hara c=1.5 ")),
        (
            "SELECT '' AS a, 'b c' AS b, '\"' AS c, 'd\\\"' AS d",
            value("a=\"\" b=\"b c\" c=\"\\\"\" d=d\" "),
        ),
        ("SELECT b FROM t WHERE a = 'two'", value("<NULL>")),
        ("SELECT b FROM t WHERE a = ''", LookupResult::Value(b"\0\xff".into())),
        ("SELECT a FROM t WHERE a = 'nobody'", LookupResult::Nothing),
        ("UPDATE t SET b = 2", value("3")),
        ("DELETE FROM t RETURNING a", value("o'hara\ntwo\n")),
        ("DELETE FROM t", value("0")),
    ] {
        let (found, why) =
            ask(&engines, &format!("${{lookup sqlite{{{query}}}}}"), b"o'hara").await;
        assert_eq!(found, expected, "{query}: {why}");
    }
}

#[tokio::test]
async fn what_does_not_do_is_deferred_with_its_reason() {
    let scratch = Scratch::new();
    let options = "lookup_rows_max = 3\nlookup_size_limit = 10\nlookup_timeout = '1s'";
    let engines = engines(scratch.path(), options);
    let series = |last| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < {last}) SELECT i FROM n"
        )
    };
    for (query, expected) in [
        (series(3), ""),
        (series(4), "result has more than 3 rows"),
        ("SELECT '0123456789'".into(), ""),
        ("SELECT '01234567890'".into(), "result has more than 10 octets"),
        ("SELECT a FROM missing".into(), "SQLite: no such table: missing"),
        (
            "SELECT '${quote_sqlite:$x}".into(),
            "invalid query: unclosed string, name or comment in the query",
        ),
        (
            "SELECT \"${quote_sqlite:$x}\"".into(),
            "invalid query: value in the query is not in a plain '…' string (segment 1)",
        ),
        (
            series(1_000_000_000)
                .replace("SELECT i FROM n", "SELECT count(*) FROM n")
                .replace("AS (SELECT count(*) FROM n", "AS (SELECT 1"),
            "timed out after 1s",
        ),
    ] {
        let start = Instant::now();
        let (found, why) = ask(&engines, &format!("${{lookup sqlite{{{query}}}}}"), b"x").await;
        assert!(
            why.starts_with(expected) && (why.is_empty() == expected.is_empty()),
            "{query}: {why}"
        );
        assert_eq!(found == LookupResult::Deferred, !expected.is_empty());
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    // The one that was interrupted holds no thread.
    let engines = Arc::new(engines);
    for _ in 0..8 {
        assert_eq!(ask(&engines, "${lookup sqlite{SELECT 1}}", b"").await.0, value("1"));
    }
}

#[tokio::test]
async fn files_are_read_below_their_folders_alone() {
    let scratch = Scratch::new();
    let (inside, outside) = (scratch.path().join("in"), scratch.path().join("out"));
    fs::create_dir(&inside).unwrap();
    fs::create_dir(&outside).unwrap();
    for folder in [&inside, &outside] {
        fs::write(folder.join("f"), "a: 1\n").unwrap();
        rusqlite::Connection::open(folder.join("d"))
            .unwrap()
            .execute_batch("CREATE TABLE t (a)")
            .unwrap();
    }
    symlink(outside.join("f"), inside.join("link")).unwrap();
    symlink(inside.join("f"), inside.join("good")).unwrap();
    fs::write(inside.join("large"), vec![b'x'; 1025]).unwrap();
    fs::write(inside.join("fits"), [&b"a: 1\n"[..], &vec![b'#'; 1019]].concat()).unwrap();
    fs::write(inside.join("lines"), "b: 1\n".repeat(3)).unwrap();
    let engines = engines(
        scratch.path(),
        &format!("lookup_directories = '{}'\nlookup_file_size_limit = '1K'", inside.display()),
    );
    let (i, o) = (inside.display(), outside.display());
    for (lookup, expected) in [
        (format!("{{a}}lsearch{{{i}/f}}"), ""),
        (format!("{{a}}lsearch{{{i}/good}}"), ""),
        (format!("{{a}}lsearch{{{i}/fits}}"), ""),
        (format!("{{a}}lsearch{{{i}/large}}"), "the file is larger than lookup_file_size_limit"),
        (format!("{{a}}lsearch{{{o}/f}}"), "the file is not below a folder of lookup_directories"),
        (
            format!("{{a}}lsearch{{{i}/../out/f}}"),
            "the file is not below a folder of lookup_directories",
        ),
        (
            format!("{{a}}lsearch{{{i}/link}}"),
            "the file is not below a folder of lookup_directories",
        ),
        (format!("{{a}}lsearch{{{i}}}"), "the file is not a regular file"),
        (format!("{{a}}lsearch{{{i}/none}}"), "cannot read the file"),
        ("{a}lsearch{in/f}".into(), "the name of the file is not an absolute path"),
        (format!(" sqlite,file={i}/d{{SELECT count(*) FROM t}}"), ""),
        (
            format!(" sqlite,file={o}/d{{SELECT count(*) FROM t}}"),
            "the file is not below a folder of lookup_directories",
        ),
        (format!(" sqlite,file={i}/none{{SELECT 1}}"), "cannot read the file"),
        ("{x}nis{map}".into(), "nis is not available here"),
    ] {
        let (found, why) = ask(&engines, &format!("${{lookup{lookup}}}"), b"").await;
        assert!(
            why.starts_with(expected) && (why.is_empty() == expected.is_empty()),
            "{lookup}: {why}"
        );
        assert_eq!(matches!(found, LookupResult::Value(_)), expected.is_empty(), "{lookup}");
    }
    assert!(!inside.join("none").exists(), "a file of an administrator is not made");
}

/// The forms of lines are those of Exim's specification, chapter "File and database lookups".
const LINES: &str = "# comment\nfirst: data of it\n  goes on  \n\tand on\n# within\n not\n\n not\n\
    Second data\nthird:\n\"quoted: \\\" key\": q\nfirst: never\n*.wild.example: w\n\
    *.one.wild.example: o\n*@at.example: at\n192.0.2.1: one\n*: any\n";
const BLOCKS: &str =
    "192.0.2.1 one\n192.0.2.0/24: block\n\"2001:db8::/32\": six\nnames: wrong\n*: any\n";
const WILD: &str =
    "mout-xforward.gmx.net   82.165.159.12\n*.gmx.net 212.227.15.16\nA.example x\n^a: wrong\n";

/// Writes the three, and makes engines that may read them.
fn searched(scratch: &Scratch) -> Engines {
    for (name, text) in [("lines", LINES), ("blocks", BLOCKS), ("wild", WILD)] {
        fs::write(scratch.path().join(name), text).unwrap();
    }
    engines(scratch.path(), &format!("lookup_directories = '{}'", scratch.path().display()))
}

async fn search(
    engines: &Engines,
    scratch: &Scratch,
    kind: &str,
    key: &str,
) -> (LookupResult, String) {
    let file = match kind {
        _ if kind.starts_with("iplsearch") => "blocks",
        "nwildlsearch" => "wild",
        _ => "lines",
    };
    let file = scratch.path().join(file);
    ask(engines, &format!("${{lookup{{$x}}{kind}{{{}}}}}", file.display()), key.as_bytes()).await
}

/// What Exim 4.96 finds in the same files.
#[tokio::test]
async fn lines_are_searched_as_exim_does() {
    let scratch = Scratch::new();
    let engines = searched(&scratch);
    for (kind, key, expected) in [
        ("lsearch", "first", Some("data of it goes on and on")),
        ("lsearch", "FIRST", Some("data of it goes on and on")),
        ("lsearch", "second", Some("data")),
        ("lsearch", "third", Some("")),
        ("lsearch", "quoted: \" key", Some("q")),
        ("lsearch", "# comment", None),
        ("lsearch", "goes", None),
        ("lsearch", "a.wild.example", None),
        ("partial-lsearch", "a.wild.example", Some("w")),
        ("partial-lsearch", "b.a.wild.example", Some("w")),
        ("partial-lsearch", "x.one.wild.example", Some("o")),
        ("partial-lsearch", "one.wild.example", Some("o")),
        ("partial3-lsearch", "a.wild.example", None),
        ("partial-lsearch", "a.example", None),
        ("partial0-lsearch", "a.example", Some("any")),
        ("partial2()lsearch", "x.y.192.0.2.1", Some("one")),
        ("lsearch*", "nobody", Some("any")),
        ("lsearch*@", "x@at.example", Some("at")),
        ("lsearch*@", "x@other.example", Some("any")),
        ("lsearch*", "first", Some("data of it goes on and on")),
        ("iplsearch", "192.0.2.1", Some("one")),
        ("iplsearch", "192.0.2.9", Some("block")),
        ("iplsearch", "::ffff:192.0.2.9", Some("block")),
        ("iplsearch", "2001:db8::9", Some("six")),
        ("nwildlsearch", "mout-xforward.gmx.net", Some("82.165.159.12")),
        ("nwildlsearch", "mout.GMX.net", Some("212.227.15.16")),
        ("nwildlsearch", "a.Example", Some("x")),
    ] {
        let (found, why) = search(&engines, &scratch, kind, key).await;
        assert_eq!(found, expected.map_or(LookupResult::Nothing, value), "{kind} {key}: {why}");
    }
}

#[tokio::test]
async fn a_line_that_cannot_be_read_defers_if_it_is_come_by() {
    let scratch = Scratch::new();
    let engines = searched(&scratch);
    for (kind, key, expected) in [
        ("iplsearch", "host.example", "the key is not an address"),
        ("iplsearch", "10.0.0.1", "line 4 of the file: the key is not an address or a network"),
        ("nwildlsearch", "gmx.net", "line 4 of the file: regular expressions are not supported"),
    ] {
        let (found, why) = search(&engines, &scratch, kind, key).await;
        assert_eq!(found, LookupResult::Deferred, "{kind}");
        assert!(why.starts_with(expected), "{kind}: {why}");
    }
    fs::write(scratch.path().join("blocks"), BLOCKS.replace("names: wrong\n", "")).unwrap();
    for (kind, expected) in [("iplsearch", LookupResult::Nothing), ("iplsearch*", value("any"))] {
        assert_eq!(search(&engines, &scratch, kind, "198.51.100.1").await.0, expected);
    }
    fs::write(scratch.path().join("wild"), WILD.replace("^a: wrong\n", "")).unwrap();
    assert_eq!(
        search(&engines, &scratch, "nwildlsearch", "gmx.net").await.0,
        LookupResult::Nothing
    );
    // The most lines, and one more.
    for (count, expected) in [(99_999, LookupResult::Nothing), (100_000, LookupResult::Deferred)] {
        fs::write(scratch.path().join("lines"), "a:1\n".repeat(count)).unwrap();
        let (found, why) = search(&engines, &scratch, "lsearch", "b").await;
        assert_eq!(found, expected, "{count}: {why}");
    }
}
