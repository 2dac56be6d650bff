//! Variables of the client, the recipients, the message and the time; and the condition `encrypted`.

use mail_types::exim::Trust;
use time::OffsetDateTime;

use super::config_effect::refused;
use super::gateway::Running;
use super::scenario::{Scenario, rules};
use crate::gateway::policy::built_in::log_time;
use crate::gateway::policy::stage::Stage;
use crate::gateway::smtp::peer::TlsClient;

/// The value of a text after the message, and whether it is trusted.
async fn value(scenario: &mut Scenario, text: &str) -> (String, Trust) {
    let rules = rules(&format!("[[acl_smtp_data]]\nverb = 'warn'\nset.acl_m_x = '{text}'"));
    scenario.judge(&rules, Stage::Data, 0).await;
    let value = scenario.state.variable("acl_m_x").unwrap();
    (String::from_utf8_lossy(value.as_bytes()).into_owned(), value.trust())
}

fn with_message(message: &str) -> Scenario {
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
    message.clone_into(&mut scenario.message);
    scenario
}

/// Source: Exim 4.96: a blank for each line end and each NUL, 500 octets without `message_body_visible`.
#[tokio::test]
async fn the_body_is_shown_in_one_line_up_to_its_limit() {
    for (message, expected) in [
        ("a: b\r\n\r\nline one\r\nline two\r\n", "line one line two "),
        ("a: b\r\n\r\nline one", "line one "),
        ("a: b\r\n\r\n\r\n\r\nx\0y\r\n", "  x y "),
        ("a: b\r\n\r\n", ""),
        ("a: b\r\n", ""),
    ] {
        let found = value(&mut with_message(message), "$message_body").await;
        assert_eq!(found, (expected.to_owned(), Trust::Untrusted), "{message:?}");
    }
    let long = format!("a: b\r\n\r\n{}", "0123456789\r\n".repeat(10_000));
    for (visible, length) in [(500, 500), (0, 0), (7, 7), (16_384, 16_384)] {
        let mut scenario = with_message(&long);
        scenario.services.message_body_visible = visible;
        let (text, _) = value(&mut scenario, "$message_body").await;
        assert_eq!(text.len(), length);
        assert!("0123456789 0123456789 ".starts_with(text.get(..length.min(22)).unwrap()));
    }
}

/// Source: Exim 4.96, `$message_headers` in `acl_smtp_data`.
#[tokio::test]
async fn the_header_section_is_decoded_and_limited() {
    let message =
        "Subject: =?utf-8?Q?h=C3=A9?= \r\nX-Abc: 1\r\n  folded \r\nTo: x\r\n\r\nX-No: 1\r\n";
    let found = value(&mut with_message(message), "$message_headers").await;
    let expected = "Subject: h\u{e9}\nX-Abc: 1\n  folded\nTo: x";
    assert_eq!(found, (expected.to_owned(), Trust::Untrusted));
    assert_eq!(value(&mut with_message("\r\nx\r\n"), "$message_headers").await.0, "");
    for (fields, length) in [(100, 599), (11_000, 65_536)] {
        let message = "a: bc\r\n".repeat(fields) + "\r\n";
        let (text, _) = value(&mut with_message(&message), "${strlen:$message_headers}").await;
        assert_eq!(text, length.to_string());
    }
}

/// A hostile message writes no line of a reply, a header field or the log.
#[tokio::test]
async fn values_of_a_message_end_no_line() {
    let message =
        "Subject: x\r\n \u{b}evil: =?utf-8?B?DQpYLUV2aWw6IDE=?=\r\n\r\n250 ok\r\nX-Evil: 1\0\r\n";
    let text = "[[acl_smtp_data]]\nverb = 'warn'\n\
                add_header = ['X-Body: $message_body', 'X-All: $message_headers']\n\
                logwrite = '$message_body$message_headers'\n\
                [[acl_smtp_data]]\nverb = 'deny'\nmessage = '$message_body$message_headers'";
    let mut scenario = with_message(message);
    let refusal = scenario.refusal(&rules(text), Stage::Data).await;
    assert_eq!(refusal.lines().count(), 1, "{refusal:?}");
    let fields: Vec<_> = scenario.state.headers().map(str::to_owned).collect();
    assert_eq!(fields.len(), 2, "{fields:?}");
    let log = scenario.state.take_log().concat();
    for line in fields.iter().chain([&log, &refusal]) {
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
    assert!(fields[0].starts_with("X-Body: 250 ok X-Evil: 1"), "{fields:?}");
    // In a query it must be quoted.
    for name in ["message_body", "message_headers", "recipients"] {
        let rule = format!("verb = \"deny\"\ncondition = \"${{lookup sqlite{{SELECT ${name}}}}}\"");
        let error = refused(&format!("[[acl_smtp_data]]\n{rule}"));
        assert!(error.starts_with("line 3: byte "), "{name}: {error}");
    }
}

/// Source: `host_build_sender_fullhost` of Exim 4.96, and `exim4 -bh`.
#[tokio::test]
async fn the_full_host_says_each_name_once() {
    for (name, helo, expected) in [
        (None, "", "[192.0.2.1]"),
        (None, "client.example", "(client.example) [192.0.2.1]"),
        (None, "[192.0.2.1]", "[192.0.2.1]"),
        (None, "[192.0.2.2]", "([192.0.2.2]) [192.0.2.1]"),
        (Some("a.example"), "", "a.example [192.0.2.1]"),
        (Some("a.example"), "A.Example", "a.example [192.0.2.1]"),
        (Some("a.example"), "b.example", "a.example (b.example) [192.0.2.1]"),
        (Some("a.example"), "[ipv6:::ffff:192.0.2.1]", "a.example [192.0.2.1]"),
    ] {
        let mut scenario = with_message("");
        scenario.client.host_name = name.map(|name| name.parse().unwrap());
        helo.clone_into(&mut scenario.greeting.name);
        let found = value(&mut scenario, "$sender_fullhost").await;
        assert_eq!(found, (expected.to_owned(), Trust::Untrusted));
    }
}

#[tokio::test]
async fn the_time_is_that_of_now() {
    let before = OffsetDateTime::now_utc();
    let (text, trust) = value(&mut with_message(""), "$tod_epoch $tod_log").await;
    let after = OffsetDateTime::now_utc();
    let text_of = |time: OffsetDateTime| format!("{} {}", time.unix_timestamp(), log_time(time));
    assert!(text_of(before) <= text && text <= text_of(after), "{text}");
    assert_eq!(trust, Trust::Trusted);
    let time = OffsetDateTime::from_unix_timestamp(1_785_000_009).unwrap();
    assert_eq!(log_time(time), "2026-07-25 17:20:09");
}

#[tokio::test]
async fn encrypted_is_about_the_cipher_suite() {
    for (cipher, list, expected) in [
        (None, "*", false),
        (Some("TLS1.3:TLS_AES_256_GCM_SHA384:256"), "*", true),
        (
            Some("TLS1.3:TLS_AES_256_GCM_SHA384:256"),
            "TLS_AES_128_GCM_SHA256 : TLS_AES_256_GCM_SHA384",
            true,
        ),
        (Some("TLS1.3:TLS_AES_256_GCM_SHA384:256"), "tls_aes_256_gcm_sha384", true),
        (Some("TLS1.3:TLS_AES_256_GCM_SHA384:256"), "*_SHA384", true),
        (Some("TLS1.3:TLS_AES_128_GCM_SHA256:128"), "*_SHA384", false),
        (Some("TLS1.3:TLS_AES_128_GCM_SHA256:128"), "!*_SHA384 : *", true),
        (Some("TLS1.3:TLS_AES_128_GCM_SHA256:128"), "^TLS1", false),
    ] {
        for place in Stage::ALL {
            let text = format!("[[{}]]\nverb = 'deny'\nencrypted = '{list}'", place.option());
            let mut scenario = with_message("");
            let cipher = cipher.map(str::to_owned);
            scenario.client.tls =
                cipher.map(|cipher| TlsClient { cipher: Some(cipher), ..TlsClient::default() });
            let refusal = scenario.refusal(&rules(&text), place).await;
            assert_eq!(!refusal.is_empty(), expected, "{list} {place:?}");
        }
    }
    let rule = "[[acl_smtp_mail]]\nverb = 'require'\nencrypted = '*'";
    assert_eq!(refused(rule), "");
    assert_eq!(
        refused(&format!("tls_advertise_hosts = ''\n{rule}")),
        "line 4: encrypted never holds: tls_advertise_hosts matches no client"
    );
}

#[test]
fn the_limit_of_the_body_is_for_a_rule_that_has_it() {
    let rule = "[[acl_smtp_data]]\nverb = 'deny'\ncondition = '${if match{$message_body}{x}}'";
    for (option, error) in [
        ("message_body_visible = 16384\n", ""),
        ("message_body_visible = 500\n", ""),
        (
            "message_body_visible = '17K'\n",
            "line 1: message_body_visible: more than 16K, the longest text of a modifier",
        ),
    ] {
        assert_eq!(refused(&format!("{option}{rule}")), error, "{option}");
    }
    let idle = "line 1: message_body_visible has no effect: no rule has $message_body";
    assert_eq!(refused("message_body_visible = 1000"), idle);
    assert_eq!(refused("message_body_visible = 500"), "");
}

/// A whole gateway: the commands of a message are counted, and its recipients are those that accept it.
#[tokio::test]
async fn a_gateway_counts_the_recipients_of_a_message() {
    let options =
        "event_action = ''\nrecipients_max = 2\nprdr_enable = true\nmessage_body_visible = 4
        [[acl_smtp_rcpt]]
        verb = 'defer'
        local_parts = 'later'
        message = '$rcpt_count $rcpt_fail_count $rcpt_defer_count'
        [[acl_smtp_rcpt]]
        verb = 'deny'
        local_parts = 'no'
        message = '$rcpt_count $rcpt_fail_count $rcpt_defer_count'
        [[acl_smtp_data_prdr]]
        verb = 'deny'
        local_parts = 'bad'
        [[acl_smtp_data]]
        verb = 'deny'
        message = '$rcpt_count $rcpt_fail_count $rcpt_defer_count <$recipients> <$message_body>'";
    let running = Running::start(options).await;
    for (parameter, recipients) in
        [("", "ann@example.com, bad@example.com"), (" PRDR", "ann@example.com")]
    {
        let mut client = running.client().await;
        client.say("EHLO client.example").await;
        client.say(&format!("MAIL FROM:<a@b.example>{parameter}")).await;
        let mut last = String::new();
        for (recipient, reply) in [
            ("<no@example.com>", "550 5.7.1 1 0 0"),
            ("<later@example.com>", "451 4.7.1 2 1 0"),
            ("<no@example.com>", "550 5.7.1 3 1 1"),
            ("<", "501 5.1.3 "),
            ("<x@example.com> X=1", "555 "),
            ("<ann@example.com>", "250 "),
            ("<bad@example.com>", "250 "),
            ("<more@example.com>", "452 "),
        ] {
            last = client.say(&format!("RCPT TO:{recipient}")).await;
            assert!(last.starts_with(reply), "{recipient}: {last}");
        }
        assert!(last.starts_with("452 "));
        client.say("DATA").await;
        client.raw(b"Subject: x\r\n\r\nsome text\r\n.\r\n").await;
        let count = if parameter.is_empty() { 0 } else { 3 };
        for _ in 0..count {
            client.reply().await;
        }
        let reply = client.reply().await;
        if parameter.is_empty() {
            // Without PRDR the strictest verdict is for all.
            assert_eq!(reply.trim_end(), "550 5.7.1 not permitted");
        } else {
            let expected = format!("550 5.7.1 8 4 2 <{recipients}> <some>");
            assert_eq!(reply.trim_end(), expected);
        }
    }
    running.end().await;
}
