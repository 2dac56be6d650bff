//! Log lines of deliveries, in Exim's form.

use mail_types::smtp::{Mailbox, Reply, ReplyCode};

use crate::gateway::delivery::outcome::{DeliveryResult, RecipientOutcome, TlsOutcome, Verified};

#[test]
fn the_lines_are_those_of_exims_log() {
    let recipient: Mailbox = "ann@example.com".parse().unwrap();
    let reply = Reply::new(ReplyCode::OK, "OK \"x\"").with_line("id=1");
    let cipher = "TLS1.3:TLS_AES_256_GCM_SHA384:256".to_owned();
    let tls = TlsOutcome { cipher, verified: Verified::Dane, ..TlsOutcome::default() };
    let whole = RecipientOutcome {
        host: Some("mx.example.com".into()),
        address: Some("192.0.2.1:25".parse().unwrap()),
        tls: Some(tls),
        prdr: true,
        chunking: true,
        reply: Some(reply),
        ..RecipientOutcome::new(&recipient, DeliveryResult::Delivered)
    };
    assert_eq!(
        whole.to_string(),
        "=> ann@example.com T=remote_smtp H=mx.example.com [192.0.2.1]:25 \
         X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=dane PRDR K C=\"250-OK \\\"x\\\"\\n250 id=1\""
    );
    let deferred = RecipientOutcome {
        host: Some("mx.example.com".into()),
        address: Some("[2001:db8::1]:25".parse().unwrap()),
        ..RecipientOutcome::new(&recipient, DeliveryResult::Deferred).because("Connection refused")
    };
    assert_eq!(
        deferred.to_string(),
        "== ann@example.com T=remote_smtp H=mx.example.com [2001:db8::1]:25 defer: Connection refused"
    );
    let said = |text: &str| {
        let reply = Some(Reply::new(ReplyCode::OK, text));
        let whole = RecipientOutcome {
            reply,
            ..RecipientOutcome::new(&recipient, DeliveryResult::Delivered)
        };
        whole.to_string()
    };
    // The end of the text is the quote that no backslash stands before.
    let line = said("a\\\" => bob@example.com C=\"x");
    assert!(line.ends_with(r#" C="250 a\\\" => bob@example.com C=\"x""#), "{line}");
    for octets in 980..1020 {
        let line = said(&"\\".repeat(octets));
        let text = line.split_once(" C=\"").unwrap().1;
        let text = text.strip_suffix("...\"").or(text.strip_suffix('"')).unwrap();
        assert!(text.len() <= 2 * 1000, "{octets}");
        assert_eq!(text.matches('\\').count() % 2, 0, "{line}");
    }
    assert!(said(&"\u{e9}".repeat(2000)).len() < 1100);
    // A text from the network begins no line of its own.
    let failed = RecipientOutcome::new(&recipient, DeliveryResult::Failed);
    let failed = failed.because("550 no\r\n=> bob@example.com");
    assert_eq!(failed.to_string(), "** ann@example.com T=remote_smtp: 550 no => bob@example.com");
    let long = RecipientOutcome::new(&recipient, DeliveryResult::Failed).because("x".repeat(5000));
    assert!(long.to_string().len() < 1100);
}
