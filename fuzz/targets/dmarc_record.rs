//! A parsed record is written and parsed again as the same, and its parts are within their limits.

#![no_main]

use dmarc_policy::{Record, ReportUri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if let Ok(uri) = String::from_utf8_lossy(text).parse::<ReportUri>() {
        assert_eq!(uri.as_str().parse(), Ok(uri.clone()));
        if let Some(mailbox) = uri.mailbox() {
            assert!(!mailbox.to_string().chars().any(char::is_control));
        }
    }
    let Ok(record) = Record::parse(text) else {
        assert!(Record::check(text).is_err());
        return;
    };
    assert!(Record::check(text).is_ok());
    assert!(record.rua.len() <= Record::MAX_URIS && record.ruf.len() <= Record::MAX_URIS);
    assert!(record.p.is_some() || (record.sp, record.np) == (None, None));
    assert_eq!(record.policy().is_some(), record.p.is_some() || !record.rua.is_empty());
    let written = record.to_string();
    assert!(written.bytes().all(|octet| matches!(octet, b' '..=b'~')));
    if written.len() <= Record::MAX_OCTETS {
        assert_eq!(Record::parse(written.as_bytes()), Ok(record));
    }
});
