//! The little of JSON that the language reads: what is in a pair of brackets, item by item. The
//! texts stay as they are, their escapes too.

/// What the items of a JSON array or object come out as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum JsonList {
    /// `json`: as they are, strings with their quotes.
    Items,
    /// `jsons`: strings, without their quotes.
    Strings,
}

/// Takes what stands between a pair of brackets, or quotes, that a text begins with.
pub(crate) fn unwrap(text: &[u8], open: u8, close: u8) -> Option<(&[u8], &[u8])> {
    let text = skip_blanks(text).strip_prefix(&[open])?;
    let mut depth = 0_usize;
    let mut bytes = text.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        if byte == b'\\' {
            bytes.next();
        } else if open != close && byte == open {
            depth += 1;
        } else if byte == close {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some((text.get(..at)?, text.get(at + 1..)?)),
            }
        }
    }
    None
}

/// Takes the next item off a list between commas; `None` at its end, and at an empty item.
pub(crate) fn next_item<'t>(list: &mut &'t [u8]) -> Option<&'t [u8]> {
    let text = skip_blanks(list);
    let (mut arrays, mut objects) = (0_i64, 0_i64);
    let end = text.iter().position(|byte| {
        match byte {
            b'[' => arrays += 1,
            b']' => arrays -= 1,
            b'{' => objects += 1,
            b'}' => objects -= 1,
            b',' => return arrays == 0 && objects == 0,
            _ => {}
        }
        false
    });
    let end = end.unwrap_or(text.len());
    *list = text.get(end + 1..).unwrap_or_default();
    text.get(..end).filter(|item| !item.is_empty())
}

pub(crate) fn skip_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|b| crate::operators::list::is_blank(**b)).count();
    text.get(blanks..).unwrap_or_default()
}
