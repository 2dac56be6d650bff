//! Types as stored texts.

#![cfg(feature = "serde")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fmt::Debug;

use mail_types::dns::{DnsFailure, DnssecStatus, Name, RecordType};
use mail_types::results::{AuthResult, SpfIdentity};
use mail_types::smtp::{
    Domain, EnhancedCode, Helo, MailHost, Mailbox, Reply, ReplyCode, ReversePath,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value is written as this JSON, and read from it.
fn is_stored_as<T: Debug + DeserializeOwned + PartialEq + Serialize>(value: &T, json: &str) {
    assert_eq!(serde_json::to_string(value).unwrap(), json);
    assert_eq!(serde_json::from_str::<T>(json).unwrap(), *value, "{json}");
}

/// The reason why a text is refused.
fn refused<T: Debug + DeserializeOwned>(json: &str) -> String {
    serde_json::from_str::<T>(json).unwrap_err().to_string()
}

#[test]
fn each_type_is_its_text() {
    is_stored_as(&"mx.example.com".parse::<Name>().unwrap(), "\"mx.example.com\"");
    is_stored_as(&Name::root(), &format!("\"{}\"", Name::root()));
    is_stored_as(&RecordType::Tlsa, "\"TLSA\"");
    is_stored_as(&DnssecStatus::Secure, "\"secure\"");
    is_stored_as(&DnsFailure::ServFail, &format!("\"{}\"", DnsFailure::ServFail));
    is_stored_as(&AuthResult::SoftFail, "\"softfail\"");
    is_stored_as(&SpfIdentity::MailFrom, "\"mailfrom\"");
    is_stored_as(&SpfIdentity::Helo, "\"helo\"");
    is_stored_as(&"example.com".parse::<Domain>().unwrap(), "\"example.com\"");
    is_stored_as(&"5.7.1".parse::<EnhancedCode>().unwrap(), "\"5.7.1\"");
    is_stored_as(&ReplyCode::OK, "\"250\"");
    is_stored_as(&Helo::new("my pc"), "\"my pc\"");
    is_stored_as(&"[192.0.2.1]".parse::<MailHost>().unwrap(), "\"[192.0.2.1]\"");
    is_stored_as(&"\"a b\"@example.com".parse::<Mailbox>().unwrap(), r#""\"a b\"@example.com""#);
    is_stored_as(&"<ann@example.com>".parse::<ReversePath>().unwrap(), "\"<ann@example.com>\"");
    is_stored_as(&ReversePath::Null, "\"<>\"");
    let reply = Reply::new(ReplyCode::OK, "one").with_line("two");
    is_stored_as(&reply, r#""250-one\r\n250 two""#);
}

#[test]
fn a_malformed_text_is_refused_with_its_cause() {
    for (refusal, cause) in [
        (refused::<Mailbox>("\"ann lee@example.com\""), "byte 3"),
        (refused::<AuthResult>("\"maybe\""), "not"),
        (
            refused::<SpfIdentity>("\"from\""),
            "unknown variant `from`, expected `mailfrom` or `helo`",
        ),
        (refused::<Domain>("\"a..b\""), "byte"),
        (refused::<Domain>("1"), "invalid type: integer `1`"),
        (refused::<RecordType>("\"NOTHING\""), "record type"),
        // The cause behind the error.
        (refused::<Reply>("\"ok\""), "byte 0: not an SMTP reply code"),
    ] {
        assert!(refusal.contains(cause), "{refusal}");
    }
}
