//! Waiting events: in memory, in a file, over a stop and a start.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use event_expand::{Event, EventName};
use mail_types::exim::{Trust, Variable};

use super::gateway::{Running, make_table, rows};
use super::scenario::no_lists;
use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::events::Events;
use crate::gateway::events::overflow::Overflow;
use crate::gateway::events::queue::{Counts, Queue, QueuedWork};
use crate::gateway::events::raised_event::{Facts, MAX_VALUE, RaisedEvent, bounded};
use crate::gateway::events::record;
use crate::gateway::events::record::RecordError;
use crate::gateway::lookups::engines::Engines;
use crate::gateway::telemetry::metrics::readings::EventsReading;

fn raised(number: usize) -> RaisedEvent {
    let facts = Facts::default().with("sender_address", b"ann@a.example", Trust::Untrusted);
    let event = Event::new(EventName::MsgDelivery)
        .data(format!("{number}").as_bytes(), Trust::Untrusted)
        .with("transport_name", b"remote_smtp", Trust::Trusted)
        .with("local_part", b"\xff\0'\n", Trust::Untrusted);
    RaisedEvent::new(event, facts)
}

fn data(raised: &RaisedEvent) -> String {
    let Variable::Value(data) = raised.event.variable("event_data") else {
        return String::new();
    };
    data.to_string()
}

pub(super) fn start(folder: &Path, options: &str) -> Events {
    let config = Running::config(folder, options);
    let engines = Arc::new(Engines::new(&config.server.live.lookups).unwrap());
    Events::start(
        &config.server.startup.events,
        folder,
        &config.server.live.lookups.sqlite_dbfile,
        &engines,
        no_lists(),
        &Arc::default(),
    )
    .unwrap()
}

fn seen(folder: &Path) -> Vec<String> {
    rows(folder).iter().map(|row| row["event_data"].clone()).collect()
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_record_comes_back_as_it_was() {
    let whole = raised(7);
    let mut bytes = b"before".to_vec();
    record::write(&whole, &mut bytes);
    let bytes = &bytes[6..];
    let (rest, read) =
        record::parse(&[bytes, b"behind"].concat()).map(|(r, o)| (r.to_vec(), o)).unwrap();
    assert_eq!((rest.as_slice(), &read), (&b"behind"[..], &whole));
    for end in 0..bytes.len() {
        assert_eq!(record::parse(&bytes[..end]), Err(RecordError::Incomplete), "{end}");
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.to_vec();
        damaged[at] ^= 0x40;
        assert!(record::parse(&damaged).is_err(), "{at}");
    }
    let unset = RaisedEvent {
        at: UNIX_EPOCH,
        ..RaisedEvent::new(Event::new(EventName::TcpClose), Facts::default())
    };
    let mut bytes = Vec::new();
    record::write(&unset, &mut bytes);
    let (_, read) = record::parse(&bytes).unwrap();
    assert_eq!((read.name(), read.at), (EventName::TcpClose, UNIX_EPOCH));
    assert_eq!(read.event.variable("host"), Variable::Unset);
}

#[test]
fn a_value_is_cut_at_its_limit_and_at_a_character() {
    let long = "x".repeat(MAX_VALUE);
    assert_eq!(bounded(long.as_bytes()).len(), MAX_VALUE);
    assert_eq!(bounded(format!("{long}y").as_bytes()), long.as_bytes());
    let wide = "€".repeat(MAX_VALUE / 3 + 1);
    let cut = std::str::from_utf8(bounded(wide.as_bytes())).unwrap();
    assert_eq!(cut.len(), MAX_VALUE / 3 * 3);
    assert_eq!(
        bounded(&[0x80; MAX_VALUE + 9]).len(),
        MAX_VALUE - 3,
        "what is no UTF-8 is cut as well"
    );
}

#[test]
fn a_full_queue_puts_aside_up_to_the_limit_and_counts_what_is_lost() {
    let scratch = Scratch::new();
    let mut one = Vec::new();
    record::write(&raised(0), &mut one);
    let overflow = Overflow::open(scratch.path(), one.len() as u64 * 2).unwrap();
    let queue = Queue::new(3, overflow);
    (0..3).for_each(|number| queue.put(raised(number)));
    assert_eq!(queue.counts(), Counts::default(), "at the limit");
    // Three are on their way into the file, which has room for two; there is none for the last.
    (3..7).for_each(|number| queue.put(raised(number)));
    assert_eq!(queue.counts(), Counts { overflow: 0, lost: 1 });
    let reading = EventsReading { waiting: 6, in_file: 0, overflowed: 0, lost: 1 };
    assert_eq!(queue.reading(), reading);
    let mut lost = Vec::new();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| queue.put_aside(|counts| lost.push(counts.lost)));
        let end = Instant::now() + LONG;
        while queue.counts().overflow < 2 && Instant::now() < end {
            std::thread::yield_now();
        }
        let reading = queue.reading();
        assert_eq!((reading.waiting, reading.overflowed), (3, 2));
        assert_eq!(reading.in_file, one.len() as u64 * 2);
        queue.end(Instant::now() + LONG);
        let mut worked = Vec::new();
        loop {
            match queue.next() {
                QueuedWork::Events(events) => worked.extend(events.iter().map(data)),
                QueuedWork::Overflow(read) => {
                    worked.extend(read.events.iter().map(data));
                    assert!(queue.forget(&read));
                }
                QueuedWork::End => break,
            }
        }
        assert_eq!(worked, ["0", "1", "2", "3", "4"]);
        queue.finish();
        thread.join().unwrap();
    });
    assert_eq!(queue.counts(), Counts { overflow: 2, lost: 2 });
    let reading = EventsReading { waiting: 0, in_file: 0, overflowed: 2, lost: 2 };
    assert_eq!(queue.reading(), reading);
    assert_eq!(lost, [2], "it is said");
}

#[test]
fn a_file_goes_on_where_it_was_and_is_emptied() {
    let scratch = Scratch::new();
    let all: Vec<_> = (0..3000).map(raised).collect();
    let mut overflow = Overflow::open(scratch.path(), 1 << 20).unwrap();
    assert_eq!(overflow.append(&all).unwrap(), 0);
    let first = overflow.read().unwrap();
    assert!(first.events.len() < all.len());
    overflow.forget(&first).unwrap();
    drop(overflow);
    let mut overflow = Overflow::open(scratch.path(), 1 << 20).unwrap();
    let second = overflow.read().unwrap();
    assert_eq!(data(&second.events[0]), first.events.len().to_string());
    overflow.forget(&second).unwrap();
    while !overflow.is_empty() {
        let read = overflow.read().unwrap();
        overflow.forget(&read).unwrap();
    }
    assert_eq!(fs::metadata(Overflow::path(scratch.path())).unwrap().len(), 16);
}

#[test]
fn a_damaged_file_is_read_up_to_the_damage_and_a_foreign_one_not_at_all() {
    let scratch = Scratch::new();
    let path = Overflow::path(scratch.path());
    let mut overflow = Overflow::open(scratch.path(), 1 << 20).unwrap();
    overflow.append(&[raised(1), raised(2)]).unwrap();
    drop(overflow);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let mut overflow = Overflow::open(scratch.path(), 1 << 20).unwrap();
    let first = overflow.read().unwrap();
    assert_eq!((first.events.len(), first.damaged), (1, false));
    overflow.forget(&first).unwrap();
    let second = overflow.read().unwrap();
    assert_eq!((second.events.len(), second.damaged), (0, true));
    overflow.forget(&second).unwrap();
    assert!(overflow.is_empty());
    for foreign in [&b"events 0\x10\0\0\0\0\0\0\0"[..], b"events 1\xff\0\0\0\0\0\0\0", b"short"] {
        fs::write(&path, foreign).unwrap();
        assert!(Overflow::open(scratch.path(), 1 << 20).unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_left_is_worked_off_by_the_next() {
    let scratch = Scratch::new();
    make_table(scratch.path());
    let mut overflow = Overflow::open(scratch.path(), 1 << 20).unwrap();
    let long_ago = RaisedEvent { at: UNIX_EPOCH + Duration::from_secs(86_399), ..raised(5) };
    overflow.append(&[raised(4), long_ago]).unwrap();
    drop(overflow);
    let events = start(scratch.path(), "");
    events.raise(raised(6));
    events.close(LONG).await;
    let mut seen = seen(scratch.path());
    seen.sort();
    assert_eq!(seen, ["4", "5", "6"]);
    assert!(Overflow::open(scratch.path(), 0).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_database_puts_off_events_and_nothing_else() {
    let scratch = Scratch::new();
    make_table(scratch.path());
    let busy = rusqlite::Connection::open(scratch.path().join("gateway.sqlite")).unwrap();
    busy.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let events = start(scratch.path(), "event_queue_max = 10");
    let before = Instant::now();
    (0..200).for_each(|number| events.raise(raised(number)));
    assert!(before.elapsed() < Duration::from_secs(1), "nobody waits");
    let unreadable = Config::parse("event_queue_max = 0").unwrap_err().to_string();
    assert!(unreadable.contains("event_queue_max"), "{unreadable}");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    drop(busy);
    events.close(LONG).await;
    let counts = events.counts();
    let seen = seen(scratch.path()).len() as u64;
    assert!(counts.overflow > 0 && seen >= counts.overflow, "{counts:?} {seen}");
    assert_eq!(seen + counts.lost, 200, "{counts:?}");
}

/// Whoever holds the database until the end keeps no event out of it for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_locked_until_the_stop_has_its_events_at_the_next_start() {
    let scratch = Scratch::new();
    make_table(scratch.path());
    let busy = rusqlite::Connection::open(scratch.path().join("gateway.sqlite")).unwrap();
    busy.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let events = start(scratch.path(), "");
    (0..50).for_each(|number| events.raise(raised(number)));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = Instant::now();
    events.close(Duration::from_millis(100)).await;
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    assert_eq!(events.counts(), Counts { overflow: 50, lost: 0 });
    drop(busy);
    let events = start(scratch.path(), "");
    events.close(LONG).await;
    let seen = seen(scratch.path());
    let expected: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    assert_eq!(seen, expected, "in their order");
}

/// What is not worked off in time is put aside, and comes at the next start.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_keeps_its_deadline() {
    let scratch = Scratch::new();
    make_table(scratch.path());
    let events = start(scratch.path(), "");
    (0..50).for_each(|number| events.raise(raised(number)));
    events.close(Duration::ZERO).await;
    let first = seen(scratch.path()).len();
    events.raise(raised(50));
    assert_eq!(events.counts().lost, 1, "who comes too late is counted");
    let events = start(scratch.path(), "");
    events.close(LONG).await;
    let seen = seen(scratch.path());
    assert_eq!(seen.len(), 50, "{first} at first");
}

#[tokio::test]
async fn moments_are_those_of_the_event() {
    use event_expand::Variables;
    let late = RaisedEvent { at: UNIX_EPOCH + Duration::from_secs(1_415_926_535), ..raised(0) };
    for (name, value) in [
        ("tod_epoch", "1415926535"),
        ("tod_log", "2014-11-14 00:55:35"),
        ("tod_zulu", "20141114005535Z"),
    ] {
        let Variable::Value(found) = late.variable(name) else { panic!("{name}") };
        assert_eq!(found.to_string(), value);
    }
    let now = SystemTime::now();
    assert!(raised(0).at <= now);
}
