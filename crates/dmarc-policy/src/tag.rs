//! The tags of a record, and their interpretation: section 4.8 of RFC 9989.

use crate::{AlignmentMode, DefectKind, FailureOptions, Policy, Psd, Record, ReportUri};

/// The record read so far.
#[derive(Default)]
pub(crate) struct Reading {
    record: Record,
    seen: u16,
    broken_policy: bool,
}

impl Reading {
    /// Takes a tag; returns its defect, if any.
    pub(crate) fn take(&mut self, tag: &Tag<'_>) -> Option<DefectKind> {
        let Some(value) = tag.value else {
            return (!tag.name.is_empty()).then_some(DefectKind::NoValue);
        };
        let known = match Known::named(tag.name) {
            Ok(known) => known,
            Err(kind) => return Some(kind),
        };
        let bit = 1 << known as u8;
        if self.seen & bit != 0 {
            return Some(DefectKind::Repeated);
        }
        self.seen |= bit;
        let record = &mut self.record;
        let taken = match known {
            Known::P => policy(value, &mut record.p, &mut self.broken_policy),
            Known::Sp => policy(value, &mut record.sp, &mut self.broken_policy),
            Known::Np => policy(value, &mut record.np, &mut self.broken_policy),
            Known::Adkim => word(value, MODES, &mut record.adkim),
            Known::Aspf => word(value, MODES, &mut record.aspf),
            Known::Psd => word(value, PSDS, &mut record.psd),
            Known::T => word(value, FLAGS, &mut record.t),
            Known::Fo => FailureOptions::parse(value).map(|fo| record.fo = fo).is_some(),
            Known::Rua => return uris(value, &mut record.rua),
            Known::Ruf => return uris(value, &mut record.ruf),
            Known::V => return Some(DefectKind::VersionAgain),
        };
        let kind = match known {
            Known::P | Known::Sp | Known::Np => DefectKind::PolicyValue,
            _ => DefectKind::Value,
        };
        (!taken).then_some(kind)
    }

    /// Returns the record: without any policy if one of the three is invalid (section 4.10.1).
    pub(crate) fn finish(self) -> Record {
        let mut record = self.record;
        if self.broken_policy || record.p.is_none() {
            (record.p, record.sp, record.np) = (None, None, None);
        }
        record
    }
}

fn policy(value: &[u8], slot: &mut Option<Policy>, broken: &mut bool) -> bool {
    let is = |policy: &Policy| policy.as_str().as_bytes().eq_ignore_ascii_case(value);
    *slot = [Policy::Reject, Policy::Quarantine, Policy::None].into_iter().find(is);
    *broken |= slot.is_none();
    slot.is_some()
}

fn word<T: Copy>(value: &[u8], words: &[(&[u8], T)], slot: &mut T) -> bool {
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(value));
    found.map(|(_, meaning)| *slot = *meaning).is_some()
}

fn uris(value: &[u8], list: &mut Vec<ReportUri>) -> Option<DefectKind> {
    let mut defect = None;
    let mut rest = Some(value);
    while let Some(value) = rest {
        let comma = find(value, b',');
        let (part, behind) = value.split_at_checked(comma.unwrap_or(value.len()))?;
        rest = behind.get(1..).filter(|_| comma.is_some());
        match ReportUri::parse(part.trim_ascii()) {
            Ok(_) if list.len() >= Record::MAX_URIS => return Some(DefectKind::ManyUris),
            Ok(uri) => list.push(uri),
            Err(error) => defect = Some(DefectKind::Uri(error)),
        }
    }
    defect
}

/// `name=value`, without the blanks around both.
pub(crate) struct Tag<'a> {
    /// Its position, in bytes.
    pub(crate) at: usize,
    name: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
}

impl Tag<'_> {
    pub(crate) fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The tags of a text, empty ones included.
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
        let end = find(self.rest, b';').unwrap_or(self.rest.len());
        let (text, behind) = self.rest.split_at_checked(end)?;
        self.rest = behind.get(1..).unwrap_or_default();
        let equals = text.iter().position(|&octet| octet == b'=');
        let (name, value) = text.split_at_checked(equals.unwrap_or(end))?;
        let trimmed = name.trim_ascii_start();
        let at = self.at + (name.len() - trimmed.len());
        self.at += end + 1;
        let value = value.get(1..).filter(|_| equals.is_some()).map(<[u8]>::trim_ascii);
        Some(Tag { at, name: trimmed.trim_ascii_end(), value })
    }
}

/// A tag of section 4.7.
#[derive(Clone, Copy)]
enum Known {
    P,
    Sp,
    Np,
    Adkim,
    Aspf,
    Psd,
    T,
    Fo,
    Rua,
    Ruf,
    V,
}

impl Known {
    /// Finds the tag of a name in any case, or returns the defect.
    fn named(name: &[u8]) -> Result<Self, DefectKind> {
        if name.len() > 5 {
            return Err(DefectKind::Unknown);
        }
        Ok(match key(name) {
            P => Self::P,
            SP => Self::Sp,
            NP => Self::Np,
            ADKIM => Self::Adkim,
            ASPF => Self::Aspf,
            PSD => Self::Psd,
            T => Self::T,
            FO => Self::Fo,
            RUA => Self::Rua,
            RUF => Self::Ruf,
            V => Self::V,
            PCT | RF | RI => return Err(DefectKind::Removed),
            _ => return Err(DefectKind::Unknown),
        })
    }
}

/// A name of at most eight octets as a number. Only the two cases of a letter have the same number.
const fn key(mut name: &[u8]) -> u64 {
    let mut key = 0;
    while let [first, rest @ ..] = name {
        key = key << 8 | (*first | 0x20) as u64;
        name = rest;
    }
    key
}

const P: u64 = key(b"p");
const SP: u64 = key(b"sp");
const NP: u64 = key(b"np");
const ADKIM: u64 = key(b"adkim");
const ASPF: u64 = key(b"aspf");
const PSD: u64 = key(b"psd");
const T: u64 = key(b"t");
const FO: u64 = key(b"fo");
const RUA: u64 = key(b"rua");
const RUF: u64 = key(b"ruf");
const V: u64 = key(b"v");
const PCT: u64 = key(b"pct");
const RF: u64 = key(b"rf");
const RI: u64 = key(b"ri");

/// Finds an octet, eight octets at a time.
fn find(octets: &[u8], wanted: u8) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let pattern = u64::from_ne_bytes([wanted; 8]);
    let (words, rest) = octets.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word) ^ pattern;
        // The lowest remaining bit belongs to the first octet that is zero.
        let zero = word.wrapping_sub(ONES) & !word & HIGHS;
        if zero != 0 {
            return Some(8 * at + usize::try_from(zero.trailing_zeros() / 8).unwrap_or(0));
        }
    }
    let found = rest.iter().position(|&octet| octet == wanted)?;
    Some(octets.len() - rest.len() + found)
}

const MODES: &[(&[u8], AlignmentMode)] =
    &[(b"r", AlignmentMode::Relaxed), (b"s", AlignmentMode::Strict)];
const PSDS: &[(&[u8], Psd)] = &[(b"y", Psd::Yes), (b"n", Psd::No), (b"u", Psd::Unknown)];
const FLAGS: &[(&[u8], bool)] = &[(b"y", true), (b"n", false)];
