//! What of a field's body is text: neither quoted nor a comment.

/// Returns a body without its comments and what its quoted strings hold, or `None` if one of them has
/// no end. A quoted string in a domain is part of it, and so is shown.
///
/// In place of a comment, and of a control character, is a blank, or nothing.
pub(crate) fn visible(body: &[u8], blanks: bool) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(body.len());
    let (mut depth, mut quoted, mut shown) = (0_usize, false, false);
    let mut octets = body.iter().copied();
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' if quoted || depth > 0 => {
                let escaped = octets.next()?;
                if shown && quoted {
                    push(&mut text, escaped, blanks);
                }
            }
            b'"' if quoted => quoted = false,
            _ if quoted && shown => push(&mut text, octet, blanks),
            _ if quoted => {}
            b'(' => depth += 1,
            b')' if depth == 1 => {
                depth = 0;
                text.extend(blanks.then_some(b' '));
            }
            b')' if depth > 1 => depth -= 1,
            _ if depth > 0 => {}
            b'"' => {
                quoted = true;
                shown = ends_in_domain(&text);
                if !shown {
                    text.push(b'"');
                }
            }
            b'\\' => {}
            _ => push(&mut text, octet, blanks),
        }
    }
    (depth == 0 && !quoted).then_some(text)
}

/// Returns all of a body: where nobody can say what is quoted, nothing is.
pub(crate) fn all(body: &[u8], blanks: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(body.len());
    for &octet in body {
        let octet = if b"\"()\\".contains(&octet) { b' ' } else { octet };
        push(&mut text, octet, blanks);
    }
    text
}

fn push(text: &mut Vec<u8>, octet: u8, blanks: bool) {
    match octet {
        b'\r' | b'\n' => {}
        b'\t' => text.push(b' '),
        _ if octet.is_ascii_control() => text.extend(blanks.then_some(b' ')),
        _ => text.push(octet),
    }
}

/// Whether what comes next belongs to a domain: behind an `@`, or a part of one and no blank.
fn ends_in_domain(text: &[u8]) -> bool {
    let text = text.get(text.len().saturating_sub(MOST_SHOWN)..).unwrap_or_default();
    let whole = text.trim_ascii_end();
    let word = whole.rsplit(|octet| b" <>,;:".contains(octet)).next().unwrap_or_default();
    let parted = whole.len() < text.len();
    word.contains(&b'@') && (!parted || matches!(word, [.., b'@' | b'.']))
}

/// No domain is longer than this, in octets of UTF-8.
const MOST_SHOWN: usize = 1024;
