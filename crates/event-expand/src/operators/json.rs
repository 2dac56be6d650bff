//! The subset of JSON that the language reads: the items in a pair of brackets. The texts are
//! unchanged, with their escapes.

/// The form of the items of a JSON array or object.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum JsonList {
    /// `json`: unchanged, strings with their quotes.
    Items,
    /// `jsons`: strings, without their quotes.
    Strings,
}

/// Takes the text between the brackets or quotes at the start of a text.
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

/// Takes the next item of a comma-separated list; `None` at its end, and at an empty item.
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
