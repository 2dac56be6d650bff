//! Linear searches in files: `lsearch`, `iplsearch` and `nwildlsearch`.
//!
//! A line has a key, which ends at white space or a colon or is in quotes, and data. A line that begins
//! with white space continues the data, up to an empty line or a comment, which begins with `#`. Source:
//! the chapter on file and database lookups of Exim's specification, and the behaviour of Exim 4.96.

use std::net::IpAddr;

use event_expand::{Fallback, Lookup};
use mail_types::exim::{HostSet, List};

use super::engines::EngineError;

/// The keys of a search, in order.
#[derive(Debug)]
pub(super) enum Key {
    /// Texts, case-insensitive.
    Texts(Vec<Vec<u8>>),
    /// An address, and whether `*` matches an address outside all blocks.
    Address(IpAddr, bool),
}

impl Key {
    pub(super) fn new(lookup: &Lookup, key: &[u8]) -> Result<Self, EngineError> {
        if lookup.name == "iplsearch" {
            let address = str::from_utf8(key).ok().and_then(|key| key.parse::<IpAddr>().ok());
            let problem = "the key is not an address";
            let address = address.ok_or(EngineError::File { problem })?;
            return Ok(Self::Address(address.to_canonical(), lookup.fallback != Fallback::None));
        }
        let mut keys = vec![key.to_vec()];
        if let Some(least) = lookup.partial {
            partial(&mut keys, key, &lookup.affix, usize::from(least));
        }
        let domain = key.iter().rposition(|byte| *byte == b'@').and_then(|at| key.get(at..));
        if let (Fallback::StarAt, Some(domain)) = (lookup.fallback, domain) {
            keys.push([b"*", domain].concat());
        }
        if lookup.fallback != Fallback::None {
            keys.push(b"*".to_vec());
        }
        Ok(Self::Texts(keys))
    }
}

/// Adds the keys of a partial match: the affix before fewer and fewer components, down to `least`. With
/// 0 the last key is the affix alone, without its dot.
fn partial(keys: &mut Vec<Vec<u8>>, key: &[u8], affix: &[u8], least: usize) {
    let components = key.split(|byte| *byte == b'.').count();
    let mut rest = key;
    // A domain name has no more than 127 components.
    for left in (least.max(1)..=components).rev().take(127) {
        if left < components {
            let Some(dot) = rest.iter().position(|byte| *byte == b'.') else { break };
            rest = rest.get(dot + 1..).unwrap_or_default();
        }
        // Without an affix the first key is the whole key again.
        if !(affix.is_empty() && left == components) {
            keys.push([affix, rest].concat());
        }
    }
    if least == 0 {
        keys.push(affix.strip_suffix(b".").unwrap_or(affix).to_vec());
    }
}

/// Returns the data of the first key that is in the file.
pub(super) fn find(
    text: &[u8],
    lookup: &Lookup,
    key: &Key,
) -> Result<Option<Vec<u8>>, EngineError> {
    let entries = entries(text)?;
    let data =
        |at: Option<usize>| at.and_then(|at| entries.get(at)).map(|entry| entry.data.clone());
    match key {
        Key::Address(address, by_default) => {
            for (at, entry) in entries.iter().enumerate() {
                if entry.key != b"*" && block(entry)?.contains(*address, None) {
                    return Ok(data(Some(at)));
                }
            }
            let star = entries.iter().position(|entry| entry.key == b"*");
            Ok(data(star.filter(|_| *by_default)))
        }
        Key::Texts(keys) => {
            for key in keys {
                for (at, entry) in entries.iter().enumerate() {
                    let fits = match lookup.name {
                        "nwildlsearch" => wild(entry, key)?,
                        _ => entry.key.eq_ignore_ascii_case(key),
                    };
                    if fits {
                        return Ok(data(Some(at)));
                    }
                }
            }
            Ok(None)
        }
    }
}

fn block(entry: &Entry) -> Result<HostSet, EngineError> {
    let problem =
        EngineError::Line { line: entry.line, problem: "the key is not an address or a network" };
    let key = str::from_utf8(&entry.key).ok().filter(|key| !key.starts_with('!'));
    // A single item, in which the colons of an address do not separate.
    let set = key.and_then(|key| HostSet::new(List::separated(key, '\n')).ok());
    set.filter(|set| !set.needs_names()).ok_or(problem)
}

/// Tells whether an entry matches: `*` and the end of the key, or the whole key.
fn wild(entry: &Entry, key: &[u8]) -> Result<bool, EngineError> {
    let folded = key.to_ascii_lowercase();
    match entry.key.as_slice() {
        [b'^', ..] => {
            let problem = "regular expressions are not supported here";
            Err(EngineError::Line { line: entry.line, problem })
        }
        [b'*', end @ ..] => Ok(folded.ends_with(&end.to_ascii_lowercase())),
        own => Ok(own.eq_ignore_ascii_case(key)),
    }
}

#[derive(Debug)]
struct Entry {
    line: usize,
    key: Vec<u8>,
    data: Vec<u8>,
}

fn entries(text: &[u8]) -> Result<Vec<Entry>, EngineError> {
    let (mut entries, mut goes_on) = (Vec::<Entry>::new(), false);
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if at == MAX_LINES {
            return Err(EngineError::Line {
                line: at + 1,
                problem: "the file has more than 100000 lines",
            });
        }
        let trimmed = line.trim_ascii_end();
        match (trimmed.first(), entries.last_mut()) {
            _ if matches!(line, [] | [b'\r'] | [b'#', ..]) => goes_on = false,
            (Some(b' ' | b'\t'), Some(entry)) if goes_on => {
                entry.data.push(b' ');
                entry.data.extend_from_slice(trimmed.trim_ascii_start());
            }
            (None | Some(b' ' | b'\t'), _) => {}
            _ => {
                let (key, rest) = key(trimmed);
                let rest = rest.trim_ascii_start();
                let data = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start().to_vec();
                entries.push(Entry { line: at + 1, key, data });
                goes_on = true;
            }
        }
    }
    Ok(entries)
}

/// Splits the key off a line; a quoted key can have escapes.
fn key(line: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(mut rest) = line.strip_prefix(b"\"") else {
        let ends = |byte: &u8| *byte == b':' || byte.is_ascii_whitespace();
        let end = line.iter().position(ends).unwrap_or(line.len());
        let (key, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
        return (key.to_vec(), rest);
    };
    let mut key = Vec::new();
    loop {
        match rest {
            [b'"', behind @ ..] => return (key, behind),
            [b'\\', byte, behind @ ..] | [byte, behind @ ..] => {
                key.push(*byte);
                rest = behind;
            }
            [] => return (key, rest),
        }
    }
}

/// The most lines of a file.
const MAX_LINES: usize = 100_000;
