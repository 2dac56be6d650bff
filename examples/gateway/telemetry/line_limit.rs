//! The limit of a line of the log.

/// Cuts a line: a value of a client may be as long as a message, and each recipient may cause a line with it.
pub(crate) fn cut(mut line: String) -> String {
    if line.len() > MAX_LINE {
        line.truncate(line.floor_char_boundary(MAX_LINE));
        line.push_str("...");
    }
    line
}

/// The most octets of a line, as in Exim.
const MAX_LINE: usize = 8192;
