//! The fields that rules add to a message and remove from it.

use std::ops::Range;

use bytes::Bytes;
use mail_types::smtp::{Field, Header};

/// The place of a field that is added.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Position {
    /// Before the `Received` field of this host.
    Start,
    /// Behind the fields of this host.
    #[default]
    BehindOurs,
    /// Behind the `Received` fields with which the message begins.
    AfterReceived,
    /// The same, and behind `Resent-…` fields among them; but before a field that was added there.
    StartRfc,
    /// Behind all fields.
    End,
}

impl Position {
    /// Splits Exim's word for a position off; without one it is behind the fields of this host.
    pub(crate) fn of(line: &str) -> (Self, &str) {
        let word = |(word, position): &(&str, Self)| {
            let (start, rest) = line.split_at_checked(word.len())?;
            start.eq_ignore_ascii_case(word).then(|| (*position, rest.trim_start()))
        };
        Self::WORDS.iter().find_map(word).unwrap_or((Self::default(), line))
    }

    const WORDS: [(&str, Self); 4] = [
        (":at_start:", Self::Start),
        (":after_received:", Self::AfterReceived),
        (":at_start_rfc:", Self::StartRfc),
        (":at_end:", Self::End),
    ];
}

/// A field that is added, without its CRLF.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AddedField {
    pub(crate) position: Position,
    pub(crate) text: String,
}

/// The names of fields that are removed: a name, or its beginning and a `*`.
///
/// `Received` fields stay: they show loops (RFC 5321 section 4.4).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RemovedName {
    /// In lower case.
    name: Vec<u8>,
    is_start: bool,
}

impl RemovedName {
    /// Reads a name; `None` if it is no name of a field, or all of them.
    pub(crate) fn read(item: &str) -> Option<Self> {
        let (name, is_start) = match item.strip_suffix('*') {
            Some(name) => (name, true),
            None => (item, false),
        };
        let is_name = !name.is_empty()
            && name.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b':' | b'*'));
        is_name.then(|| Self { name: name.to_ascii_lowercase().into_bytes(), is_start })
    }

    /// Tells whether it is the name of fields that stay.
    pub(crate) fn is_received(&self) -> bool {
        !self.is_start && self.name == RECEIVED
    }

    fn fits(&self, name: &[u8]) -> bool {
        if self.is_start { name.starts_with(&self.name) } else { name == self.name }
    }
}

/// All changes of a message.
#[derive(Debug, Default)]
pub(crate) struct HeaderEdits<'a> {
    /// In the order of the rules.
    pub(crate) added: Vec<&'a AddedField>,
    pub(crate) removed: Vec<&'a RemovedName>,
}

impl HeaderEdits<'_> {
    /// Returns the fields before those of this host. As in Exim, the last one added is the first.
    pub(crate) fn at_start(&self) -> String {
        self.reversed(&[Position::Start])
    }

    /// Returns the fields behind those of this host.
    pub(crate) fn behind_ours(&self) -> String {
        self.in_order(Position::BehindOurs)
    }

    /// Changes a received message, whose parts end with fields, and the last of them with the body.
    pub(crate) fn apply(&self, parts: Vec<Bytes>) -> Vec<Bytes> {
        let is_idle =
            |field: &&AddedField| matches!(field.position, Position::Start | Position::BehindOurs);
        if self.removed.is_empty() && self.added.iter().all(is_idle) {
            return parts;
        }
        let mut pending = vec![Position::AfterReceived, Position::StartRfc];
        let mut edited = Vec::new();
        let last = parts.len().saturating_sub(1);
        for (number, part) in parts.iter().enumerate() {
            let (mut done, mut end_of_fields) = (0, 0);
            for Range { start, end } in Header::spans(part) {
                let name = name_of(part.get(start..end).unwrap_or_default());
                let due: Vec<_> = pending.extract_if(.., |at| ends_block(*at, &name)).collect();
                if !due.is_empty() {
                    push(&mut edited, part.slice(done..start));
                    push(&mut edited, self.reversed(&due).into());
                    done = start;
                }
                if name != RECEIVED && self.removed.iter().any(|removed| removed.fits(&name)) {
                    push(&mut edited, part.slice(done..start));
                    done = end;
                }
                end_of_fields = end;
            }
            if number == last {
                push(&mut edited, part.slice(done..end_of_fields.max(done)));
                push(&mut edited, self.reversed(&pending).into());
                push(&mut edited, self.in_order(Position::End).into());
                done = end_of_fields.max(done);
            }
            push(&mut edited, part.slice(done..));
        }
        edited
    }

    /// Returns the fields at these places, the last one added first.
    fn reversed(&self, positions: &[Position]) -> String {
        let mut is_block_broken = false;
        let mut added = Vec::new();
        for field in &self.added {
            is_block_broken |= field.position == Position::AfterReceived;
            let position = match field.position {
                Position::StartRfc if is_block_broken => Position::AfterReceived,
                position => position,
            };
            if positions.contains(&position) {
                added.push(*field);
            }
        }
        lines(added.into_iter().rev())
    }

    fn in_order(&self, position: Position) -> String {
        lines(self.added.iter().filter(|field| field.position == position).copied())
    }
}

fn lines<'a>(fields: impl Iterator<Item = &'a AddedField>) -> String {
    fields.flat_map(|field| [field.text.as_str(), "\r\n"]).collect()
}

fn push(parts: &mut Vec<Bytes>, part: Bytes) {
    if !part.is_empty() {
        parts.push(part);
    }
}

/// Returns the name of a field in lower case. Some programs drop other octets from within a name.
fn name_of(field: &[u8]) -> Vec<u8> {
    let name = Field::of(field).map(|field| field.name).unwrap_or_default();
    name.iter().filter(|c| c.is_ascii_graphic()).map(u8::to_ascii_lowercase).collect()
}

/// Tells whether a field of this name ends the block of fields behind which others are added.
fn ends_block(position: Position, name: &[u8]) -> bool {
    let is_resent = position == Position::StartRfc && name.starts_with(b"resent-");
    name != RECEIVED && !is_resent
}

const RECEIVED: &[u8] = b"received";
