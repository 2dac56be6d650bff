//! Mailboxes: files of many messages, and folders.

use examples::cases::count::counted;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// An input as it was found.
pub(crate) struct Unit {
    /// The file, and the number of the message in it.
    pub(crate) place: String,
    /// Whether the user has named it, so that no report in it is a fault.
    pub(crate) is_named: bool,
    /// One octet more than the limit if there are more.
    pub(crate) octets: io::Result<Vec<u8>>,
}

/// A file to read, and its octets.
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    pub(crate) is_named: bool,
    pub(crate) octets: u64,
}

/// Lists the files of all paths, in the order of their names. Symbolic links in folders are not
/// followed, and unfinished messages of a Maildir (`tmp`) are left out.
pub(crate) fn list(paths: &[PathBuf], most: usize) -> Result<Vec<Entry>, TooManyFiles> {
    let mut entries = Vec::new();
    for path in paths {
        let found = fs::metadata(path);
        if found.as_ref().is_ok_and(fs::Metadata::is_dir) {
            folder(path, &mut entries, most, 0)?;
        } else {
            let octets = found.map_or(0, |found| found.len());
            entries.push(Entry { path: path.clone(), is_named: true, octets });
        }
        if entries.len() > most {
            return Err(TooManyFiles { limit: most });
        }
    }
    Ok(entries)
}

/// More files than the limit.
#[derive(Clone, Copy, Debug, Eq, thiserror::Error, PartialEq)]
#[error("more than {} (--max-files)", counted(*.limit, "file"))]
pub(crate) struct TooManyFiles {
    pub(crate) limit: usize,
}

/// Folders in folders, at most.
const DEPTH: usize = 32;

fn folder(
    path: &Path,
    entries: &mut Vec<Entry>,
    most: usize,
    depth: usize,
) -> Result<(), TooManyFiles> {
    let Ok(listed) = fs::read_dir(path) else {
        entries.push(Entry { path: path.to_owned(), is_named: true, octets: 0 });
        return Ok(());
    };
    let mut children: Vec<_> = listed.flatten().take(most.saturating_add(1)).collect();
    if entries.len().saturating_add(children.len()) > most {
        return Err(TooManyFiles { limit: most });
    }
    children.sort_by_key(fs::DirEntry::file_name);
    let is_maildir = ["cur", "new"].iter().all(|name| path.join(name).is_dir());
    for child in children {
        let is_unfinished = is_maildir && child.file_name() == "tmp";
        let Ok(found) = child.metadata() else { continue };
        if found.is_dir() && !is_unfinished && depth < DEPTH {
            folder(&child.path(), entries, most, depth + 1)?;
        } else if found.is_file() {
            entries.push(Entry { path: child.path(), is_named: false, octets: found.len() });
        }
    }
    Ok(())
}

/// Reads an entry, and hands out each message of a mailbox, or the whole file.
pub(crate) fn read(entry: &Entry, most: usize, take: &mut dyn FnMut(Unit)) {
    let place = entry.path.display().to_string();
    match File::open(&entry.path) {
        Ok(file) => read_from(file, &place, entry.is_named, most, take),
        Err(error) => {
            take(Unit { place, is_named: entry.is_named, octets: Err(error) });
        }
    }
}

/// The same, of an open file.
pub(crate) fn read_from(
    file: impl Read,
    place: &str,
    is_named: bool,
    most: usize,
    take: &mut dyn FnMut(Unit),
) {
    let mut file = BufReader::with_capacity(65_536, file);
    let enough = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let start = file.fill_buf().map(|start| start.starts_with(b"From "));
    if !matches!(start, Ok(true)) {
        let mut octets = Vec::new();
        let read = file.take(enough).read_to_end(&mut octets).map(|_| octets);
        return take(Unit { place: place.to_owned(), is_named, octets: start.and(read) });
    }
    let mut messages = Messages { file, most, is_after_blank: true, line: Vec::new() };
    let mut number = 0_u64;
    loop {
        let octets = match messages.next() {
            Ok(Some(octets)) => Ok(octets),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        number += 1;
        let is_over = octets.is_err();
        let comma = if place.is_empty() { "" } else { ", " };
        let place = format!("{place}{comma}message {number}");
        take(Unit { place, is_named: false, octets });
        if is_over {
            return;
        }
    }
}

/// The messages of an mbox file (RFC 4155): each begins with a line `From `, after an empty line.
struct Messages<R> {
    file: R,
    most: usize,
    is_after_blank: bool,
    line: Vec<u8>,
}

impl<R: BufRead> Messages<R> {
    /// Returns the next message, without its first line; one octet more than the limit if it is
    /// larger.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        let mut is_started = !self.line.is_empty();
        self.line.clear();
        loop {
            let begin = self.file.fill_buf()?;
            if begin.is_empty() {
                return Ok(is_started.then_some(message));
            }
            // A line of any length is read in pieces.
            (&mut self.file).take(65_536).read_until(b'\n', &mut self.line)?;
            let is_separator = self.is_after_blank && self.line.starts_with(b"From ");
            self.is_after_blank = matches!(self.line.as_slice(), b"\n" | b"\r\n");
            if is_separator {
                self.skip_line_end()?;
                if is_started {
                    return Ok(Some(message));
                }
                is_started = true;
            } else if message.len() <= self.most {
                // Programs mark such a line of a message.
                let quoted = self.line.strip_prefix(b">").filter(|rest| is_quoted(rest));
                message.extend_from_slice(quoted.unwrap_or(&self.line));
                message.truncate(self.most.saturating_add(1));
            }
            self.line.clear();
        }
    }

    fn skip_line_end(&mut self) -> io::Result<()> {
        if !self.line.ends_with(b"\n") {
            self.file.skip_until(b'\n')?;
        }
        Ok(())
    }
}

/// Tells whether a line is a first line of a message that was marked by `>`, perhaps several times.
fn is_quoted(line: &[u8]) -> bool {
    let marks = line.iter().take_while(|octet| **octet == b'>').count();
    line.get(marks..).is_some_and(|rest| rest.starts_with(b"From "))
}
