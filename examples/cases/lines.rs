//! Cases, one a line.

use std::io::{self, BufRead, Read, Write};

use super::shown::Done;

/// Hands each line of standard input to `judge`, without its end, and sends on what that has written
/// before the next is waited for. Of a line longer than `most` octets it gets one octet more than
/// these, and the rest is passed over.
///
/// # Errors
///
/// Those of input, output and `judge`.
pub fn each<W: Write>(
    most: usize,
    out: &mut W,
    mut judge: impl FnMut(&[u8], &mut W) -> Done,
) -> Done {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    let enough = (most as u64).saturating_add(1);
    loop {
        line.clear();
        if (&mut input).take(enough).read_until(b'\n', &mut line)? == 0 {
            return Ok(out.flush()?);
        }
        let mut behind = Vec::new();
        if line.pop_if(|last| *last == b'\n').is_none() && line.len() > most {
            // What follows the longest line may be nothing but its end.
            (&mut input).take(1).read_to_end(&mut behind)?;
            if behind != b"\n" {
                input.skip_until(b'\n')?;
            }
        }
        judge(&line, out)?;
        out.flush()?;
    }
}
