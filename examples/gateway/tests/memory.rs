//! The memory limit of all messages, and evictions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::exposition::value;
use super::gateway::{Client, Running};
use super::metrics_page::{ON, families};
use super::scratch::Scratch;
use crate::gateway::server::memory::{Holders, Memory, Room, Share};
use crate::gateway::smtp::tests::session::{Talk, ready, settings};

#[test]
fn many_large_messages_reach_the_limit_and_small_ones_do_not() {
    let memory = Arc::new(Memory::new(1_000_000, 500));
    let mut shares: Vec<_> = (0..4).map(|_| Share::new(Arc::clone(&memory))).collect();
    let set = |share: &mut Share, octets: usize| share.set(octets, Some(octets as u64));
    let room: Vec<_> = shares.iter_mut().map(|share| set(share, 330_000)).collect();
    assert_eq!(room, [Room::Granted, Room::Granted, Room::Granted, Room::Full]);
    assert!(memory.admits(0) && memory.admits(65_536) && !memory.admits(65_537));
    let mut small = Share::new(Arc::clone(&memory));
    assert_eq!(set(&mut small, 65_536), Room::Granted);
    assert_eq!(set(&mut small, 65_537), Room::Full);
    drop(small);
    shares.truncate(1);
    let first = shares.first_mut().unwrap();
    assert_eq!(set(first, 1_000_000), Room::Granted, "what went was given back");
    assert_eq!(set(first, 1_000_001), Room::Full);
    assert_eq!(set(first, 10), Room::Granted);
    // A message that has come whole counts for what it has, and goes with the connection.
    first.set(900_000, None);
    assert!(memory.admits(100_000) && !memory.admits(100_001));
    first.set(0, None);
    assert!(memory.admits(1_000_000));
    first.set(900_000, Some(900_000));
    assert!(!memory.admits(100_001));
    drop(shares);
    assert!(memory.admits(1_000_000) && !memory.admits(1_000_001));
}

/// Ten clients, each with a message of 51 MB that does not go on, in 512 MB.
#[test]
fn hoarders_give_way_after_their_minute() {
    let mut holders = Holders::new(LIMIT, 500);
    let hoarders: Vec<_> = (0..10).map(|name| holders.enter(0, &name, at(0))).collect();
    for &hoarder in &hoarders {
        assert_eq!(holders.set(hoarder, 51 << 20, 51 << 20, at(1)), Room::Granted);
    }
    assert!(!holders.admits(20 << 20, at(59)), "nobody is judged before");
    assert!(holders.take_evicted().is_empty());
    assert!(holders.admits(20 << 20, at(63)));
    let evicted = holders.take_evicted();
    assert_eq!(evicted, [0, 1, 2], "down to three quarters of the limit, and not further");
    assert_eq!(holders.set(hoarders[0], 51 << 20, (51 << 20) + 1, at(64)), Room::Evicted);
    for &hoarder in &hoarders[..3] {
        holders.leave(hoarder);
    }
    // Below three quarters no rate matters.
    assert!(holders.admits(100 << 20, at(10_000)));
    assert!(holders.take_evicted().is_empty());
}

#[test]
fn the_slowest_go_first_and_who_is_quick_enough_never() {
    let mut holders = Holders::new(LIMIT, 500);
    let enter = |holders: &mut Holders<&'static str>, name| holders.enter(0, &name, at(0));
    let (quick, slow, slower) =
        (enter(&mut holders, "quick"), enter(&mut holders, "slow"), enter(&mut holders, "slower"));
    let third = LIMIT / 3;
    for second in 1..=200 {
        for (number, rate) in [(quick, 500), (slow, 490), (slower, 10)] {
            let (octets, received) = (third, third as u64 + rate * second);
            assert_eq!(holders.set(number, octets, received, at(second)), Room::Granted);
        }
    }
    let late = holders.enter(0, &"late", at(190));
    assert_eq!(holders.set(late, LIMIT / 16, LIMIT as u64 / 16, at(200)), Room::Granted);
    assert_eq!(holders.take_evicted(), ["slower"]);
    holders.leave(slower);
    // More is wanted: the next one goes, and then nobody, but the message has no room.
    assert_eq!(holders.set(late, LIMIT / 2, LIMIT as u64 / 2, at(201)), Room::Granted);
    assert_eq!(holders.take_evicted(), ["slow"]);
    assert_eq!(holders.set(late, LIMIT, LIMIT as u64, at(201)), Room::Full);
    assert_eq!(holders.set(quick, third, third as u64 + 100_500, at(201)), Room::Granted);
    assert!(holders.take_evicted().is_empty());
    // Who is silent for a minute is not quick any more, whatever came before.
    holders.set(late, 0, LIMIT as u64, at(202));
    assert!(holders.admits(LIMIT as u64, at(263)));
    assert_eq!(holders.take_evicted(), ["quick", "late"]);
    assert_eq!(holders.set(quick, third, third as u64 + 100_500, at(264)), Room::Evicted);
}

/// One whose own message goes beyond the limit is not spared.
#[test]
fn who_is_slow_goes_for_what_it_wants_itself() {
    let mut holders = Holders::new(1_000_000, 500);
    let number = holders.enter(0, &(), at(0));
    assert_eq!(holders.set(number, 900_000, 900_000, at(1)), Room::Granted);
    assert_eq!(holders.set(number, 1_800_000, 900_100, at(100)), Room::Evicted);
    assert_eq!(holders.take_evicted(), [()]);
    holders.leave(number);
    assert!(holders.admits(1_000_000, at(101)));
    // Without a least rate nobody goes.
    let mut holders = Holders::new(1_000_000, 0);
    let number = holders.enter(0, &(), at(0));
    assert_eq!(holders.set(number, 1_800_000, 900_100, at(100)), Room::Full);
}

/// 500 octets a second are enough, and a judgement is from the sixtieth second on.
#[test]
fn the_rate_and_the_first_minute_have_exact_ends() {
    for (octets, second, evicted) in [
        (0, 59, false),
        (0, 60, true),
        (500 * 60 - 1, 60, true),
        (500 * 60, 60, false),
        (500 * 60 - 1, 100, true),
        (500 * 60, 100, false),
    ] {
        let mut holders = Holders::new(1_000_000, 500);
        let number = holders.enter(0, &(), at(0));
        // What comes in the first second is not in the last minute of the later judgements.
        assert_eq!(holders.set(number, 900_000, 0, at(0)), Room::Granted);
        assert_eq!(holders.set(number, 900_000, octets, at(second - 30)), Room::Granted);
        assert_eq!(holders.admits(200_000, at(second)), evicted, "{octets} {second}");
        assert_eq!(!holders.take_evicted().is_empty(), evicted, "{octets} {second}");
    }
}

/// Four that are silent, of a fifth of the limit each: as few go as make three quarters of it, and none
/// while what is wanted fits.
#[test]
fn nobody_goes_below_three_quarters_of_the_limit() {
    for (wanted, gone) in [(200_000, 0), (200_001, 2), (350_000, 2), (350_001, 3), (550_001, 4)] {
        let mut holders = Holders::new(1_000_000, 500);
        for name in 0..4 {
            let number = holders.enter(0, &name, at(0));
            assert_eq!(holders.set(number, 200_000, 200_000, at(0)), Room::Granted);
        }
        assert!(holders.admits(wanted, at(100)), "{wanted}");
        assert_eq!(holders.take_evicted().len(), gone, "{wanted}");
    }
}

/// A session says why, wherever in its message the client is, and ends.
#[test]
fn who_has_to_go_is_told_so() {
    for command in ["DATA\r\na: b\r\n", "BDAT 10\r\na: b\r\n", "BDAT 6\r\na: b\r\n"] {
        let mut talk: Talk = ready(settings());
        for line in command.split_inclusive("\r\n") {
            talk.say(line);
        }
        talk.session.handle_eviction();
        assert_eq!(talk.replies(), format!("{EVICTED}\r\n"));
        assert!(talk.closed && talk.messages.is_empty() && talk.session.transaction().is_none());
    }
}

/// Through the server: three who hold a message each, a fourth who wants to send one.
#[tokio::test]
async fn the_slowest_are_closed_for_others_and_the_quick_stay() {
    let seconds = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&seconds);
    let options = format!("{ON}message_size_limit = 300000\n");
    let scratch = Scratch::new();
    let config = Running::config(scratch.path(), &options);
    let running = Running::serve_changed(scratch, config, |gateway| {
        let now = move || at(clock.load(Ordering::Relaxed));
        gateway.memory = Arc::new(Memory::with_clock(1_000_000, 500, now));
    });
    let running = running.await;
    let (mut silent, mut slow, mut quick) =
        (sending(&running).await, sending(&running).await, sending(&running).await);
    for (client, octets) in [(&mut silent, 290_000), (&mut slow, 280_000), (&mut quick, 250_000)] {
        chunk(client, octets).await;
    }
    seconds.store(40, Ordering::Relaxed);
    chunk(&mut slow, 10_000).await;
    chunk(&mut quick, 40_000).await;
    // Within their first minute nobody goes, and the message has no room.
    let mut other = greeted(&running).await;
    let more = "MAIL FROM:<a@b.example> SIZE=140000";
    assert!(other.say(more).await.starts_with("452 4.3.1 "));
    seconds.store(65, Ordering::Relaxed);
    assert!(other.say(more).await.starts_with("250"));
    assert_eq!(silent.rest().await, format!("{EVICTED}\r\n"));
    // The others have not been touched: one may go on, until more is wanted.
    chunk(&mut slow, 1).await;
    let mut young = sending(&running).await;
    chunk(&mut young, 290_000).await;
    other.say("RSET").await;
    assert!(other.say(more).await.starts_with("250"));
    assert_eq!(slow.rest().await, format!("{EVICTED}\r\n"));
    let mut last = sending(&running).await;
    chunk(&mut last, 290_000).await;
    let metrics = families(&running).await;
    assert_eq!(value(&metrics, "gateway_message_evictions_total"), Some(2.0));
    assert_eq!(value(&metrics, "gateway_messages_total{result=\"broken_off\"}"), Some(2.0));
    assert_eq!(value(&metrics, "gateway_message_memory_limit_bytes"), Some(1_000_000.0));
    let held = value(&metrics, "gateway_message_memory_bytes").unwrap();
    assert!((870_000.0..1_000_000.0).contains(&held), "{held}");
    // There is nobody left who is slow.
    other.say("RSET").await;
    assert!(other.say(more).await.starts_with("452 4.3.1 "));
    other.quit().await;
    for mut client in [quick, young, last] {
        client.raw(b"BDAT 1 LAST\r\n").await;
        assert!(client.say("x").await.starts_with("250"));
        client.quit().await;
    }
    running.end().await;
}

/// The option, as `examples/gateway/README.md` has it: whoever is slower than it says goes, and with 0 nobody does.
#[tokio::test]
async fn the_option_says_who_is_slow() {
    for (option, goes) in [
        ("", false),
        ("smtp_data_min_rate = 5000", true),
        ("smtp_data_min_rate = '4K'", false),
        ("smtp_data_min_rate = 0", false),
    ] {
        let seconds = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&seconds);
        let scratch = Scratch::new();
        let options = format!("event_action = ''\nmessage_size_limit = 300000\n{option}\n");
        let config = Running::config(scratch.path(), &options);
        let rate = config.server.startup.smtp_data_min_rate;
        let running = Running::serve_changed(scratch, config, |gateway| {
            let now = move || at(clock.load(Ordering::Relaxed));
            gateway.memory = Arc::new(Memory::with_clock(400_000, rate, now));
        });
        let running = running.await;
        let mut slow = sending(&running).await;
        // In its last minute it sends 4,500 octets a second.
        seconds.store(10, Ordering::Relaxed);
        chunk(&mut slow, 270_000).await;
        seconds.store(70, Ordering::Relaxed);
        let mut other = greeted(&running).await;
        let reply = other.say("MAIL FROM:<a@b.example> SIZE=290000").await;
        assert!(reply.starts_with(if goes { "250 " } else { "452 4.3.1 " }), "{option}: {reply}");
        if goes {
            assert_eq!(slow.rest().await, format!("{EVICTED}\r\n"));
        } else {
            slow.raw(b"BDAT 1 LAST\r\n").await;
            assert!(slow.say("x").await.starts_with("250"), "{option}");
        }
        other.quit().await;
        running.end().await;
    }
}

/// A stream of commands in pieces that never end where a command does: what is left of them is counted
/// each time, and given back when the last one ends.
#[test]
fn commands_that_have_not_ended_are_counted_and_given_back() {
    let memory = Arc::new(Memory::new(1_000_000, 500));
    let mut share = Share::new(Arc::clone(&memory));
    let mut quiet = settings();
    quiet.smtp_max_refused = 0;
    let mut talk = Talk::new(quiet);
    talk.replies();
    talk.say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n");
    let line = format!("{:<4094}\r\n", "RCPT TO:<no@example.com>");
    let stream = line.repeat(6);
    let mut at = 0;
    for piece in [4095, 4097, 3000, 5000, 1, 8191, 16_383, 100].repeat(20) {
        talk.say(&stream[at % 4096..at % 4096 + piece]);
        at += piece;
        let (held, unfinished) = (talk.session.held(), at % 4096);
        assert!(held >= unfinished && held < 64 << 10, "{held} for {unfinished}");
        assert_eq!(share.set(held, talk.session.received()), Room::Granted);
        assert!(memory.admits((1_000_000 - held) as u64), "{held}");
        assert!(!memory.admits((1_000_001 - held) as u64), "{held}");
    }
    talk.say(&stream[at % 4096..4096]);
    let kept = talk.session.held();
    assert!(kept <= 1024, "a drained buffer keeps {kept}");
    share.set(kept, talk.session.received());
    assert!(memory.admits((1_000_000 - kept) as u64));
    talk.session.handle_end();
    drop(share);
    assert!(memory.admits(1_000_000));
}

/// The same of many connections of a server.
#[tokio::test]
async fn the_server_counts_what_connections_have_of_commands() {
    let memory = Arc::new(Memory::new(1_000_000, 500));
    let scratch = Scratch::new();
    let config = Running::config(scratch.path(), "event_action = ''\n");
    let shared = Arc::clone(&memory);
    let running = Running::serve_changed(scratch, config, |gateway| gateway.memory = shared).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = greeted(&running).await;
        client.raw(&b"N".repeat(1000)).await;
        client.raw(&b"x".repeat(3000)).await;
        clients.push(client);
    }
    wait(|| !memory.admits(1_000_001 - 20 * 4000)).await;
    assert!(memory.admits(1_000_000 - 20 * 16_384), "not more than there is");
    for client in &mut clients {
        assert!(client.say("").await.starts_with("500 "));
    }
    wait(|| memory.admits(1_000_000 - 20 * 1024)).await;
    // Who goes in the middle of a command gives it back, too.
    for client in &mut clients {
        client.raw(&b"x".repeat(4000)).await;
    }
    wait(|| !memory.admits(1_000_001 - 20 * 4000)).await;
    drop(clients);
    wait(|| memory.admits(1_000_000)).await;
    running.end().await;
}

/// Waits for what the server does in its time.
async fn wait(done: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "waited in vain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn greeted(running: &Running) -> Client {
    let mut client = running.client().await;
    client.say("EHLO c.example").await;
    client
}

/// One whose message can begin.
async fn sending(running: &Running) -> Client {
    let mut client = greeted(running).await;
    assert!(client.say("MAIL FROM:<a@b.example>").await.starts_with("250"));
    assert!(client.say("RCPT TO:<a@example.com>").await.starts_with("250"));
    client
}

/// Sends some of a message, which has been read when this returns.
async fn chunk(client: &mut Client, octets: usize) {
    let text = "a: b\r\n".bytes().cycle().take(octets);
    client.raw(format!("BDAT {octets}\r\n").as_bytes()).await;
    client.raw(&text.collect::<Vec<_>>()).await;
    let reply = client.reply().await;
    assert!(reply.starts_with("250") && reply.ends_with("octets received"), "{reply}");
}

const EVICTED: &str = "421 4.3.1 message data too slow while the server is short of memory";

fn at(second: u64) -> Duration {
    Duration::from_secs(second)
}

const LIMIT: usize = 512 << 20;
