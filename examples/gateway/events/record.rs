//! The format of events in the overflow file.
//!
//! A record is its length and its CRC-32C, four octets each, the time in seconds, and a field for the
//! event's name and for each variable: the length of the name, the length of the value in two octets, the
//! trust, the name, the value. Numbers are little-endian.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, BufMut};
use event_expand::Event;
use mail_types::exim::{Trust, Value, Variable};
use thiserror::Error;

use super::raised_event::{Facts, RaisedEvent};

/// Appends an event to `out`.
pub fn write(raised: &RaisedEvent, out: &mut Vec<u8>) {
    let start = out.len();
    out.put_u64_le(0);
    out.put_u64_le(raised.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
    field(out, "", &Value::trusted(raised.name().as_str()));
    let plain = Event::new(raised.name());
    for name in Event::VARIABLES {
        let variable = match raised.event.certificate(name) {
            Some(certificate) => Value::new(certificate, Trust::Untrusted).into(),
            None => raised.event.variable(name),
        };
        if variable != plain.variable(name)
            && let Variable::Value(value) = variable
        {
            field(out, name, &value);
        }
    }
    raised.facts.iter().for_each(|(name, value)| field(out, name, value));
    let (head, body) = out.split_at_mut(start + HEAD);
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut head = head.get_mut(start..).unwrap_or_default();
    head.put_u32_le(length);
    head.put_u32_le(crc32c::crc32c(body));
}

fn field(out: &mut Vec<u8>, name: &str, value: &Value<'_>) {
    let (Ok(name_length), Ok(length)) =
        (u8::try_from(name.len()), u16::try_from(value.as_bytes().len()))
    else {
        return; // Values are cut earlier: none is so long.
    };
    out.put_u8(name_length);
    out.put_u16_le(length);
    out.put_u8(u8::from(value.trust() == Trust::Trusted));
    out.put_slice(name.as_bytes());
    out.put_slice(value.as_bytes());
}

/// Parses the event at the start of `input`; returns the rest, and the event.
///
/// # Errors
///
/// [`RecordError::Incomplete`] if the input ends within the record.
pub fn parse(input: &[u8]) -> Result<(&[u8], RaisedEvent), RecordError> {
    let mut head = input;
    let (Ok(length), Ok(sum)) = (head.try_get_u32_le(), head.try_get_u32_le()) else {
        return Err(RecordError::Incomplete);
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_RECORD {
        return Err(RecordError::Damaged);
    }
    let Some((body, rest)) = head.split_at_checked(length) else {
        return Err(RecordError::Incomplete);
    };
    if crc32c::crc32c(body) != sum {
        return Err(RecordError::Damaged);
    }
    let raised = body_of(body).ok_or(RecordError::Damaged)?;
    Ok((rest, raised))
}

fn body_of(mut body: &[u8]) -> Option<RaisedEvent> {
    let at = body.try_get_u64_le().ok()?;
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(at))?;
    let (mut event, mut facts) = (None::<Event>, Facts::default());
    while !body.is_empty() {
        let name_length = usize::from(body.try_get_u8().ok()?);
        let length = usize::from(body.try_get_u16_le().ok()?);
        let trust = if body.try_get_u8().ok()? == 1 { Trust::Trusted } else { Trust::Untrusted };
        let (name, rest) = body.split_at_checked(name_length)?;
        let (value, rest) = rest.split_at_checked(length)?;
        let name = std::str::from_utf8(name).ok()?;
        body = rest;
        event = Some(match event {
            None if name.is_empty() => Event::new(std::str::from_utf8(value).ok()?.parse().ok()?),
            None => return None,
            Some(event) if name == "event_name" => event,
            Some(event) => {
                facts = facts.with(name, value, trust);
                event.with(name, value, trust)
            }
        });
    }
    // A time beyond all calendars cannot be written by `write`.
    let representable = at < SystemTime::UNIX_EPOCH + FAR;
    event.filter(|_| representable).map(|event| RaisedEvent { event, at, facts })
}

/// The bytes are not an event.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[expect(missing_docs, reason = "each has its text")]
pub enum RecordError {
    #[error("incomplete record")]
    Incomplete,
    #[error("damaged record")]
    Damaged,
}

const HEAD: usize = 8;
/// The longest record after its head, in octets: more than all variables at their longest.
pub(crate) const MAX_RECORD: usize = 256 << 10;
/// The year 9999 or so.
const FAR: Duration = Duration::from_secs(253_000_000_000);
