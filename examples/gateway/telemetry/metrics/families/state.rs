//! The families of the present state.

use std::time::{Duration, SystemTime};

use super::{Family, Series, gauge, total};
use crate::gateway::telemetry::metrics::Readings;
use crate::gateway::telemetry::metrics::counts::Word as _;
use crate::gateway::telemetry::metrics::readings::{EventsReading, JournalReading};
use crate::gateway::telemetry::metrics::words::StapleState;

pub(super) fn families(readings: &Readings) -> Vec<Family> {
    let (memory, limit) = readings.message_memory;
    let mut families = vec![
        build(),
        gauge(
            "config_timestamp",
            seconds(readings.configured),
            "When the configuration of new connections was read, in seconds since 1970.",
        )
        .in_seconds(),
        gauge(
            "open_connections",
            [number(readings.open_connections)],
            "Connections of clients now.",
        ),
        gauge("message_memory", [number(memory)], "Memory of incoming messages.").in_bytes(),
        gauge("message_memory_limit", [number(limit)], "The limit message_memory_limit.")
            .in_bytes(),
    ];
    families.extend(journal(readings.journal));
    families.extend(events(readings.events));
    families.extend(certificates(readings));
    families
}

fn build() -> Family {
    let labels = vec![("version", env!("CARGO_PKG_VERSION"))];
    let help = "The version of the program; the value is 1.";
    Family { name: "build_info", help, unit: None, series: Series::Gauge(vec![(labels, 1.0)]) }
}

fn journal(journal: JournalReading) -> [Family; 4] {
    let JournalReading { accepts, segments, octets, undelivered } = journal;
    [
        gauge(
            "store_accepts",
            [f64::from(u8::from(accepts))],
            "Whether the store accepts messages: 1, or 0 after an error of the disk.",
        ),
        gauge("journal_segments", [float(segments)], "Files of the journal."),
        gauge("journal_size", [float(octets)], "The size of the journal's files.").in_bytes(),
        gauge(
            "journal_undelivered_messages",
            [float(undelivered)],
            "Messages that are durable in the journal, and not in the Maildir yet.",
        ),
    ]
}

fn events(events: EventsReading) -> [Family; 4] {
    let EventsReading { waiting, in_file, overflowed, lost } = events;
    [
        gauge("events_waiting", [number(waiting)], "Events in memory whose action has not begun."),
        gauge("events_overflow", [float(in_file)], "Events in the overflow file.").in_bytes(),
        total("events_overflowed", overflowed, "Events that were written to the overflow file."),
        total("events_lost", lost, "Events lost, since the queue and the overflow file were full."),
    ]
}

fn certificates(readings: &Readings) -> [Family; 3] {
    let all = &readings.certificates;
    let states = StapleState::ALL.iter().map(|state| {
        let is_so = |until| StapleState::of(until, readings.now).as_str() == state.as_str();
        let count = all.iter().filter(|certificate| is_so(certificate.staple_until)).count();
        (vec![(StapleState::LABEL, state.as_str())], number(count))
    });
    let series = Series::Gauge(states.collect());
    let help = "Certificates for clients, by the state of their OCSP staple.";
    [
        Family { name: "certificates", help, unit: None, series },
        gauge(
            "certificate_expiry_timestamp",
            all.iter().filter_map(|certificate| certificate.until).min().map(float),
            "The end of the first certificate to expire, in seconds since 1970.",
        )
        .in_seconds(),
        gauge(
            "staple_expiry_timestamp",
            all.iter().filter_map(|certificate| certificate.staple_until).min().map(float),
            "The end of the first OCSP staple to expire, in seconds since 1970.",
        )
        .in_seconds(),
    ]
}

fn seconds(time: SystemTime) -> Option<f64> {
    time.duration_since(SystemTime::UNIX_EPOCH).ok().as_ref().map(Duration::as_secs_f64)
}

fn number(count: usize) -> f64 {
    float(u64::try_from(count).unwrap_or(u64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of the page are floats")]
fn float(count: u64) -> f64 {
    count as f64
}
