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
    // A text from the network begins no line of its own.
    let failed = RecipientOutcome::new(&recipient, DeliveryResult::Failed);
    let failed = failed.because("550 no\r\n=> bob@example.com");
    assert_eq!(failed.to_string(), "** ann@example.com T=remote_smtp: 550 no => bob@example.com");
}
