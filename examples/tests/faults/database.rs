//! Databases that another program has locked.

use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::clients::{MAIL, Mail, of};
use super::fault::{Gateway, check_mail, under_load};
use crate::load::program::Files;

/// Of senders whose names begin so, the rule asks the database.
const ASKED: Mail = Mail { from: "asked@client.test", ..MAIL };
const OTHER: Mail = Mail { from: "other@client.test", ..MAIL };

const RULE: &str = r#"
[[acl_smtp_mail]]
verb = 'deny'
senders = '^asked@'
condition = """${lookup sqlite{SELECT 1 FROM blocked WHERE sender = '${quote_sqlite:$sender_address}'}{yes}{no}}"""
"#;

#[test]
fn a_locked_database_defers_what_depends_on_it_and_nothing_else() {
    let files = Files::new("faults-lookup");
    let file = files.path("blocked.db");
    let database = Connection::open(&file).unwrap();
    database
        .execute_batch("CREATE TABLE blocked (sender); INSERT INTO blocked VALUES ('x')")
        .unwrap();
    let options = format!(
        "sqlite_dbfile = '{}'\nlookup_timeout = '1s'\nevent_action = ''\n{RULE}",
        file.display()
    );
    let gateway = Gateway::start_in(files, &options);
    let told = under_load(
        &gateway.address,
        &[ASKED, OTHER],
        || database.execute_batch("BEGIN EXCLUSIVE").unwrap(),
        || database.execute_batch("COMMIT").unwrap(),
    );
    let (asked, other) = (of(&ASKED, &told.during), of(&OTHER, &told.during));
    assert!(!asked.is_empty() && asked.iter().all(|answer| answer.is_deferred()), "{asked:?}");
    assert!(other.len() > 10 && other.iter().all(|answer| answer.is_taken()), "{other:?}");
    check_mail(|| gateway.mail(), &told.all);
}

#[test]
fn events_wait_for_a_locked_database_and_mail_does_not() {
    let gateway = Gateway::start("faults-events", "event_profile = 'current'");
    let file = gateway.files.path("spool/gateway.sqlite");
    let open = || Connection::open(&file).unwrap();
    let lock = open();
    let told = under_load(
        &gateway.address,
        &[MAIL],
        || {
            lock.busy_timeout(Duration::from_secs(5)).unwrap();
            lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
        },
        || lock.execute_batch("COMMIT").unwrap(),
    );
    assert!(told.during.len() > 10, "{:?}", told.during);
    assert!(told.during.iter().all(|attempt| attempt.answer.is_taken()), "{:?}", told.during);
    check_mail(|| gateway.mail(), &told.all);
    let database = open();
    let deliveries = || -> i64 {
        let sql = "SELECT count(DISTINCT message_id) FROM events WHERE event = 'msg:delivery'";
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let end = Instant::now() + Duration::from_secs(30);
    while deliveries() < i64::try_from(told.all.len()).unwrap() {
        assert!(Instant::now() < end, "{} events of {}", deliveries(), told.all.len());
        thread::sleep(Duration::from_millis(50));
    }
}
