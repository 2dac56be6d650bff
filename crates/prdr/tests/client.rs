//! The client: no message is lost, and no reply is believed too early.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::time::{Duration, Instant};

use mail_types::smtp::Reply;
use prdr::{Client, LEAST_PATIENCE, RecipientOutcome};
use proptest::prelude::*;

fn reply(text: &str) -> Reply {
    text.parse().unwrap()
}

/// One letter for each recipient: delivered, permanent, temporary, in doubt.
fn letters(client: &Client) -> Option<String> {
    let letter = |outcome: &RecipientOutcome| match outcome {
        RecipientOutcome::Delivered(_) => 'd',
        RecipientOutcome::Permanent(_) => 'p',
        RecipientOutcome::Temporary(_) => 't',
        RecipientOutcome::InDoubt => '?',
    };
    client.outcomes().map(|outcomes| outcomes.iter().map(letter).collect())
}

/// Hands all replies in as if they came one by one, and then the end of the connection.
fn outcome(recipients: usize, replies: &[&str]) -> String {
    let mut client = Client::new(recipients, Instant::now());
    for text in replies {
        client.handle_reply(reply(text), 0, Instant::now());
    }
    client.handle_end();
    letters(&client).unwrap()
}

/// The situations that were recorded of a client in use, each with the outcome that the draft asks
/// for, which was not always that client's.
#[test]
fn situations() {
    let block = ["353 go", "250 r1 ok", "550 r2 no", "450 r3 later"];
    let with = |last: &'static str| [&block[..], &[last]].concat();
    for (name, replies, expected) in [
        ("mixed", with("250 final ok"), "dpt"),
        ("all ok", vec!["353 go", "250 r1", "250 r2", "250 r3", "250 final"], "ddd"),
        ("final 5yz", with("550 final no"), "ppp"),
        ("final 4yz", with("451 final later"), "ttt"),
        ("no 353", vec!["250 whole message ok"], "ddd"),
        ("no 353, 5yz", vec!["554 whole message refused"], "ppp"),
        ("no 353, 4yz", vec!["451 whole message later"], "ttt"),
        ("short block", vec!["353 go", "250 r1 ok", "250 final ok (r2, r3 missing)"], "???"),
        ("closed in the block", vec!["353 go", "250 r1 ok"], "???"),
        ("closed before the final reply", block.to_vec(), "???"),
        ("closed at once", vec![], "???"),
        (
            "several lines",
            vec![
                "353-go\r\n353 on",
                "250-r1 ok\r\n250 more",
                "550-5.7.1 r2\r\n550 5.7.1 no",
                "450 4.7.1 r3 later",
                "250 2.0.0 final ok",
            ],
            "dpt",
        ),
        ("421 in the block", vec!["353 go", "250 r1 ok", "421 shutting down"], "???"),
        ("421 as the final reply", with("421 bye"), "???"),
        ("421 at once", vec!["421 bye"], "???"),
        (
            "all refused, final 250",
            vec!["353 go", "550 r1 no", "550 r2 no", "550 r3 no", "250 final ok"],
            "ppp",
        ),
        ("354 for 353", vec!["354 wrong", "250 r1", "250 r2", "250 r3", "250 final"], "???"),
        ("353 twice", vec!["353 go", "353 go", "250 r1", "250 r2", "250 r3", "250 final"], "???"),
        (
            "one too many",
            vec!["353 go", "250 r1", "250 r2", "250 r3", "550 r4", "250 final"],
            "ppp",
        ),
    ] {
        assert_eq!(outcome(3, &replies), expected, "{name}");
    }
    assert_eq!(outcome(2, &["353 go", "250 r1 ok", "550 r3 no", "250 final ok"]), "dp");
    assert_eq!(outcome(1, &["250 ok"]), "d");
}

/// If more bytes follow the final reply, the server counts recipients differently.
#[test]
fn a_final_reply_with_bytes_behind_it_is_none() {
    let now = Instant::now();
    for (replies, expected) in [
        (&["353 go", "250 r1", "250 r2", "250 final"][..], "??"),
        (&["250 ok"], "??"),
        (&["550 no"], "??"),
    ] {
        let mut client = Client::new(2, now);
        for text in replies {
            client.handle_reply(reply(text), 5, now);
        }
        assert_eq!(letters(&client).as_deref(), Some(expected), "{replies:?}");
    }
}

#[test]
fn nobody_is_lost_or_believed_wherever_the_connection_is_cut() {
    let replies = ["353 go", "250 r1 ok", "550 r2 no", "450 r3 later", "250 final ok"];
    for cut in 0..replies.len() {
        assert_eq!(outcome(3, &replies[..cut]), "???", "after {cut} replies");
        let mut client = Client::new(3, Instant::now());
        for text in &replies[..cut] {
            assert_eq!(client.outcomes(), None, "before the final reply");
            client.handle_reply(reply(text), 0, Instant::now());
        }
        assert_eq!(client.outcomes(), None);
    }
}

#[test]
fn a_reply_is_waited_for_ten_minutes_and_each_anew() {
    let start = Instant::now();
    let mut client = Client::new(2, start).with_patience(Duration::from_secs(1), start);
    assert_eq!(client.deadline(), Some(start + LEAST_PATIENCE));
    client.handle_time(start + Duration::from_secs(599));
    assert_eq!(client.outcomes(), None);
    let later = start + Duration::from_secs(599);
    client.handle_reply(reply("353 go"), 0, later);
    assert_eq!(client.deadline(), Some(later + LEAST_PATIENCE));
    client.handle_time(later + LEAST_PATIENCE);
    assert_eq!(letters(&client).as_deref(), Some("??"));
    assert_eq!(client.deadline(), None);
    let patient = Client::new(2, start).with_patience(Duration::from_secs(1800), start);
    assert_eq!(patient.deadline(), Some(start + Duration::from_secs(1800)));
}

#[test]
fn each_code_is_kept_for_its_notification() {
    let mut client = Client::new(2, Instant::now());
    for text in ["353 go", "550 5.7.1 spam", "450 4.2.1 later", "250 2.0.0 ok"] {
        client.handle_reply(reply(text), 0, Instant::now());
    }
    let outcomes = client.outcomes().unwrap();
    assert_eq!(
        outcomes,
        [
            RecipientOutcome::Permanent(reply("550 5.7.1 spam")),
            RecipientOutcome::Temporary(reply("450 4.2.1 later")),
        ]
    );
    assert_eq!(
        outcomes.iter().map(RecipientOutcome::is_to_be_retried).collect::<Vec<_>>(),
        [false, true]
    );
}

proptest! {
    /// No recipient counts as delivered without one reply each and a positive final one.
    #[test]
    fn nothing_counts_without_a_final_reply(
        codes in prop::collection::vec(prop::sample::select(vec![250, 251, 353, 354, 421, 450, 550]), 0..8),
        recipients in 1_usize..5,
    ) {
        let now = Instant::now();
        let mut client = Client::new(recipients, now);
        for code in &codes {
            client.handle_reply(reply(&format!("{code} x")), 0, now);
        }
        client.handle_end();
        let letters = letters(&client).unwrap();
        let whole = matches!(codes.first(), Some(250 | 251));
        let block = codes.first() == Some(&353)
            && matches!(codes.get(recipients + 1), Some(250 | 251))
            && codes.iter().skip(1).take(recipients).all(|c| ![353, 354, 421].contains(c));
        prop_assert_eq!(letters.len(), recipients);
        prop_assert!(whole || block || !letters.contains('d'), "{:?}: {}", codes, letters);
    }
}

#[test]
fn outcomes_are_told_with_the_servers_reply() {
    let reply = |text: &str| text.parse::<Reply>().unwrap();
    for (outcome, text) in [
        (RecipientOutcome::Delivered(reply("250 2.1.5 ok")), "delivered: 250 2.1.5 ok"),
        (RecipientOutcome::Permanent(reply("550 5.7.1 no")), "refused: 550 5.7.1 no"),
        (RecipientOutcome::Temporary(reply("450 later")), "deferred: 450 later"),
        (RecipientOutcome::InDoubt, "in doubt: the connection ended without a valid final reply"),
    ] {
        assert_eq!(outcome.to_string(), text);
    }
}
