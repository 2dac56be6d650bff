//! The replies of a server at the end of the data, by recipients and verdicts.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests may panic")]

use mail_types::smtp::{Reply, ReplyCode};
use prdr::{DataPhase, DataStep};
use proptest::prelude::*;

/// The replies of a phase, and the recipients that accepted, by a verdict for each recipient and one for
/// the message.
fn replies_and_accepted(
    mut phase: DataPhase,
    recipients: &[&str],
    message: &str,
) -> (Vec<String>, Vec<usize>) {
    let mut sent = Vec::new();
    loop {
        match phase.poll() {
            DataStep::Send(reply) => sent.push(reply.to_string()),
            DataStep::Recipient(at) => phase.handle_verdict(recipients[at].parse().unwrap()),
            DataStep::Message => phase.handle_verdict(message.parse().unwrap()),
            DataStep::Done => return (sent, phase.accepted().collect()),
        }
    }
}

fn asked(recipients: &[&str], message: &str) -> Vec<String> {
    let phase = DataPhase::new(vec![ReplyCode::OK; recipients.len()], true).unwrap();
    replies_and_accepted(phase, recipients, message).0
}

const START: &str = "353 content analysis has started";

/// The name of the situation, the verdicts of the recipients and of the message, and the replies.
const SITUATIONS: &[(&str, &[&str], &str, &[&str])] = &[
    (
        "accepted, refused, deferred",
        &["250 ok", "550 5.7.1 no", "450 4.2.1 later", "250 ok"],
        "250 2.0.0 id=1",
        &[
            START,
            "250 2.1.5 ok",
            "550 5.7.1 no",
            "450 4.2.1 later",
            "250 2.1.5 ok",
            "250 2.0.0 id=1",
        ],
    ),
    (
        "all accepted",
        &["250 a", "250 b"],
        "250 c",
        &[START, "250 2.1.5 a", "250 2.1.5 b", "250 2.0.0 c"],
    ),
    (
        "all refused",
        &["550 a", "554 b"],
        "250 never",
        &[START, "550 5.7.0 a", "550 5.7.0 b", "550 5.7.1 message refused for all recipients"],
    ),
    (
        "all deferred",
        &["450 a", "452 b"],
        "250 never",
        &[
            START,
            "450 4.7.0 a",
            "452 4.7.0 b",
            "450 4.0.0 no recipient accepted the message, try again later",
        ],
    ),
    (
        "refused and deferred",
        &["550 a", "450 b"],
        "250 never",
        &[
            START,
            "550 5.7.0 a",
            "450 4.7.0 b",
            "450 4.0.0 no recipient accepted the message, try again later",
        ],
    ),
    (
        "several lines",
        &["250-two line\r\n250 acceptance", "550 no"],
        "250 ok",
        &[START, "250-2.1.5 two line\r\n250 2.1.5 acceptance", "550 5.7.0 no", "250 2.0.0 ok"],
    ),
    (
        "the message is refused",
        &["250 a", "250 b"],
        "550 5.7.1 no",
        &[START, "250 2.1.5 a", "250 2.1.5 b", "550 5.7.1 no"],
    ),
    (
        "the message is deferred",
        &["250 a", "550 b"],
        "451 later",
        &[START, "250 2.1.5 a", "550 5.7.0 b", "451 4.0.0 later"],
    ),
];

/// Situations recorded from a running server, with the replies of the draft.
#[test]
fn situations() {
    for (name, recipients, message, expected) in SITUATIONS.iter().copied() {
        assert_eq!(asked(recipients, message), expected, "{name}");
    }
}

#[test]
fn one_recipient_and_codes_that_do_not_fit() {
    for (name, recipients, message, expected) in [
        ("one, accepted", &["250 a"][..], "250 2.0.0 id=1", &["250 2.0.0 id=1"][..]),
        ("one, refused", &["550 5.7.1 no"], "250 never", &["550 5.7.1 no"]),
        ("one, deferred", &["450 later"], "250 never", &["450 4.0.0 later"]),
        ("one, with a code for RCPT only", &["553 5.1.3 no"], "250 never", &["554 5.1.3 no"]),
        (
            "a code that RCPT has not",
            &["555 5.5.4 no", "455 later"],
            "250 never",
            &[
                START,
                "550 5.5.4 no",
                "451 4.7.0 later",
                "450 4.0.0 no recipient accepted the message, try again later",
            ],
        ),
        (
            "421 is for the connection",
            &["421 a", "250 b"],
            "421 going",
            &[START, "451 4.7.0 a", "250 2.1.5 b", "421 4.0.0 going"],
        ),
        (
            "no verdict at all",
            &["354 what", "250 ok"],
            "250 ok",
            &[
                START,
                "451 4.7.0 no verdict available, try again later",
                "250 2.1.5 ok",
                "250 2.0.0 ok",
            ],
        ),
        (
            "a final reply that is none",
            &["250 a", "250 b"],
            "354 go on",
            &[
                START,
                "250 2.1.5 a",
                "250 2.1.5 b",
                "451 4.0.0 no verdict available, try again later",
            ],
        ),
    ] {
        assert_eq!(asked(recipients, message), expected, "{name}");
    }
}

#[test]
fn who_did_not_ask_gets_one_reply() {
    for (recipients, verdicts, message, expected, accepted) in [
        (3, &[][..], "250 2.0.0 ok", "250 2.0.0 ok", vec![0, 1, 2]),
        (3, &[], "550 5.7.1 no", "550 5.7.1 no", vec![]),
        // A policy is not skipped because the recipient is alone.
        (1, &["550 5.7.1 no"], "250 never", "550 5.7.1 no", vec![]),
        (1, &["250 ok"], "250 2.0.0 id=1", "250 2.0.0 id=1", vec![0]),
        (1, &["250 ok"], "451 4.3.0 later", "451 4.3.0 later", vec![]),
    ] {
        let phase = DataPhase::new(vec![ReplyCode::OK; recipients], false).unwrap();
        assert_eq!(
            replies_and_accepted(phase, verdicts, message),
            (vec![expected.to_owned()], accepted)
        );
    }
}

#[test]
fn a_message_that_is_not_taken_has_no_recipients() {
    for (message, expected) in
        [("250 ok", vec![0, 2]), ("451 later", vec![]), ("550 no", vec![]), ("354 go on", vec![])]
    {
        let mut phase = DataPhase::new(vec![ReplyCode::OK; 3], true).unwrap();
        for verdict in ["250 a", "550 b", "250 c"] {
            phase.handle_verdict(verdict.parse().unwrap());
        }
        assert_eq!(phase.accepted().collect::<Vec<_>>(), [0, 2], "before the last verdict");
        phase.handle_verdict(message.parse().unwrap());
        assert_eq!(phase.accepted().collect::<Vec<_>>(), expected, "{message}");
    }
}

#[test]
fn a_message_can_be_refused_before_anybody_is_asked() {
    for (reply, expected) in [
        ("552 5.3.4 too large", "552 5.3.4 too large"),
        ("451 later", "451 4.0.0 later"),
        ("250 ok", "451 4.0.0 message not accepted, try again later"),
        ("553 x", "554 5.0.0 x"),
    ] {
        let phase = DataPhase::refused(reply.parse().unwrap());
        assert_eq!(
            replies_and_accepted(phase, &[], "250 never"),
            (vec![expected.to_owned()], vec![])
        );
    }
}

/// Section 4.5.2: 250 may become 251, and not the other way round.
#[test]
fn a_code_never_tells_less_than_that_for_rcpt() {
    let forward = ReplyCode::new(251).unwrap();
    let phase = DataPhase::new([forward, ReplyCode::OK, forward], true).unwrap();
    let (sent, _) = replies_and_accepted(phase, &["250 a", "251 b", "550 c"], "250 d");
    assert_eq!(sent[1..4], ["251 2.1.5 a", "251 2.1.5 b", "550 5.7.0 c"]);
}

#[test]
fn a_server_that_must_stop_sends_the_whole_sequence() {
    let mut phase = DataPhase::new([ReplyCode::OK; 3], true).unwrap();
    assert!(matches!(phase.poll(), DataStep::Send(_)));
    assert_eq!(phase.poll(), DataStep::Recipient(0));
    phase.handle_verdict("250 a".parse().unwrap());
    phase.handle_shutdown();
    let (sent, _) = replies_and_accepted(phase, &[], "250 never");
    let stop = "451 4.3.2 server shutting down, try again later";
    assert_eq!(sent, ["250 2.1.5 a", stop, stop, stop]);
}

#[test]
fn a_verdict_too_many_changes_nothing() {
    assert!(DataPhase::new([], true).is_err());
    let mut phase = DataPhase::new([ReplyCode::OK], true).unwrap();
    for _ in 0..3 {
        phase.handle_verdict("250 ok".parse::<Reply>().unwrap());
    }
    phase.handle_shutdown();
    assert_eq!(replies_and_accepted(phase, &[], "").0, ["250 2.0.0 ok"]);
}

proptest! {
    /// One 353, one reply each, one final reply, which is never positive without an accepting recipient.
    #[test]
    fn the_sequence_is_whole(
        codes in prop::collection::vec(prop::sample::select(vec![250, 251, 354, 421, 450, 550, 553]), 2..6),
        last in prop::sample::select(vec![250, 354, 421, 451, 554]),
    ) {
        let verdicts: Vec<String> = codes.iter().map(|code| format!("{code} x")).collect();
        let verdicts: Vec<&str> = verdicts.iter().map(String::as_str).collect();
        let sent = asked(&verdicts, &format!("{last} y"));
        prop_assert_eq!(sent.len(), codes.len() + 2);
        prop_assert_eq!(sent.iter().filter(|reply| reply.starts_with('3')).count(), 1);
        let positive = sent.last().unwrap().starts_with('2');
        prop_assert_eq!(positive, last == 250 && codes.iter().any(|code| code / 100 == 2));
    }
}

/// Section 4.5.2: no reply for a recipient whose `RCPT` was refused, and only codes that `RCPT` has.
#[test]
fn a_recipient_that_was_refused_has_no_verdict() {
    let code = |code: u16| ReplyCode::new(code).unwrap();
    let phase = DataPhase::new([250, 550, 251, 354, 450, 252, 220].map(code), true).unwrap();
    let verdicts = ["250 a", "250 b", "250 c", "500 d"];
    let (sent, accepted) = replies_and_accepted(phase, &verdicts, "250 e");
    let expected =
        [START, "250 2.1.5 a", "251 2.1.5 b", "250 2.1.5 c", "550 5.7.0 d", "250 2.0.0 e"];
    assert_eq!((&sent[..], &accepted[..]), (&expected.map(str::to_owned)[..], &[0, 1, 2][..]));
    assert!(DataPhase::new([550, 450].map(code), true).is_err());
    // One that is left is alone.
    let phase = DataPhase::new([550, 250].map(code), true).unwrap();
    assert_eq!(replies_and_accepted(phase, &["250 a"], "250 b").0, ["250 2.0.0 b"]);
}
