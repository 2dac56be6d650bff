//! Forged fields are removed, and no others.

use std::cell::Cell;
use std::sync::LazyLock;

use bytes::Bytes;
use mail_types::smtp::MailHost;

use crate::gateway::config::Config;
use crate::gateway::delivery::routing::Routing;
use crate::gateway::message::forged::without_forged;

#[test]
fn what_claims_to_be_ours_is_taken_out() {
    let forged = [
        "Authentication-Results: mx.test; spf=pass\r\n",
        "authentication-results:MX.Test;\r\n\tspf=pass\r\n dkim=pass\r\n",
        "Authentication-Results : (a (b\\)) c) \"mx.test\" 1; none\r\n",
        "Authentication-Results:\r\n mx.test (x); none\r\n",
        "Authentication-Results: mx.test.; dkim=pass\r\n",
        "Authentication-Results: \"mx.test.\"; dkim=pass\r\n",
        "Authentication-Results: mx\u{2024}test; dkim=pass\r\n",
        "Authentication-Results: m\u{1b}(Bx.test; dkim=pass\r\n",
        "Authentication-Results: mx.test. 1; dkim=pass\r\n",
        "Authentication-Results: mx.test\r\n\t1;\r\n dkim=pass\r\n",
        "Authentication-Results:\u{b}mx.test; dkim=pass\r\n",
        "Authentication-Results: \u{a0}mx.test\u{a0}; dkim=pass\r\n",
        "Authentication-Results: \u{200b}\u{3000}mx.test; dkim=pass\r\n",
        "Authentication-Results:\u{c}\0 mx.test; dkim=pass\r\n",
        "Authentication-Results\u{b}: mx.test; dkim=pass\r\n",
        "Authentication-Results \t: mx.test; dkim=pass\r\n",
        "Authentication-Results\r\n : mx.test; dkim=pass\r\n",
        "Authentication-Results: local.test; dkim=pass\r\n",
        "Authentication-Results: b\u{fc}cher.test; dkim=pass\r\n",
        "Authentication-Results: ; dkim=pass header.d=bank.example\r\n",
        "Authentication-Results: dkim=pass header.d=bank.example\r\n",
        "Authentication-Results: dkim = pass header.d=bank.example\r\n",
        "Authentication-Results: dkim/1=pass; x=y\r\n",
        "Authentication-Results: (mx.test); dkim=pass\r\n",
        "Authentication-Results: (unclosed mx.test; dkim=pass\r\n",
        "Authentication-Results:\r\n",
        "Authentication-Results: \u{200e}mx.test; dkim=pass\r\n",
        "Authentication-Results: \u{202a}mx\u{ad}.te\u{e0001}st\u{202c}; dkim=pass\r\n",
        &format!("Authentication-Results:{}mx.test; dkim=pass\r\n", "\r\n ".repeat(21_844)),
        &format!("Authentication-Results: other.test;{}x\r\n", "\r\n ".repeat(22_000)),
        &format!(
            "Received-SPF: pass receiver=other.test;{}receiver=mx.test\r\n",
            " ".repeat(65_536)
        ),
        "X-Quarantine: no\r\n",
        "x-quarantine\t:\r\n\tno\r\n",
        "Received-SPF: pass (mx.test: fine) client-ip=192.0.2.1; receiver=mx.test; identity=mailfrom\r\n",
        "Received-SPF: pass receiver=\"MX.test.\";\r\n client-ip=192.0.2.1\r\n",
        "Received-SPF: pass Receiver = (x) local.test; client-ip=192.0.2.1\r\n",
        "Received-SPF: pass receiver=other.test; receiver=mx.test\r\n",
        "Received-SPF: pass (receiver=other.test) client-ip=192.0.2.1\r\n",
        "Received-SPF: pass\r\n",
        "Return-Path: <a@b.example>\r\n",
        "RETURN-PATH : <>\r\n",
    ];
    forged.into_iter().for_each(goes);
}

/// What a lenient reader may take for our identifier, or for the name of such a field.
const POSING: &[&str] = &[
    "Authentication-Results: mx.test/1; dkim=pass\r\n",
    "Authentication-Results: mx.test:25; dkim=pass\r\n",
    "Authentication-Results: <mx.test>; dkim=pass\r\n",
    "Authentication-Results: [mx.test]; dkim=pass\r\n",
    "Authentication-Results: mx.test,id; dkim=pass\r\n",
    "Authentication-Results: id,mx.test; dkim=pass\r\n",
    "Authentication-Results: mx.test\\; dkim=pass\r\n",
    "Authentication-Results: mx\\.test; dkim=pass\r\n",
    "Authentication-Results: @mx.test; dkim=pass\r\n",
    "Authentication-Results: .mx.test..; dkim=pass\r\n",
    "Authentication-Results: _mx.test-; dkim=pass\r\n",
    "Authentication-Results: 'mx.test'; dkim=pass\r\n",
    "Authentication-Results: \u{201c}mx.test\u{201d}; dkim=pass\r\n",
    "Authentication-Results: \u{fff9}mx.test; dkim=pass\r\n",
    "Authentication-Results: mx.test\u{2800}; dkim=pass\r\n",
    "Authentication-Results: \u{3164}mx.\u{ffa0}test\u{115f}; dkim=pass\r\n",
    "Authentication-Results: mx\u{ff0e}test; dkim=pass\r\n",
    "Authentication-Results: x mx.test; dkim=pass\r\n",
    "Authentication-Results: x mx.test/1\r\n",
    "Authentication-Results: other.test dkim=pass\r\n",
    "Authentication-Results;: mx.test; dkim=pass\r\n",
    "\"Authentication-Results\": mx.test; dkim=pass\r\n",
    "Authentication-\u{200b}Results: mx.test; dkim=pass\r\n",
    "X-Quarantine;: no\r\n",
    "Received-SPF: pass receiver=<mx.test>; client-ip=192.0.2.1\r\n",
];

#[test]
fn what_poses_as_ours_for_a_lenient_reader_is_taken_out() {
    POSING.iter().copied().for_each(goes);
}

/// The field goes, wherever in the header it is, and a line of the body that is like it stays.
fn goes(field: &str) {
    assert_eq!(
        left(&format!("A: 1\r\n{field}B: 2\r\n\r\n{field}")),
        format!("A: 1\r\nB: 2\r\n\r\n{field}")
    );
    assert_eq!(left(&format!("{field}{field}\r\n")), "\r\n");
    assert_eq!(left(field), "");
}

#[test]
fn what_claims_to_be_others_or_nothing_stays() {
    let rows = [
        "",
        "\r\n",
        "no field\r\n\r\n",
        "Authentication-Results: mx.test.example; spf=pass\r\n\r\nx",
        "Authentication-Results: other.test (mx.test); spf=pass\r\n\r\n",
        "Subject: Authentication-Results: mx.test\r\n\r\n",
        "X: y\r\n Authentication-Results: mx.test; spf=pass\r\n\r\n",
        "X: y\r\n\r\nAuthentication-Results: mx.test; spf=pass\r\n",
        "Authentication-Results: mx.test.other; spf=pass\r\n\r\n",
        "Authentication-Results: notmx.test; spf=pass\r\n\r\n",
        "Authentication-Results: mx-test; spf=pass\r\n\r\n",
        "Authentication-Results: other.test/1 (mx.test) 1; spf=pass smtp.helo=mx.test\r\n\r\n",
        "Authentication-Results: \"other.test\"; spf=pass reason=\"mx.test\"\r\n\r\n",
        "X-Authentication-Results: mx.test; spf=pass\r\n\r\n",
        "ARC-Authentication-Results: i=1; mx.test; spf=pass\r\n\r\n",
        "Received-SPF: pass (mx.test) receiver=other.test; client-ip=192.0.2.1\r\n\r\n",
        "X-Quarantined: yes\r\n\r\n",
    ];
    for row in rows {
        assert_eq!(left(row), row);
    }
}

#[test]
fn octets_that_are_not_utf8_are_blanks_before_an_identifier() {
    for (field, left) in [
        (&b"Authentication-Results: \xa0mx.test; dkim=pass\r\n"[..], ""),
        (b"Authentication-Results: other.test\xa0; dkim=pass\r\n", "other.test"),
    ] {
        let parts = without_forged(&Bytes::copy_from_slice(field), &is_own, true);
        let found: Vec<_> = parts.concat();
        assert_eq!(found.is_empty(), left.is_empty(), "{field:?}");
    }
}

#[test]
fn a_return_path_is_handed_on() {
    let message = Bytes::from_static(b"Return-Path: <a@b.example>\r\nX-Quarantine: no\r\n\r\n");
    let parts = without_forged(&message, &is_own, false).concat();
    assert_eq!(parts, b"Return-Path: <a@b.example>\r\n\r\n");
}

fn left(message: &str) -> String {
    let message = Bytes::copy_from_slice(message.as_bytes());
    let parts = without_forged(&message, &is_own, true);
    parts.iter().map(|part| String::from_utf8_lossy(part)).collect()
}

static LOCAL: LazyLock<Routing> = LazyLock::new(|| {
    let text = "primary_hostname = 'mx.test'\nlocal_domains = 'local.test : b\u{fc}cher.test'";
    Config::parse(text).unwrap().server.live.routing
});

fn is_own(host: &MailHost) -> bool {
    LOCAL.may_be_local(host)
}

/// Nobody lists this many names or writes this many fields; each one costs a search of the lists.
#[test]
fn a_message_costs_few_searches() {
    let header = |unit: &str| unit.repeat((1 << 20) / unit.len());
    let field = |start: &str, unit: &str| {
        format!("{start}{}\r\n", unit.repeat((65_000 - start.len()) / unit.len()))
    };
    for header in [
        header("Authentication-Results: a\r\n"),
        header("Received-SPF: pass receiver=a\r\n"),
        header(&field("Authentication-Results: ", "a ")),
        header(&field("Authentication-Results: ", "a,")),
        header(&field("Received-SPF: pass ", "receiver=a ")),
        header(&field("Received-SPF: pass receiver=", "a,")),
    ] {
        let searches = Cell::new(0);
        let own = |_: &MailHost| {
            searches.set(searches.get() + 1);
            false
        };
        let message = Bytes::from(header + "\r\nx");
        let parts = without_forged(&message, &own, true);
        assert!(searches.get() < 10_000, "{} searches", searches.get());
        // What was not searched for is gone.
        assert!(parts.iter().map(Bytes::len).sum::<usize>() < message.len());
    }
}
