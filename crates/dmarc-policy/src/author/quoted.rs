//! Quoted strings that may be shown as an address, other than names:
//! `"ceo@victim.example x"@evil.example`, `"ceo@victim.example", x@evil.example`.

use crate::author::line_end::has_bare;

/// Returns the content of the quoted strings in local parts and in names without an address.
///
/// RFC 5321 section 4.1.2 allows an `@` in a local part, and some programs take what precedes the
/// domain for the address. A name without an address is no element of a list, but to some programs
/// it is an address.
pub(crate) fn shown(body: &[u8]) -> Vec<Vec<u8>> {
    let (mut found, mut name, mut rest) = (Vec::new(), Vec::new(), body);
    while let [octet, behind @ ..] = rest {
        rest = match octet {
            b'(' => without_blanks(rest),
            b'"' => {
                let Some((content, gap)) = quoted_string(behind) else { break };
                let behind = without_blanks(gap);
                let gap = gap.get(..gap.len() - behind.len()).unwrap_or_default();
                if is_in_local_part(behind) || has_bare(gap) {
                    found.push(content);
                } else {
                    name.push(content);
                }
                behind
            }
            b'<' | b'@' | b':' => {
                name.clear();
                behind
            }
            b',' | b';' | b'>' | b')' | b'[' | b']' => {
                found.append(&mut name);
                behind
            }
            b'\r' if behind.first() != Some(&b'\n') => {
                found.append(&mut name);
                behind
            }
            _ => behind,
        };
    }
    found
}

/// Tells whether what precedes this text is in a local part.
fn is_in_local_part(text: &[u8]) -> bool {
    let at = ["@", "\u{fe6b}", "\u{ff20}", "."];
    at.iter().any(|at| text.starts_with(at.as_bytes()))
}

/// Returns the content of the quoted string that a text begins in, and the text after it.
fn quoted_string(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (mut content, mut rest) = (Vec::new(), text);
    loop {
        rest = match rest {
            [] | [b'\\'] => return None,
            [b'"', behind @ ..] => return Some((content, behind)),
            [b'\\', octet, behind @ ..] | [octet, behind @ ..] => {
                content.push(*octet);
                behind
            }
        };
    }
}

/// Skips white space and comments; an unclosed comment has the whole rest.
fn without_blanks(text: &[u8]) -> &[u8] {
    let (mut rest, mut depth) = (text, 0_usize);
    loop {
        rest = match rest {
            [b'(', behind @ ..] => {
                depth += 1;
                behind
            }
            [b')', behind @ ..] if depth > 0 => {
                depth -= 1;
                behind
            }
            [b'\\', _, behind @ ..] if depth > 0 => behind,
            [octet, behind @ ..] if depth > 0 || octet.is_ascii_whitespace() => behind,
            _ => return rest,
        };
    }
}
