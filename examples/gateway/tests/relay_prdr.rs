//! The relay with a next hop that replies for each recipient: draft-hall-prdr-00.

use std::time::Duration;

use mail_types::smtp::Severity;

use super::relay::{NextHop, Then, connect, message, next_hop, sender, settings, trying_prdr};
use crate::gateway::delivery::message_outcome::MessageOutcome;
use crate::gateway::smtp::client::Declared;

const EHLO: &str = "250-next.example\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 PRDR\r\n";
const BLOCK: [&str; 5] = [
    "353 go\r\n",
    "250 2.1.5 ann takes it\r\n",
    "550-5.7.1 bob\r\n550 5.7.1 does not\r\n",
    "450 4.2.1 carl, later\r\n",
    "250 2.0.0 queued as 17\r\n",
];
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(100);
const ASKING: Declared =
    Declared { size: 0, eight_bit: false, utf8: false, prdr: true, require_tls: false };

/// The replies up to `354`, for this many recipients, and then `block`.
fn script(recipients: usize, block: &str) -> Vec<String> {
    let mut replies = vec!["220 next.example\r\n", EHLO, "250 2.1.0 sender\r\n"];
    replies.extend(vec!["250 2.1.5 recipient\r\n"; recipients]);
    replies.extend(["354 go on\r\n", block]);
    replies.into_iter().map(str::to_owned).collect()
}

/// Goes through a transaction for three recipients, of whom `takers` take the message; returns what
/// became of it, and all that the next hop was sent.
async fn pass(
    replies: Vec<String>,
    takers: &[usize],
    then: Then,
    wait: Duration,
) -> (MessageOutcome, String) {
    let (address, task) = next_hop(replies, then).await;
    let passed = transact(&settings(address, wait), ASKING, takers).await;
    (passed, task.await.unwrap())
}

async fn transact(settings: &NextHop, declared: Declared, takers: &[usize]) -> MessageOutcome {
    let mut relay = connect(settings).await.unwrap();
    let reply = relay.mail(&sender(), declared).await;
    assert_eq!(reply.code().severity(), Severity::Completed);
    for recipient in ["ann@next.example", "bob@next.example", "carl@next.example"] {
        relay.rcpt(&recipient.parse().unwrap()).await;
    }
    let passed = relay.message(&message("Subject: a\r\n\r\nb\r\n"), takers).await;
    relay.quit().await;
    passed
}

fn texts(passed: &MessageOutcome) -> (Vec<String>, String) {
    let recipients = passed.recipients.iter().map(ToString::to_string);
    (recipients.collect(), passed.last.to_string())
}

#[tokio::test]
async fn each_recipient_gets_what_the_next_hop_says_of_it() {
    let (passed, sent) = pass(script(3, &BLOCK.concat()), &[0, 1, 2], Then::Close, LONG).await;
    let (recipients, last) = texts(&passed);
    let [_, ann, bob, carl, queued] = BLOCK.map(str::trim_end);
    assert_eq!(
        (recipients.as_slice(), last.as_str()),
        (&[ann, bob, carl].map(String::from)[..], queued)
    );
    assert_eq!(
        sent,
        "EHLO gw.example\r\nMAIL FROM:<a@client.example> PRDR\r\nRCPT TO:<ann@next.example>\r\n\
         RCPT TO:<bob@next.example>\r\nRCPT TO:<carl@next.example>\r\nDATA\r\nX: y\r\nSubject: a\r\n\
         \r\nb\r\n.\r\n"
    );
}

#[tokio::test]
async fn it_is_asked_for_only_where_that_can_be_passed_on() {
    let plain = Declared::default();
    let [nobody, elsewhere, everybody] = ["", "192.0.2.1", "*"];
    let by_address = "${if eq{$host_address$domain}{127.0.0.1next.example}{$host}}";
    let deferred = "${lookup sqlite{SELECT '*'}}";
    let exim = "250-next.example\r\n250-PIPELINING\r\n250 PRDR\r\n";
    let no_pipelining = "250-next.example\r\n250-ENHANCEDSTATUSCODES\r\n250 PRDR\r\n";
    let not_offered = "250-next.example\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n";
    for (declared, hosts, offers, expected) in [
        (ASKING, everybody, EHLO, true),
        (plain, everybody, EHLO, false),
        (ASKING, nobody, EHLO, false),
        (ASKING, elsewhere, EHLO, false),
        (ASKING, by_address, EHLO, true),
        // Nobody answers the lookup.
        (ASKING, deferred, EHLO, false),
        (ASKING, everybody, exim, true),
        (ASKING, everybody, no_pipelining, false),
        (ASKING, everybody, not_offered, false),
    ] {
        let mut replies = script(3, "250 2.0.0 queued\r\n");
        replies[1] = offers.to_owned();
        let (address, task) = next_hop(replies, Then::Close).await;
        let settings = trying_prdr(hosts, address, LONG);
        let passed = transact(&settings, declared, &[0, 1, 2]).await;
        assert_eq!(texts(&passed), (vec!["250 2.0.0 queued".into(); 3], "250 2.0.0 queued".into()));
        assert_eq!(task.await.unwrap().contains("> PRDR\r\n"), expected);
    }
}

#[tokio::test]
async fn whatever_reply_is_cut_nobody_is_believed_to_have_the_message() {
    let closed = "451 4.4.2 the next hop closed the connection";
    let whole = BLOCK.concat();
    for end in 0..whole.len() {
        let (passed, sent) = pass(script(3, &whole[..end]), &[0, 1, 2], Then::Close, LONG).await;
        assert_eq!(texts(&passed), (vec![closed.into(); 3], closed.into()), "cut at {end}");
        assert!(sent.ends_with("\r\n.\r\n"), "nothing goes behind the message: {sent}");
    }
}

#[tokio::test]
async fn whoever_falls_silent_has_nothing() {
    let slow = "451 4.4.2 the next hop did not answer in time";
    for count in 0..BLOCK.len() {
        let block = BLOCK[..count].concat();
        let (passed, sent) = pass(script(3, &block), &[0, 1, 2], Then::Listen, SHORT).await;
        assert_eq!(texts(&passed), (vec![slow.into(); 3], slow.into()), "after {count} replies");
        assert!(sent.ends_with("\r\n.\r\n"), "{sent}");
    }
}

/// Source: draft-hall-prdr-00 sections 4.4 to 4.6, and the situations recorded of servers.
#[tokio::test]
async fn only_a_last_reply_that_is_the_last_counts() {
    let nonsense = "451 4.5.0 malformed reply from the next hop";
    let unwilling = "451 4.4.1 the next hop accepts no mail now";
    let [start, ann, bob, carl, queued] = BLOCK;
    for (block, recipients, last) in [
        (vec!["250 2.0.0 whole\r\n"], ["250 2.0.0 whole"; 3], "250 2.0.0 whole"),
        (vec!["554 5.7.1 no\r\n"], ["554 5.7.1 no"; 3], "554 5.7.1 no"),
        (vec![start, ann, bob, carl, "550 5.7.1 no\r\n"], ["550 5.7.1 no"; 3], "550 5.7.1 no"),
        (
            vec![start, ann, bob, carl, "451 4.3.0 later\r\n"],
            ["451 4.3.0 later"; 3],
            "451 4.3.0 later",
        ),
        (vec![start, ann, bob, carl, "421 4.3.2 bye\r\n"], [unwilling; 3], unwilling),
        (vec![start, ann, "421 4.3.2 bye\r\n"], [unwilling; 3], unwilling),
        (vec![start, ann, bob, carl, queued, "250 too many\r\n"], [nonsense; 3], nonsense),
        (vec![start, start, ann, bob, carl, queued], [nonsense; 3], nonsense),
        (vec!["354 wrong\r\n", ann, bob, carl, queued], [nonsense; 3], nonsense),
        (vec![start, ann, "350 what\r\n", carl, queued], [nonsense; 3], nonsense),
        (vec!["250 2.0.0 whole\r\n", "250 more\r\n"], [nonsense; 3], nonsense),
    ] {
        let text = block.concat();
        let (passed, _) = pass(script(3, &text), &[0, 1, 2], Then::Listen, LONG_ENOUGH).await;
        assert_eq!(texts(&passed), (recipients.map(String::from).to_vec(), last.into()), "{text}");
    }
}

/// For a next hop that answers at once; QUIT is never answered and takes all of it.
const LONG_ENOUGH: Duration = Duration::from_millis(500);

#[tokio::test]
async fn who_was_not_asked_for_a_block_and_gives_one_makes_no_sense() {
    let (address, _task) = next_hop(script(3, &BLOCK.concat()), Then::Close).await;
    let passed = transact(&settings(address, LONG), Declared::default(), &[0, 1, 2]).await;
    let nonsense = "451 4.5.0 malformed reply from the next hop";
    assert_eq!(texts(&passed), (vec![nonsense.into(); 3], nonsense.into()));
}

/// The next hop has accepted all recipients before anybody has read the message.
#[tokio::test]
async fn who_does_not_take_the_message_is_taken_out_before_it_is_sent() {
    let ok = "250 2.0.0 ok\r\n";
    let with = |rest: &[&str]| {
        let mut replies = script(3, "");
        replies.truncate(6);
        replies.extend(rest.iter().map(ToString::to_string));
        replies
    };
    let tail = |sent: &str| sent.split_once("RSET\r\n").unwrap().1.replace("\r\n", "|");
    let text = "DATA|X: y|Subject: a||b|.|";

    // Two are left, and are asked for.
    let replies = with(&[ok, ok, ok, ok, "354 go\r\n", "353 go\r\n250 a\r\n550 c\r\n250 end\r\n"]);
    let (passed, sent) = pass(replies, &[0, 2], Then::Close, LONG).await;
    assert_eq!(texts(&passed), (vec!["250 a".into(), "550 c".into()], "250 end".into()));
    assert_eq!(
        tail(&sent),
        format!(
            "MAIL FROM:<a@client.example> PRDR|RCPT TO:<ann@next.example>|RCPT TO:<carl@next.example>|{text}"
        )
    );
    // One is left, for whom it does not pay.
    let replies = with(&[ok, ok, ok, "354 go\r\n", "250 end\r\n"]);
    let (passed, sent) = pass(replies, &[1], Then::Close, LONG).await;
    assert_eq!(texts(&passed), (vec!["250 end".into()], "250 end".into()));
    assert_eq!(
        tail(&sent),
        format!("MAIL FROM:<a@client.example>|RCPT TO:<bob@next.example>|{text}")
    );
    // Of two, the next hop now refuses one, and the other one's reply is its own.
    let replies = with(&[ok, ok, "450 4.2.1 busy\r\n", ok, "354 go\r\n", "250 end\r\n"]);
    let (passed, _) = pass(replies, &[0, 1], Then::Close, LONG).await;
    assert_eq!(texts(&passed), (vec!["450 4.2.1 busy".into(), "250 end".into()], "250 end".into()));
    // It refuses the sender, or everybody.
    let replies = with(&[ok, "451 4.3.0 later\r\n"]);
    let (passed, sent) = pass(replies, &[0, 1], Then::Close, LONG).await;
    assert_eq!(texts(&passed), (vec!["451 4.3.0 later".into(); 2], "451 4.3.0 later".into()));
    assert!(!sent.contains("DATA"));
    let replies = with(&[ok, ok, "550 a\r\n", "450 b\r\n"]);
    let (passed, sent) = pass(replies, &[0, 1], Then::Close, LONG).await;
    assert_eq!(texts(&passed).0, ["550 a", "450 b"]);
    assert_ne!(passed.last.code().severity(), Severity::Completed);
    assert!(!sent.contains("DATA"));
}
