//! Actions of events that call lists of rules by `${acl{…}}`.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;

use super::config_effect::refused;
use super::gateway::{Running, hop};
use crate::gateway::config::Config;

const GOOD: [&str; 7] = [
    "220 ESMTP\r\n",
    "250 next.example\r\n",
    "250 Sender OK\r\n",
    "250 Recipient OK\r\n",
    "354 Send data\r\n",
    "250 OK\r\n",
    "221 bye\r\n",
];

/// A list that writes its arguments, and the data of the event, into the trace.
const NOTES: &str = r#"
[[acl.note]]
verb = "warn"
set.acl_m_seen = "$acl_m_seen+$acl_arg1"
condition = "${lookup sqlite{INSERT INTO trace (event_name, event_data, event_defer_errno) VALUES ('$event_name', '${quote_sqlite:$acl_m_seen} ${quote_sqlite:$acl_arg2} $acl_narg', '0')}{no}}"
[[acl.note]]
verb = "accept"
condition = "${if eq{$acl_arg1}{forbid}}"
message = "forbidden"
"#;

/// Relays a message to a next hop, with this action for it, and these options and lists; returns the last reply and
/// the rows of the trace.
async fn relayed(action: &str, lists: &str) -> (String, Vec<String>) {
    let (address, task) = hop(&GOOD).await;
    let options =
        format!("event_action = ''\n{lists}\n[remote_smtp]\nevent_action = '''{action}'''");
    let gateway = Running::start(&Running::relaying(address, &options)).await;
    let mut client = gateway.client().await;
    let last = client.send(&["a@next.example"], "").await;
    client.quit().await;
    let said = gateway.stop().await.said();
    task.abort();
    (last, said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_runs_for_each_event_with_its_variables() {
    let (last, said) = relayed("${acl{note}{a}{$event_data}}", NOTES).await;
    assert!(last.starts_with("250 "), "{last}");
    // What a list has set is gone at the next event.
    let expected = [
        "tcp:connect(+a  2)",
        "smtp:connect(+a 220 ESMTP 2)",
        "smtp:ehlo(+a 250 next.example 2)",
        "tcp:close(+a  2)",
        "msg:delivery(+a 250 OK 2)",
    ];
    assert_eq!(said, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_sees_what_the_lists_before_have_set() {
    let own = "${lookup sqlite{INSERT INTO trace (event_name, event_data, event_defer_errno) \
               VALUES ('own', '${quote_sqlite:$acl_m_seen} $acl_narg', '0')}{}}";
    let action = format!(
        "${{if eq{{$event_name}}{{msg:delivery}}{{${{acl{{note}}{{$acl_m_seen.}}}}${{acl{{note}}{{b}}}}{own}}}}}"
    );
    let (_, said) = relayed(&action, NOTES).await;
    assert_eq!(said, ["msg:delivery(+.  1)", "msg:delivery(+.+b  1)", "own(+.+b 0)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_list_is_the_result_of_the_action() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let action = "${acl{note}{${if eq{$event_name}{tcp:connect}{forbid}}}}";
    let options =
        format!("event_action = ''\n{NOTES}\n[remote_smtp]\nevent_action = '''{action}'''");
    let address = listener.local_addr().unwrap();
    let gateway = Running::start(&Running::relaying(address, &options)).await;
    let mut client = gateway.client().await;
    let last = client.send(&["a@next.example"], "").await;
    assert_eq!(last, "451 4.4.1 cannot reach the next hop");
    client.quit().await;
    let said = gateway.stop().await.said();
    assert_eq!(said[0], "tcp:connect(+forbid  1)");
    let accepted = timeout(Duration::from_millis(50), listener.accept());
    assert!(accepted.await.is_err(), "no connection was made");
}

/// An action that fails has the effect of `event_failure`; a list that defers is a `fail` of the action.
#[tokio::test(flavor = "multi_thread")]
async fn lists_that_call_themselves_or_are_not_there_fail_the_action() {
    let refuse = "event_failure = 'refuse'\n";
    let connecting = |text: &str| format!("${{if eq{{$event_name}}{{tcp:connect}}{{{text}}}}}");
    let round = "[[acl.round]]\nverb = 'accept'\nacl = 'round'";
    for (text, lists, reply) in [
        ("${acl{round}}", round, "250 2.0.0 OK"),
        // The message of the 20th list is none, since it cannot be expanded.
        (
            "${acl{round}}",
            "[[acl.round]]\nverb = 'accept'\nmessage = '${acl{round}}'",
            "250 2.0.0 OK",
        ),
        (
            "${acl{${if eq{a}{a}{absent}}}}",
            "[[acl.x]]\nverb = 'accept'",
            "451 4.4.1 cannot reach the next hop",
        ),
    ] {
        let (last, _) = relayed(&connecting(text), &format!("{refuse}{lists}")).await;
        assert!(last.starts_with(reply), "{text}: {last}");
    }
}

/// The conditions are about the client of the session and the sender; the limit counts each question.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_may_ask_for_the_client_and_the_sender() {
    let lists = r#"
[[acl.who]]
verb = "deny"
hosts = "127.0.0.0/8"
senders = "ann@client.example"
sender_domains = "client.example"
ratelimit = "1.5 / 1h / per_cmd / strict / $event_name"
condition = "${lookup sqlite{INSERT INTO trace (event_name, event_data, event_defer_errno) VALUES ('$event_name', '$sender_rate_limit', '0')}{no}}"
"#;
    let (_, said) = relayed("${acl{who}}${acl{who}}", lists).await;
    let names = ["tcp:connect", "smtp:connect", "smtp:ehlo", "tcp:close", "msg:delivery"];
    // The second call of each.
    assert_eq!(said, names.map(|name| format!("{name}(1.5)")));
}

/// A list that the main section calls: the head of the configuration, and lines of its rule.
fn list(rule: &str) -> String {
    format!("event_action = '${{acl{{x}}}}'\n[[acl.x]]\n{rule}")
}

#[test]
fn what_would_do_nothing_in_an_event_is_refused() {
    let conditions = "authenticated domains local_parts recipients profiles header.to header_raw.to spf \
                      spf_guess dmarc_status";
    for name in conditions.split_ascii_whitespace() {
        let bare = name.strip_suffix(".to").unwrap_or(name);
        let expected = format!(
            "line 4: {bare} has no effect in a list that event_action calls: there is no session to look at"
        );
        assert_eq!(refused(&list(&format!("verb = 'accept'\n{name} = 'pass'"))), expected);
    }
    for (name, value) in
        [("add_header", "X: y"), ("control", "no_multiline_responses"), ("profile", "a")]
    {
        let expected = format!(
            "line 4: {name} has no effect in a list that event_action calls: there is no message to change"
        );
        assert_eq!(refused(&list(&format!("verb = 'accept'\n{name} = '{value}'"))), expected);
    }
    for (rule, expected) in [
        (
            "verb = 'quarantine'",
            "line 3: the verb quarantine has no effect in a list that is called, which accepts, denies or defers",
        ),
        (
            "verb = 'accept'\nratelimit = '1 / 1h / per_mail'",
            "line 4: per_mail counts nothing at event_action; with readonly it only looks",
        ),
        (
            "verb = 'accept'\nratelimit = '1 / 1h / per_conn'",
            "line 4: per_conn counts nothing at event_action; with readonly it only looks",
        ),
        (
            "verb = 'defer'\nmessage = 'a'",
            "line 4: message has no effect at event_action with the verb defer",
        ),
        (
            "verb = 'accept'\nmessage = '$recipients_count'",
            "line 4: byte 1: $recipients_count is not available at event_action, but at acl_smtp_mail, acl_smtp_rcpt, acl_smtp_data_prdr and acl_smtp_data",
        ),
        (
            "verb = 'accept'\nmessage = '$h_subject:'",
            "line 4: byte 0: header fields are not available at event_action, but at acl_smtp_data_prdr and acl_smtp_data",
        ),
        // A list that the list calls.
        (
            "verb = 'accept'\nacl = 'y'\n[[acl.y]]\nverb = 'accept'\nadd_header = 'X: y'",
            "line 7: add_header has no effect in a list that event_action calls: there is no message to change",
        ),
    ] {
        assert_eq!(refused(&list(rule)), expected, "{rule}");
    }
    let absent = "event_action = '${acl{x}}'";
    let expected = "line 1: event_action: byte 0: acl: there is no list [[acl.x]]";
    assert_eq!(refused(absent), expected);
}

#[test]
fn what_a_list_may_do_depends_on_its_callers() {
    let rcpt =
        "[[acl_smtp_rcpt]]\nverb = 'warn'\nlogwrite = '${acl{x}}'\n[[acl.x]]\nverb = 'accept'\n";
    assert_eq!(refused(&format!("{rcpt}domains = 'a'")), "");
    let both = format!("event_action = '${{acl{{x}}}}'\n{rcpt}domains = 'a'");
    assert!(
        refused(&both).starts_with("line 7: domains has no effect in a list that event_action")
    );
    let rate = "ratelimit = '5 / 1m / per_cmd'\nmessage = '$event_data $acl_m_x $sender_rate'";
    assert_eq!(refused(&list(&format!("verb = 'deny'\n{rate}"))), "");
    // Of the same variables, an action without a list has none.
    assert!(refused("event_action = '$acl_m_x'").starts_with("line 1: event_action: byte 1: "));
}

/// `send` reads the lists that its actions call, and leaves the rules of the server alone.
#[test]
fn a_program_that_sends_reads_the_lists_of_its_actions() {
    let server = "[[acl.of_the_server]]\nverb = 'nonsense'\n[[acl_smtp_rcpt]]\nverb = 'nonsense'";
    let text = format!("{}\n{server}", list("verb = 'accept'"));
    Config::for_sender(&text).unwrap();
    let error = Config::for_sender(&text.replace("'accept'", "'quarantine'")).unwrap_err();
    assert!(error.to_string().starts_with("line 3: the verb quarantine has no effect"), "{error}");
}
