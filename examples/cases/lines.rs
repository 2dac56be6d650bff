//! Cases, one a line.

use std::io::{self, BufRead, Read, Write};

use serde::de::DeserializeOwned;

use super::shown::{Done, tell_wait};

/// A line of standard input.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// The line without its end, or the beginning of one that is too long.
    pub octets: &'a [u8],
    /// The most octets.
    most: usize,
}

impl Line<'_> {
    /// Tells whether the line is longer than allowed.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.octets.len() > self.most
    }

    /// Reads a case, which is an object in JSON.
    ///
    /// # Errors
    ///
    /// [`NoCase`], with the column as the position.
    pub fn case<T: DeserializeOwned>(&self) -> Result<T, NoCase> {
        if self.is_long() {
            return Err(NoCase { error: "line too long".to_owned(), at: self.octets.len() });
        }
        serde_json::from_slice(self.octets).map_err(|error| {
            let text = error.to_string();
            // Each line is a text of its own to serde_json, and always the first.
            let (cause, _) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
            NoCase { error: cause.to_owned(), at: error.column() }
        })
    }
}

/// The reason why a line is no case.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "only a line makes one")]
pub struct NoCase {
    /// The error.
    pub error: String,
    /// Its position in the line.
    pub at: usize,
}

/// Hands each line of standard input that is not blank to `judge`, and sends on what that has written before the
/// next is waited for. `wanted` says what a line is. Of a line longer than `most` octets it gets one octet more than these, and
/// the rest is passed over.
///
/// # Errors
///
/// Those of input, output and `judge`, and an input without a line.
pub fn each<W: Write>(
    most: usize,
    wanted: &str,
    out: &mut W,
    mut judge: impl FnMut(Line<'_>, &mut W) -> Done,
) -> Done {
    tell_wait(wanted);
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    let enough = (most as u64).saturating_add(1);
    let mut is_empty = true;
    for number in 1.. {
        line.clear();
        if (&mut input).take(enough).read_until(b'\n', &mut line)? == 0 {
            if is_empty {
                return Err(format!("no case on standard input: expected {wanted}").into());
            }
            break;
        }
        let mut behind = Vec::new();
        if line.pop_if(|last| *last == b'\n').is_none() && line.len() > most {
            // What follows the longest line may be nothing but its end.
            (&mut input).take(1).read_to_end(&mut behind)?;
            if behind != b"\n" {
                input.skip_until(b'\n')?;
            }
        }
        if line.len() <= most && line.trim_ascii().is_empty() {
            continue;
        }
        is_empty = false;
        judge(Line { number, octets: &line, most }, out)?;
        out.flush()?;
    }
    Ok(out.flush()?)
}
