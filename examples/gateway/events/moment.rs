//! The time variables of an event.

use std::time::SystemTime;

use time::OffsetDateTime;

/// Returns the value of a time variable, in UTC.
pub(crate) fn moment(at: SystemTime, name: &str) -> String {
    let time = OffsetDateTime::from(at);
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second) = time.to_hms();
    match name {
        "tod_epoch" => time.unix_timestamp().to_string(),
        "tod_log" => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
        _ => format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z"),
    }
}
