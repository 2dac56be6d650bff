//! The choice of a server and the retries, with the time of each step as an argument.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::time::{Duration, Instant};

use redis_lookup::{
    Address, Attempt, DeferReason, Effect, Failover, Failure, Link, Next, Part, Refusal, Servers,
    SlotRange,
};

const TIME: Duration = Duration::from_secs(5);

fn failover(servers: &str) -> Failover {
    Failover::new(&Servers::parse(servers).unwrap(), TIME)
}

fn read() -> Attempt {
    Attempt::new(Effect::Read, Some(0))
}

fn write() -> Attempt {
    Attempt::new(Effect::Write, Some(0))
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Expects to be told to open something, and returns it.
fn opens(failover: &mut Failover, attempt: &mut Attempt, now: Instant) -> Link {
    match failover.next(attempt, now) {
        Next::Open { link, .. } => link,
        next => panic!("{next:?}"),
    }
}

fn sends(failover: &mut Failover, attempt: &mut Attempt, now: Instant) -> Link {
    match failover.next(attempt, now) {
        Next::Send { link, asking: false } => link,
        next => panic!("{next:?}"),
    }
}

fn gives_up(failover: &mut Failover, attempt: &mut Attempt, now: Instant) -> DeferReason {
    match failover.next(attempt, now) {
        Next::GiveUp(reason) => reason,
        next => panic!("{next:?}"),
    }
}

fn refused(text: &str) -> Failure {
    Failure::Refused(Refusal::new(text.as_bytes()))
}

/// Opens what a command needs, and returns it.
fn open(failover: &mut Failover, now: Instant) -> Link {
    let mut attempt = read();
    let link = opens(failover, &mut attempt, now);
    failover.handle_opened(link);
    assert_eq!(sends(failover, &mut attempt, now), link);
    link
}

#[test]
fn one_opens_and_the_others_wait() {
    let (mut failover, now) = (failover("a//"), Instant::now());
    let (mut first, mut second) = (read(), write());
    let link = opens(&mut failover, &mut first, now);
    assert_eq!(failover.next(&mut second, now), Next::Await(link));
    failover.handle_opened(link);
    assert_eq!(sends(&mut failover, &mut second, now), link);
    assert_eq!(sends(&mut failover, &mut first, now), link);
}

#[test]
fn while_a_server_is_known_to_be_down_nobody_waits() {
    let (mut failover, now) = (failover("a//"), Instant::now());
    let mut attempt = read();
    let link = opens(&mut failover, &mut attempt, now);
    failover.handle_open_failed(link, "refused", now);
    let down =
        DeferReason::Unreachable { server: "a:6379/0".to_owned(), why: "refused".to_owned() };
    assert_eq!(gives_up(&mut failover, &mut attempt, now), down);
    assert_eq!(gives_up(&mut failover, &mut read(), now + ms(24)), down);
    // One tries; the others still do not wait.
    let mut now = now + ms(25);
    let link = opens(&mut failover, &mut read(), now);
    assert_eq!(gives_up(&mut failover, &mut read(), now), down);
    // The pauses double, up to a quarter of a second.
    for pause in [50, 100, 200, 250, 250] {
        failover.handle_open_failed(link, "refused", now);
        assert_eq!(gives_up(&mut failover, &mut read(), now + ms(pause - 1)), down);
        now += ms(pause);
        assert_eq!(opens(&mut failover, &mut read(), now), link);
    }
    failover.handle_opened(link);
    assert_eq!(sends(&mut failover, &mut read(), now), link);
}

#[test]
fn a_server_that_failed_gets_less_time_but_all_of_it_now_and_then() {
    let (mut failover, mut now) = (failover("a//"), Instant::now());
    let mut given = Vec::new();
    for _ in 0..6 {
        let Next::Open { link, within } = failover.next(&mut read(), now) else { unreachable!() };
        given.push(within);
        failover.handle_open_failed(link, "slow", now);
        now += ms(250);
    }
    assert_eq!(given, [TIME, ms(700), ms(700), ms(700), TIME, ms(700)]);
}

#[test]
fn servers_are_asked_in_their_order() {
    let (mut failover, now) = (failover("a// : b//"), Instant::now());
    let mut attempt = write();
    let a = opens(&mut failover, &mut attempt, now);
    failover.handle_open_failed(a, "refused", now);
    let b = opens(&mut failover, &mut attempt, now);
    assert_eq!((a.server, b.server), (0, 1));
    failover.handle_opened(b);
    assert_eq!(sends(&mut failover, &mut attempt, now), b);
    assert_eq!(sends(&mut failover, &mut write(), now), b);
    // The first one is opened again when it is due, and meanwhile nobody waits for it.
    let due = now + ms(25);
    let (mut attempt, mut other) = (write(), write());
    assert!(matches!(failover.next(&mut attempt, due), Next::Probe { link, .. } if link == a));
    assert_eq!(sends(&mut failover, &mut attempt, due), b);
    assert_eq!(sends(&mut failover, &mut other, due), b);
    failover.handle_opened(a);
    assert_eq!(sends(&mut failover, &mut write(), due), a);
    assert_eq!(sends(&mut failover, &mut attempt, due), b, "it does not go back");
}

#[test]
fn of_servers_that_are_all_down_the_one_that_is_due_is_waited_for() {
    let (mut failover, now) = (failover("a// : b//"), Instant::now());
    let mut attempt = write();
    let a = opens(&mut failover, &mut attempt, now);
    failover.handle_open_failed(a, "refused", now);
    let b = opens(&mut failover, &mut attempt, now);
    failover.handle_open_failed(b, "refused", now);
    assert!(matches!(gives_up(&mut failover, &mut attempt, now), DeferReason::Unreachable { .. }));
    let mut attempt = write();
    assert_eq!(opens(&mut failover, &mut attempt, now + ms(25)), a);
    failover.handle_opened(a);
    assert_eq!(sends(&mut failover, &mut attempt, now + ms(25)), a);
}

#[test]
fn what_proves_that_nothing_was_done_goes_to_the_next_server() {
    for (failure, proof) in [
        (Failure::NotSent, true),
        (refused("MOVED 1 c:1"), true),
        (refused("READONLY x"), true),
        (refused("LOADING x"), true),
        (refused("MASTERDOWN x"), true),
        (refused("CLUSTERDOWN x"), true),
        (refused("TRYAGAIN x"), true),
        (Failure::Cut, false),
        (Failure::TimedOut { silent: true, limit: TIME }, false),
        (refused("NOPERM x"), false),
        (refused("WRONGTYPE x"), false),
        (refused("ERR x"), false),
    ] {
        assert_eq!(failure.proves_nothing_done(), proof, "{failure:?}");
        let (mut failover, now) = (failover("a// : b//"), Instant::now());
        let a = open(&mut failover, now);
        let mut attempt = write();
        assert_eq!(sends(&mut failover, &mut attempt, now), a);
        failover.handle_failure(&mut attempt, a, &failure, now);
        match failover.next(&mut attempt, now) {
            // A connection that was closed before is opened anew first.
            Next::Open { link, .. } if proof => {
                let again = failure == Failure::NotSent;
                assert_eq!(link.server, usize::from(!again), "{failure:?}");
            }
            Next::GiveUp(reason) if !proof => {
                let doubt = !matches!(failure, Failure::Refused(_));
                assert_eq!(reason.is_in_doubt(), doubt, "{failure:?}");
            }
            next => panic!("{failure:?}: {next:?}"),
        }
    }
}

#[test]
fn the_last_server_of_a_list_has_the_last_word() {
    let (mut failover, now) = (failover("a//"), Instant::now());
    let a = open(&mut failover, now);
    for text in ["MOVED 1 b:1", "READONLY x", "LOADING x", "NOPERM x"] {
        let mut attempt = write();
        if let Next::Open { link, .. } = failover.next(&mut attempt, now) {
            failover.handle_opened(link);
        }
        failover.handle_failure(&mut attempt, a, &refused(text), now);
        let expected = DeferReason::Refused(Refusal::new(text.as_bytes()));
        assert_eq!(gives_up(&mut failover, &mut attempt, now), expected);
    }
    assert_eq!(
        gives_up(&mut Failover::new(&Servers::default(), TIME), &mut read(), now),
        DeferReason::NoServer
    );
}

#[test]
fn a_command_that_only_reads_is_sent_once_more() {
    let (mut failover, now) = (failover("a// : b//"), Instant::now());
    let a = open(&mut failover, now);
    let mut attempt = read();
    failover.handle_failure(&mut attempt, a, &Failure::Cut, now);
    assert_eq!(opens(&mut failover, &mut attempt, now), a);
    failover.handle_opened(a);
    assert_eq!(sends(&mut failover, &mut attempt, now), a);
    failover.handle_failure(&mut attempt, a, &Failure::Cut, now);
    assert_eq!(opens(&mut failover, &mut attempt, now).server, 1);
}

#[test]
fn a_server_that_says_nothing_is_tried_by_one_alone() {
    let (mut failover, now) = (failover("a//"), Instant::now());
    let a = open(&mut failover, now);
    let (mut slow, mut silent) = (read(), read());
    failover.handle_failure(&mut slow, a, &Failure::TimedOut { silent: false, limit: TIME }, now);
    assert_eq!(sends(&mut failover, &mut read(), now), a, "others get answers");
    failover.handle_failure(&mut silent, a, &Failure::TimedOut { silent: true, limit: TIME }, now);
    assert_eq!(
        gives_up(&mut failover, &mut silent, now),
        DeferReason::TimedOut { limit: TIME, sent: true }
    );
    assert_eq!(opens(&mut failover, &mut read(), now), a);
    let down = gives_up(&mut failover, &mut read(), now);
    assert_eq!(down.to_string(), "a:6379/0 cannot be reached: no reply before the deadline");
}

const SENTINELS: &str = "<; redis+sentinel://a:1,b:2/m";

fn addresses(failover: &Failover, link: Link) -> Vec<String> {
    failover.addresses(link).iter().map(ToString::to_string).collect()
}

#[test]
fn sentinels_are_asked_anew_where_the_master_is_none_any_more() {
    let (mut failover, now) = (failover(SENTINELS), Instant::now());
    let master = open(&mut failover, now);
    assert_eq!(addresses(&failover, master), ["a:1", "b:2"]);
    let mut attempt = write();
    assert_eq!(sends(&mut failover, &mut attempt, now), master);
    failover.handle_failure(&mut attempt, master, &refused("READONLY x"), now);
    // The same command goes to the successor, once.
    assert_eq!(opens(&mut failover, &mut attempt, now), master);
    failover.handle_opened(master);
    assert_eq!(sends(&mut failover, &mut attempt, now), master);
    failover.handle_failure(&mut attempt, master, &refused("READONLY x"), now);
    let refused = DeferReason::Refused(Refusal::new(b"READONLY x"));
    assert_eq!(gives_up(&mut failover, &mut attempt, now), refused);
    assert_eq!(opens(&mut failover, &mut read(), now), master);
}

#[test]
fn sentinels_are_kept_and_the_useless_asked_last() {
    let (mut failover, now) = (failover(SENTINELS), Instant::now());
    let master = opens(&mut failover, &mut read(), now);
    failover.handle_sentinels(master, [Address::tcp("b", 2), Address::tcp("c", 3)]);
    failover.handle_useless(master, &Address::tcp("a", 1));
    assert_eq!(addresses(&failover, master), ["b:2", "c:3", "a:1"]);
    failover.handle_useless(master, &Address::tcp("c", 3));
    assert_eq!(addresses(&failover, master), ["b:2", "a:1", "c:3"]);
    failover.handle_sentinels(master, (1..1000).map(|port| Address::tcp("x", port)));
    assert_eq!(failover.addresses(master).len(), Failover::MAX_NODES);
}

fn range(first: u16, last: u16, nodes: &[&str]) -> SlotRange {
    SlotRange::new(first, last, nodes.iter().map(|node| Address::tcp(*node, 1)).collect())
}

/// A cluster with its map, and the links of its nodes `a` and `b`, which are open.
fn cluster(now: Instant) -> (Failover, Link, Link) {
    let mut failover = failover("<; redis+cluster://a:1");
    let map = opens(&mut failover, &mut read(), now);
    assert_eq!((map.part, addresses(&failover, map)), (Part::Slots, vec!["a:1".to_owned()]));
    failover.handle_slots(map, &[range(0, 99, &["a", "c"]), range(100, 16_383, &["b"])], now);
    let a = open(&mut failover, now);
    let mut attempt = Attempt::new(Effect::Read, Some(100));
    let b = opens(&mut failover, &mut attempt, now);
    failover.handle_opened(b);
    assert_eq!(sends(&mut failover, &mut attempt, now), b);
    (failover, a, b)
}

#[test]
fn a_cluster_says_which_node_has_a_slot() {
    let now = Instant::now();
    let (mut failover, a, b) = cluster(now);
    assert_eq!(addresses(&failover, a), ["a:1"]);
    assert_eq!(addresses(&failover, b), ["b:1"]);
    // MOVED is followed, by writes too, and remembered.
    let mut attempt = write();
    assert_eq!(sends(&mut failover, &mut attempt, now), a);
    failover.handle_failure(&mut attempt, a, &refused("MOVED 0 b:1"), now);
    assert_eq!(sends(&mut failover, &mut attempt, now), b);
    assert_eq!(sends(&mut failover, &mut write(), now), b);
    // ASK is followed for this once; a host left out is that of the node.
    let mut attempt = write();
    failover.handle_failure(&mut attempt, a, &refused("ASK 0 :2"), now);
    let other = opens(&mut failover, &mut attempt, now);
    assert_eq!(addresses(&failover, other), ["a:2"]);
    failover.handle_opened(other);
    assert_eq!(failover.next(&mut attempt, now), Next::Send { link: other, asking: true });
    assert_eq!(sends(&mut failover, &mut write(), now), b);
}

#[test]
fn redirections_have_an_end() {
    let now = Instant::now();
    let (mut failover, a, b) = cluster(now);
    let mut attempt = write();
    for _ in 0..Attempt::MAX_REDIRECTS {
        let link = sends(&mut failover, &mut attempt, now);
        let to = if link == a { "MOVED 0 b:1" } else { "MOVED 0 a:1" };
        failover.handle_failure(&mut attempt, link, &refused(to), now);
    }
    let link = sends(&mut failover, &mut attempt, now);
    assert_eq!(link, b);
    failover.handle_failure(&mut attempt, link, &refused("MOVED 0 a:1"), now);
    assert_eq!(gives_up(&mut failover, &mut attempt, now), DeferReason::Redirects { limit: 5 });
}

#[test]
fn a_node_that_is_gone_has_the_map_asked_for_of_the_others() {
    let now = Instant::now() + ms(1000);
    let (mut failover, a, b) = cluster(now);
    let mut attempt = write();
    failover.handle_failure(&mut attempt, a, &Failure::Cut, now);
    assert!(gives_up(&mut failover, &mut attempt, now).is_in_doubt());
    // The next one cannot connect; the map is fresh, so there is no request for it yet.
    let mut attempt = write();
    assert_eq!(opens(&mut failover, &mut attempt, now), a);
    failover.handle_open_failed(a, "refused", now);
    assert!(matches!(gives_up(&mut failover, &mut attempt, now), DeferReason::Unreachable { .. }));
    let later = now + ms(200);
    let mut attempt = write();
    assert_eq!(opens(&mut failover, &mut attempt, later), a);
    failover.handle_open_failed(a, "refused", later);
    let map = opens(&mut failover, &mut attempt, later);
    // The one address of the configuration is gone: the others are known.
    assert_eq!(
        (map.part, addresses(&failover, map)),
        (Part::Slots, ["b:1", "a:1", "c:1"].map(str::to_owned).to_vec())
    );
    // Others do not wait for it: slots of other nodes work, those of this one fail.
    assert_eq!(sends(&mut failover, &mut Attempt::new(Effect::Read, Some(100)), later), b);
    assert!(matches!(
        gives_up(&mut failover, &mut write(), later),
        DeferReason::Unreachable { .. }
    ));
    failover.handle_slots(map, &[range(0, 99, &["c"]), range(100, 16_383, &["b"])], later);
    let c = opens(&mut failover, &mut attempt, later);
    failover.handle_opened(c);
    assert_eq!(addresses(&failover, c), ["c:1"]);
    assert_eq!(sends(&mut failover, &mut attempt, later), c);
}

#[test]
fn a_command_without_a_key_goes_to_any_node() {
    let now = Instant::now();
    let (mut failover, a, _) = cluster(now);
    assert_eq!(sends(&mut failover, &mut Attempt::new(Effect::Read, None), now), a);
    failover.handle_lost(a);
    let link = sends(&mut failover, &mut Attempt::new(Effect::Read, None), now);
    assert_ne!(link, a);
}

#[test]
fn no_order_of_calls_panics() {
    let now = Instant::now();
    let mut failover = failover("<; a// ; redis+cluster://b ; redis+sentinel://c/m");
    for server in 0..5 {
        for part in [Part::Server, Part::Slots, Part::Node(0), Part::Node(9)] {
            let mut attempt = write();
            let Next::Open { mut link, .. } = failover.next(&mut attempt, now + TIME) else {
                continue;
            };
            (link.server, link.part) = (server, part);
            failover.handle_open_failed(link, "x", now);
            failover.handle_useless(link, &Address::tcp("unknown", 1));
            failover.handle_sentinels(link, []);
            failover.handle_slots(link, &[range(9, 3, &[]), range(16_000, 65_535, &["z"])], now);
            failover.handle_failure(&mut attempt, link, &refused("MOVED 0 :1"), now);
            failover.handle_failure(&mut attempt, link, &refused("ASK 1 :1"), now);
            failover.handle_failure(&mut attempt, link, &Failure::NotSent, now);
            failover.handle_opened(link);
            failover.handle_lost(link);
        }
    }
}
