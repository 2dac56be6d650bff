//! A domain as an address has it.

use mail_types::dns::Name;

#[cfg(feature = "idna")]
use crate::author::text::is_atext;

/// Reads a domain of labels with dots between them, which may be those of East Asian scripts; in lower
/// case, its U-labels as A-labels.
///
/// RFC 5322 allows more than mail can be sent to: `x_y.example`, `-x.example`. A label that IDNA
/// forbids makes it no domain.
pub(crate) fn domain(text: &str) -> Option<Name> {
    if text.is_ascii() {
        return Name::from_dotted(text.to_ascii_lowercase().as_bytes()).ok();
    }
    in_unicode(&text.replace(WIDE_DOTS, "."))
}

/// IDNA maps some characters to a blank, an `@` or a `<`, which no label holds.
#[cfg(feature = "idna")]
fn in_unicode(text: &str) -> Option<Name> {
    let name = Name::from_unicode(text).ok()?;
    name.labels().all(|label| label.iter().copied().all(is_atext)).then_some(name)
}

/// Without the feature `idna` a U-label is no domain.
#[cfg(not(feature = "idna"))]
fn in_unicode(text: &str) -> Option<Name> {
    Some(text).filter(|text| text.is_ascii()).and_then(domain)
}

/// The characters that stand for a dot between labels (RFC 3490 section 3.1).
pub(crate) const WIDE_DOTS: [char; 3] = ['\u{3002}', '\u{ff0e}', '\u{ff61}'];
