//! The end of a SQL statement.

/// Tells whether nothing but blanks and comments follows the semicolon at this byte. A trigger has statements of its
/// own.
pub(crate) fn is_end(sql: &[u8], end: usize) -> bool {
    let begins_with = |word: &[u8]| {
        let text = sql.trim_ascii_start();
        text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let mut rest = sql.get(end..).unwrap_or_default();
    loop {
        rest = rest.trim_ascii_start();
        let comment_end: &[u8] = match rest {
            [b';', behind @ ..] => {
                rest = behind;
                continue;
            }
            [b'-', b'-', ..] => b"\n",
            [b'/', b'*', ..] => b"*/",
            _ => return rest.is_empty() || begins_with(b"create"),
        };
        let behind = rest.windows(comment_end.len()).position(|part| part == comment_end);
        rest = behind.and_then(|at| rest.get(at + comment_end.len()..)).unwrap_or_default();
    }
}
