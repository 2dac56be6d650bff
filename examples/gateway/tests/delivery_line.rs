//! Log lines of deliveries, in Exim's form.

use mail_types::smtp::{Mailbox, Reply, ReplyCode};

use crate::gateway::telemetry::delivery_line::{DeliveryLine, LineResult, LineTls, LineVerified};

#[test]
fn the_lines_are_those_of_exims_log() {
    let recipient: Mailbox = "ann@example.com".parse().unwrap();
    let reply = Reply::new(ReplyCode::OK, "OK \"x\"").with_line("id=1");
    let host = Some(("mx.example.com", Some("192.0.2.1:25".parse().unwrap())));
    let tls = LineTls { cipher: "TLS1.3:TLS_AES_256_GCM_SHA384:256", verified: LineVerified::Dane };
    let whole = DeliveryLine {
        recipient: &recipient,
        result: LineResult::Delivered(&reply),
        host,
        tls: Some(tls),
        prdr: true,
        chunking: true,
    };
    assert_eq!(
        whole.to_string(),
        "=> ann@example.com T=remote_smtp H=mx.example.com [192.0.2.1]:25 \
         X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=dane PRDR K C=\"250-OK \\\"x\\\"\\n250 id=1\""
    );
    let plain = DeliveryLine { tls: None, prdr: false, chunking: false, ..whole.clone() };
    let deferred =
        DeliveryLine { result: LineResult::Deferred("Connection refused"), ..plain.clone() };
    assert_eq!(
        deferred.to_string(),
        "== ann@example.com T=remote_smtp H=mx.example.com [192.0.2.1]:25 defer: Connection refused"
    );
    // A text from the network begins no line of its own.
    let failed = LineResult::Failed("550 no\r\n=> bob@example.com");
    let failed = DeliveryLine { result: failed, host: None, ..plain };
    assert_eq!(failed.to_string(), "** ann@example.com T=remote_smtp: 550 no => bob@example.com");
}
