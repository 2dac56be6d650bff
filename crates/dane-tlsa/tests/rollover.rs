//! When records are published and withdrawn: RFC 7671 section 8.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::time::Duration;

use dane_tlsa::rustls_pki_types::UnixTime;
use dane_tlsa::{
    Rollover, RolloverAction, RolloverError, RolloverStep, TlsaRecord, Unusable, Usage,
};

const TTL: Duration = Duration::from_secs(3600);

fn record(numbers: &str, octet: &str) -> TlsaRecord {
    let octets = if numbers.ends_with('2') { 64 } else { 32 };
    format!("{numbers} {}", octet.repeat(octets)).parse().unwrap()
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn times(steps: &[RolloverStep]) -> Vec<(u64, RolloverAction, usize)> {
    steps.iter().map(|step| (step.at.as_secs(), step.action, step.records.len())).collect()
}

/// Section 8.1: both at least two times to live before, the old one until its end.
#[test]
fn the_next_record_comes_two_times_to_live_before_its_key() {
    let (old, new) = (record("3 1 1", "01"), record("3 1 1", "7a"));
    let rollover = Rollover::new(vec![old.clone()], vec![new.clone()], TTL).unwrap();
    let steps = rollover.starting_at(at(1_000_000));
    assert_eq!(
        times(&steps),
        [
            (1_000_000, RolloverAction::PublishBoth, 2),
            (1_007_200, RolloverAction::UseNext, 2),
            (1_010_800, RolloverAction::PublishNext, 1),
        ]
    );
    assert_eq!(steps[0].records, [old, new.clone()]);
    assert_eq!(steps[2].records, [new]);
    assert_eq!(rollover.using_at(at(1_007_200)), steps);
}

#[test]
fn the_time_that_the_servers_of_the_zone_need_is_added() {
    let rollover =
        Rollover::new(vec![record("2 0 1", "01")], vec![record("2 0 1", "7a")], TTL).unwrap();
    let rollover = rollover.with_spread(Duration::from_secs(600));
    let steps: Vec<_> =
        times(&rollover.starting_at(at(0))).into_iter().map(|(at, ..)| at).collect();
    assert_eq!(steps, [0, 7800, 7800 + 600 + 3600]);
}

#[test]
fn a_renewed_certificate_with_its_old_key_changes_nothing() {
    let records = vec![record("3 1 1", "01")];
    let rollover = Rollover::new(records.clone(), records, TTL).unwrap();
    assert_eq!(rollover.starting_at(at(0)), []);
}

#[test]
fn a_record_that_is_given_twice_is_one_record() {
    let (a, b) = (record("3 1 1", "01"), record("3 1 1", "02"));
    let plan = |current: &[&TlsaRecord], next: &[&TlsaRecord]| {
        let owned = |records: &[&TlsaRecord]| records.iter().copied().cloned().collect();
        let rollover = Rollover::new(owned(current), owned(next), TTL).unwrap();
        rollover.starting_at(at(0)).last().map(|step| step.records.clone())
    };
    assert_eq!(plan(&[&a], &[&a, &a]), None);
    assert_eq!(plan(&[&a, &b], &[&a, &a]), Some(vec![a.clone()]));
    assert_eq!(plan(&[&a, &a], &[&b, &b]), Some(vec![b.clone()]));
}

/// Sections 8.2 and 8.4: one change at a time.
#[test]
fn each_combination_matches_both_keys() {
    let (old, new) = (record("3 1 1", "01"), record("3 1 1", "7a"));
    let rows = [
        (vec![old.clone()], vec![record("2 0 1", "7a")], [2, 0, 1], true),
        (vec![old.clone()], vec![new.clone(), record("3 1 2", "7a")], [3, 1, 2], true),
        (vec![old.clone(), record("3 0 1", "01")], vec![new.clone()], [3, 0, 1], false),
    ];
    for (current, next, numbers, is_next) in rows {
        let error = Rollover::new(current, next, TTL).unwrap_err();
        let is_right = match error {
            RolloverError::NextOnly { numbers: found, .. } => is_next && found == numbers,
            RolloverError::CurrentOnly { numbers: found, .. } => !is_next && found == numbers,
            _ => false,
        };
        assert!(is_right, "{error}");
    }
}

#[test]
fn records_that_cannot_be_used_are_refused() {
    let (old, new) = (vec![record("3 1 1", "01")], vec![record("1 1 1", "7a")]);
    let error = Rollover::new(old.clone(), new, TTL).unwrap_err();
    assert!(matches!(
        error,
        RolloverError::Unusable { unusable: Unusable::PkixUsage(Usage::PKIX_EE), .. }
    ));
    let error = Rollover::new(old, Vec::new(), TTL).unwrap_err();
    assert_eq!(error.to_string(), "the next key has no record");
}
