//! The tags of a record, and what is made of them: section 4.8 of RFC 9989.

use crate::{AlignmentMode, DefectKind, FailureOptions, Policy, Psd, Record, ReportUri};

/// What has been read so far.
#[derive(Default)]
pub(crate) struct Reading {
    record: Record,
    seen: u16,
    broken_policy: bool,
}

impl Reading {
    /// Takes a tag; says what is wrong with it.
    pub(crate) fn take(&mut self, tag: &Tag<'_>) -> Option<DefectKind> {
        let Some(value) = tag.value else {
            return (!tag.name.is_empty()).then_some(DefectKind::NoValue);
        };
        let Some(known) = KNOWN.iter().position(|name| tag.is(name)) else {
            let removed = [&b"pct"[..], b"rf", b"ri"].iter().any(|name| tag.is(name));
            return Some(if removed { DefectKind::Removed } else { DefectKind::Unknown });
        };
        let bit = 1 << known;
        if self.seen & bit != 0 {
            return Some(DefectKind::Repeated);
        }
        self.seen |= bit;
        let record = &mut self.record;
        let taken = match known {
            0 => policy(value, &mut record.p, &mut self.broken_policy),
            1 => policy(value, &mut record.sp, &mut self.broken_policy),
            2 => policy(value, &mut record.np, &mut self.broken_policy),
            3 => word(value, MODES, &mut record.adkim),
            4 => word(value, MODES, &mut record.aspf),
            5 => word(value, PSDS, &mut record.psd),
            6 => word(value, FLAGS, &mut record.t),
            7 => FailureOptions::parse(value).map(|fo| record.fo = fo).is_some(),
            8 => return uris(value, &mut record.rua),
            9 => return uris(value, &mut record.ruf),
            _ => return Some(DefectKind::VersionAgain),
        };
        (!taken).then_some(DefectKind::Value)
    }

    /// Returns the record: without any policy if one of the three is wrong (section 4.10.1).
    pub(crate) fn finish(self) -> Record {
        let mut record = self.record;
        if self.broken_policy || record.p.is_none() {
            (record.p, record.sp, record.np) = (None, None, None);
        }
        record
    }
}

fn policy(value: &[u8], slot: &mut Option<Policy>, broken: &mut bool) -> bool {
    *slot = str::from_utf8(value).ok().and_then(|word| word.parse().ok());
    *broken |= slot.is_none();
    slot.is_some()
}

fn word<T: Copy>(value: &[u8], words: &[(&[u8], T)], slot: &mut T) -> bool {
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(value));
    found.map(|(_, meaning)| *slot = *meaning).is_some()
}

fn uris(value: &[u8], list: &mut Vec<ReportUri>) -> Option<DefectKind> {
    let mut defect = None;
    for text in value.split(|&octet| octet == b',') {
        let text = str::from_utf8(text.trim_ascii()).unwrap_or_default();
        match text.parse() {
            Ok(_) if list.len() >= Record::MAX_URIS => return Some(DefectKind::ManyUris),
            Ok(uri) => list.push(uri),
            Err(error) => defect = Some(DefectKind::Uri(error)),
        }
    }
    defect
}

/// `name=value`, without the spaces around both.
pub(crate) struct Tag<'a> {
    /// Where it begins, in bytes.
    pub(crate) at: usize,
    name: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
}

impl Tag<'_> {
    pub(crate) fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The tags of a text, the empty ones too.
pub(crate) struct Tags<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Tags<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, at: 0 }
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|&octet| octet == b';').unwrap_or(self.rest.len());
        let (text, behind) = self.rest.split_at_checked(end)?;
        let at = self.at + (text.len() - text.trim_ascii_start().len());
        self.rest = behind.get(1..).unwrap_or_default();
        self.at += end + 1;
        let equals = text.iter().position(|&octet| octet == b'=');
        let (name, value) = match equals.and_then(|at| text.split_at_checked(at)) {
            Some((name, value)) => (name, value.get(1..)),
            None => (text, None),
        };
        Some(Tag { at, name: name.trim_ascii(), value: value.map(<[u8]>::trim_ascii) })
    }
}

/// In the order of `Reading::take`.
const KNOWN: [&[u8]; 11] =
    [b"p", b"sp", b"np", b"adkim", b"aspf", b"psd", b"t", b"fo", b"rua", b"ruf", b"v"];
const MODES: &[(&[u8], AlignmentMode)] =
    &[(b"r", AlignmentMode::Relaxed), (b"s", AlignmentMode::Strict)];
const PSDS: &[(&[u8], Psd)] = &[(b"y", Psd::Yes), (b"n", Psd::No), (b"u", Psd::Unknown)];
const FLAGS: &[(&[u8], bool)] = &[(b"y", true), (b"n", false)];
