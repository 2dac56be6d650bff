//! Exim's variables of the time, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// Returns the value of a variable at this time; `None` if it is not about the time.
pub(crate) fn value(name: &str, now: SystemTime) -> Option<String> {
    let time = OffsetDateTime::from(now);
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second) = time.to_hms();
    let word = |text: String| text.get(..3).unwrap_or_default().to_owned();
    let (weekday, name_of_month) =
        (word(time.weekday().to_string()), word(time.month().to_string()));
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(match name {
        "tod_bsdinbox" => format!("{weekday} {name_of_month} {day:02} {clock} {year}"),
        "tod_epoch" => since.as_secs().to_string(),
        "tod_epoch_l" => since.as_micros().to_string(),
        "tod_full" => format!("{weekday}, {day:02} {name_of_month} {year} {clock} +0000"),
        "tod_log" => format!("{year:04}-{month:02}-{day:02} {clock}"),
        "tod_logfile" => format!("{year:04}{month:02}{day:02}"),
        "tod_zone" => "+0000".to_owned(),
        "tod_zulu" => format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z"),
        _ => return None,
    })
}
