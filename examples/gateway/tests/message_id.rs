//! Identifiers: their text and their order.

use std::time::{Duration, UNIX_EPOCH};

use crate::gateway::message::id::{MessageId, MessageIdError};

#[test]
fn an_id_reads_back() {
    let id = MessageId::next(UNIX_EPOCH + Duration::from_millis(1_795_366_800_123));
    let text = id.to_string();
    assert_eq!(text.len(), MessageId::LENGTH);
    assert!(text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'));
    assert_eq!(text.parse(), Ok(id));
    assert!(id.seconds() >= 1_795_366_800);
}

#[test]
fn ids_sort_as_they_were_made_whatever_the_clock_does() {
    let times = [500, 500, 400, 0, 501, 502, 501].map(Duration::from_secs);
    let ids = times.map(|time| MessageId::next(UNIX_EPOCH + time));
    let texts = ids.map(|id| id.to_string());
    assert!(ids.is_sorted_by(|a, b| a < b), "{texts:?}");
    assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
}

#[test]
fn a_clock_before_1970_still_gives_ids() {
    let early = UNIX_EPOCH - Duration::from_secs(1);
    assert_ne!(MessageId::next(early), MessageId::next(early));
}

#[test]
fn bad() {
    for (text, error) in [
        ("", MessageIdError::Length { found: 0 }),
        ("1kz8e5v3r0004-m2v7q0xd1", MessageIdError::Length { found: 23 }),
        ("1kz8e5v3r0004-m2v7q0xd1cc", MessageIdError::Length { found: 25 }),
        ("1kz8e5v3r0004.m2v7q0xd1c", MessageIdError::Character { at: 13 }),
        ("1Kz8e5v3r0004-m2v7q0xd1c", MessageIdError::Character { at: 1 }),
        ("1kz8e5v3r0004-m2v7q0xd1i", MessageIdError::Character { at: 23 }),
        ("1kz8e5v3r000/-m2v7q0xd1c", MessageIdError::Character { at: 12 }),
        // The thirteenth digit from the right has room for four bits only.
        ("g000000000000-m2v7q0xd1c", MessageIdError::Character { at: 12 }),
    ] {
        assert_eq!(text.parse::<MessageId>(), Err(error), "{text}");
    }
}
