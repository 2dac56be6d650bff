//! Forgeries of a domain with a policy of reject, by DATA and by BDAT, delivered and relayed.

use super::examined::{Stage, WAYS, mail};

/// Fields of messages that are, or may be, `victim.example`'s to a reader.
const FORGED: [&str; 49] = [
    "From: a@good.example\r\nFrom: a@victim.example",
    "From: a@victim.example\r\nFrom: a@good.example",
    "From : a@victim.example",
    "From: a@good.example\r\nFrom : a@victim.example",
    "From: a@good.example\r\nFrom\t : a@victim.example",
    "From: a@good.example\r\nFrom\r\n : a@victim.example",
    "From: a@x_y.victim.example",
    "From: a@-x.victim.example",
    "From: Victim, Inc. <a@victim.example>",
    "From: a@good.example <a@victim.example>",
    "From: a@victim.example>",
    "From: A <a@victim.example>;",
    "From: a..b@victim.example",
    "From: A <a@victim.example.>",
    "From: A <a@victim.example",
    "From: A\r\n <a@victim.\r\n example>, x",
    "From: =?utf-8?q?a=40victim.example?=",
    "From: =?utf-8?b?QSA8YUB2aWN0aW0uZXhhbXBsZT4=?=",
    "From: a@good.example, a@victim.example",
    "From: <a@victim.example\0.evil.example>",
    "From: <a@victim.example x.evil.example>",
    "From: <a@victim.example(c)x.evil.example>",
    "From: <a@victim.example\"x\".evil.example>",
    "From: <a@victim.example\u{2003}x.evil.example>",
    "From: a@=?utf-8?q?victim.example?=",
    "From: <=?utf-8?q?a=40victim.example=3E=00?=@evil.example>",
    "From: =?utf-8?b?YQ==QHZpY3RpbS5leGFtcGxl?=",
    "From\u{b}: a@victim.example",
    "From\0: a@victim.example",
    "From\u{a0}: a@victim.example",
    "\u{8}From: a@victim.example",
    "\u{feff}From: a@victim.example",
    // A signature with a fault of the syntax asks nothing, and changes nothing.
    "DKIM-Signature: v=1; a=rsa-sha256; d=victim.example; s=a..b; h=from; bh=AAAA; b=AAAA\r\n\
     From: a@victim.example",
    "DKIM-Signature: v=1; a=rsa-sha256; d=victim.example; s=.a; h=from; bh=AAAA; b=AAAA\r\n\
     DKIM-Signature: v=1; a=rsa-sha256; d=a..victim.example; s=a; h=from; bh=AAAA; b=AAAA\r\n\
     From: a@victim.example",
    "From: a@victim.example .good.example",
    "From: A <a@victim.example.\r\n good.example>;",
    "From: a@victim.example; <y@[127.0.0.1]>",
    "From: A <@a.example,@good.example:c@victim.example>;",
    "From: <a@vic tim.example>",
    "From: A <a@victim\r\n .exam\r\n ple>",
    "From: 'a@victim.example'",
    "From: {a@victim.example}",
    "From: =?utf-8?q?a=40victim.example?=:;",
    "From: <a@[127.0.0.1]victim.example>",
    "From: a@\u{1b}(Bvictim.example",
    // The author of these cannot be determined.
    "From: =?gb2312?q?a=A3=C0victim.example?=",
    "From: =?utf-7?q?a+AEA-victim.example?=",
    "From: a@",
    "From: \"a@victim.example\" <>",
];

/// Fields of messages that claim no domain.
const OF_NOBODY: [&str; 4] = ["X: y", "From: root", "From: undisclosed:;", "From: a@[192.0.2.1]"];

#[test]
fn a_from_that_is_not_right_gets_no_further_than_one_that_is() {
    let mut stage = Stage::new(true, "");
    let many: Vec<_> = (0..17).map(|at| format!("a@d{at}.example")).collect();
    let many = format!("From: {}", many.join(", "));
    let long = format!("From: {}a@victim.example", "\r\n ".repeat(34_000));
    for fields in FORGED.iter().copied().chain([&*many, &long]) {
        for way in WAYS {
            let (reply, message) = stage.send("a@good.example", &mail(fields), way);
            assert!(reply.starts_with("250"), "{fields} {way:?}: {reply}");
            let quarantined = message.contains("\r\nX-Quarantine: DMARC");
            assert!(quarantined, "{fields} {way:?}: {message}");
        }
    }
    for fields in OF_NOBODY {
        for way in WAYS {
            let (reply, message) = stage.send("a@good.example", &mail(fields), way);
            assert!(reply.starts_with("250"), "{fields} {way:?}: {reply}");
            assert!(!message.contains("X-Quarantine"), "{fields} {way:?}: {message}");
        }
    }
    for options in ["dmarc_reject = true", "dmarc_reject = true\ndmarc_invalid_from = 'reject'"] {
        stage.restart(options);
        for fields in FORGED.iter().copied().chain([&*many, &long]) {
            for way in WAYS {
                let (reply, _) = stage.send("a@good.example", &mail(fields), way);
                assert!(reply.starts_with("550 5.7.1 "), "{fields} {way:?}: {reply}");
            }
        }
        let (reply, _) = stage.send("a@good.example", &mail("From: root"), WAYS[0]);
        assert!(reply.starts_with("250"), "{reply}");
    }
    // Only those that cannot be told are what the option is about.
    stage.restart("dmarc_reject = true\ndmarc_invalid_from = 'accept'");
    for (fields, code) in [("From: a@", "250"), (&many, "250"), (FORGED[8], "550 5.7.1 ")] {
        let (reply, _) = stage.send("a@good.example", &mail(fields), WAYS[0]);
        assert!(reply.starts_with(code), "{fields}: {reply}");
    }
    stage.restart("dmarc_invalid_from = 'reject'");
    for (fields, code) in [("From: a@", "550 5.7.1 "), (&many, "550 5.7.1 "), (FORGED[8], "250")] {
        let (reply, _) = stage.send("a@good.example", &mail(fields), WAYS[0]);
        assert!(reply.starts_with(code), "{fields}: {reply}");
    }
}

#[test]
fn fields_in_our_name_are_not_believed_to_be_ours() {
    let mut stage = Stage::new(true, "");
    let ours = "Authentication-Results: gateway.test.; dkim=pass header.d=bank.example\r\n\
        Authentication-Results:\u{b}gateway.test; dkim=pass header.d=bank.example\r\n\
        Authentication-Results: \u{a0}gateway.test; dkim=pass header.d=bank.example\r\n\
        Authentication-Results: dkim=pass header.d=bank.example\r\n\
        X-Quarantine: no bank.example\r\n\
        Received-SPF: pass receiver=gateway.test; helo=bank.example\r\n\
        Received-SPF: pass receiver=local.test; helo=bank.example\r\n\
        Received-SPF: pass helo=bank.example";
    let path = "Return-Path: <a@bank.example>";
    let fields = format!("{path}\r\n{ours}\r\nReceived-SPF: pass receiver=other.test");
    for way in WAYS {
        let (reply, message) = stage.send("a@good.example", &mail(&fields), way);
        assert!(reply.starts_with("250"), "{reply}");
        // On final delivery there is one, and it is ours.
        assert_eq!(message.contains(path), way.0 == "next.test", "{way:?}: {message}");
        assert_eq!(message.matches("bank.example").count(), message.matches(path).count());
        assert!(message.contains("receiver=other.test"), "{message}");
        assert!(message.contains("Authentication-Results: gateway.test;\r\n"), "{message}");
    }
}

/// What would go on with the last field that stands before it is none: then the message has no header
/// section, and claims no domain.
#[test]
fn a_message_without_a_header_section_has_no_author() {
    let mut stage = Stage::new(true, "");
    let headless = [
        "\t; dkim=pass header.d=victim.example\r\nFrom: a@victim.example\r\n\r\nhello\r\n",
        " From: a@victim.example\r\n\r\nhello\r\n",
        "From a@victim.example Mon Jan  1\r\nFrom: a@victim.example\r\n\r\nhello\r\n",
        ": x\r\nFrom: a@victim.example\r\n\r\nhello\r\n",
        "hello\r\n",
    ];
    let accepting = ["", "dmarc_invalid_from = 'quarantine'", ACCEPTED];
    for options in accepting {
        stage.restart(options);
        for text in headless {
            for way in WAYS {
                let (reply, message) = stage.send_text("a@good.example", text, way);
                assert!(reply.starts_with("250"), "{options} {text:?} {way:?}: {reply}");
                let (header, body) = message.split_once("\r\n\r\n").unwrap();
                assert!(body.starts_with(text), "{text:?} {way:?}: {message}");
                assert!(header.contains("\tdmarc=none"), "{text:?} {way:?}: {message}");
                assert!(!header.contains("victim.example"), "{text:?} {way:?}: {message}");
                assert!(!header.contains("X-Quarantine"), "{text:?} {way:?}: {message}");
            }
        }
    }
    // Refused for its form, whoever brings it; a header without a From is a header.
    let reject = "dmarc_invalid_from = 'reject'";
    let others = format!("{reject}\ndmarc_verify_hosts = ''");
    for options in [reject, &others, "dmarc_reject = true"] {
        stage.restart(options);
        for way in WAYS {
            for text in headless {
                let (reply, _) = stage.send_text("a@good.example", text, way);
                assert!(reply.starts_with("554 5.6.0 "), "{options} {text:?} {way:?}: {reply}");
            }
            let (reply, _) = stage.send_text("a@good.example", "X: y\r\n\r\nhello\r\n", way);
            assert!(reply.starts_with("250"), "{options} {way:?}: {reply}");
        }
    }
    // A rule can tell them, and refuses neither who fails nor who passes.
    let rule =
        "[[acl_smtp_data]]\nverb = 'deny'\ndmarc_status = 'nofrom'\nmessage = 'nobody says so'";
    stage.restart(rule);
    for way in WAYS {
        for text in headless.into_iter().chain(["X: y\r\n\r\nhello\r\n"]) {
            let (reply, _) = stage.send_text("a@good.example", text, way);
            assert!(reply.starts_with("550 5.7.1 nobody says so"), "{text:?} {way:?}: {reply}");
        }
        for author in ["victim.example", "good.example"] {
            let text = mail(&format!("From: a@{author}"));
            let (reply, _) = stage.send_text("a@good.example", &text, way);
            assert!(reply.starts_with("250"), "{author} {way:?}: {reply}");
        }
    }
}

/// Where `dmarc_invalid_from` is not given, `dmarc_reject` says what becomes of such a message.
const ACCEPTED: &str = "dmarc_reject = true\ndmarc_invalid_from = 'accept'";
