//! A CR or an LF alone, which ends a line for some programs and for others does not.

use mail_types::smtp::Field;

/// Tells whether a body has a CR without an LF, or an LF without white space after it, as in a
/// fold.
pub(crate) fn has_bare(body: &[u8]) -> bool {
    let mut octets = body.iter().enumerate().filter(|(_, octet)| matches!(**octet, b'\r' | b'\n'));
    octets.any(|(at, octet)| match (octet, body.get(at + 1)) {
        (b'\r', next) => next != Some(&b'\n'),
        (_, next) => !matches!(next, Some(b' ' | b'\t')),
    })
}

/// Returns the bodies of the `From` fields that begin after a CR alone within another field.
pub(crate) fn bodies_after_cr(fields: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = fields;
    std::iter::from_fn(move || {
        loop {
            let cr = rest.iter().position(|&octet| octet == b'\r')?;
            rest = rest.get(cr + 1..)?;
            let ends = |octet: &u8| matches!(octet, b':' | b'\r' | b'\n');
            let end = rest.iter().position(ends)?;
            let field = rest.get(..=end).and_then(Field::of).filter(|field| field.is("From"));
            if field.is_some() && end > 0 {
                return rest.get(end + 1..).map(first_field);
            }
        }
    })
}

/// Cuts a text at the end of the field that it begins in.
fn first_field(text: &[u8]) -> &[u8] {
    let mut ends = text.iter().enumerate().filter(|(_, octet)| **octet == b'\n');
    let end = ends.find(|(at, _)| !matches!(text.get(at + 1), Some(b' ' | b'\t')));
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// Returns a body without its folds, as some programs read it: they remove the white space too.
pub(crate) fn without_folds(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = body.split(|&octet| octet == b'\n');
    let mut text = lines.next()?.trim_ascii_end().to_vec();
    if text.len() == body.len() {
        return None;
    }
    lines.for_each(|line| text.extend_from_slice(line.trim_ascii()));
    Some(text)
}
