//! The time variables of an event.

use std::time::SystemTime;

use time::OffsetDateTime;

/// Returns the value of a time variable, in UTC.
pub(crate) fn moment(at: SystemTime, name: &str) -> String {
    let time = OffsetDateTime::from(at);
    let ends = match name {
        "tod_epoch" => return time.unix_timestamp().to_string(),
        "tod_log" => ["", "-", "-", " ", ":", ":", ""],
        _ => ["", "", "", "", "", "", "Z"],
    };
    // No event is later than the year 9999.
    let year = u16::try_from(time.year()).unwrap_or_default();
    let [century, year] =
        [year / 100, year % 100].map(|part| u8::try_from(part).unwrap_or_default());
    let (month, day, (hour, minute, second)) = (u8::from(time.month()), time.day(), time.to_hms());
    let mut text = String::with_capacity("2014-11-14 00:55:35".len());
    for (number, end) in [century, year, month, day, hour, minute, second].into_iter().zip(ends) {
        text.extend([number / 10 % 10, number % 10].map(|digit| char::from(b'0' + digit)));
        text.push_str(end);
    }
    text
}
