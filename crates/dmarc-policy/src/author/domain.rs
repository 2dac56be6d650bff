//! A domain in an address.

use mail_types::dns::Name;

#[cfg(feature = "idna")]
use crate::author::text::is_atext;

/// Reads a domain of labels with dots between them, East Asian dots included; returns it in lower
/// case, its U-labels as A-labels.
///
/// RFC 5322 allows more than mail can be sent to: `x_y.example`, `-x.example`. A domain with a
/// label that IDNA forbids is invalid.
pub(crate) fn domain(text: &str) -> Option<Name> {
    if text.is_ascii() {
        return Name::from_dotted(text.to_ascii_lowercase().as_bytes()).ok();
    }
    in_unicode(&text.replace(WIDE_DOTS, "."))
}

/// IDNA maps some characters to a blank, an `@` or a `<`, which no label may contain.
#[cfg(feature = "idna")]
fn in_unicode(text: &str) -> Option<Name> {
    let name = Name::from_unicode(text).ok()?;
    name.labels().all(|label| label.iter().copied().all(is_atext)).then_some(name)
}

/// Without the feature `idna`, a domain with a U-label is invalid.
#[cfg(not(feature = "idna"))]
fn in_unicode(text: &str) -> Option<Name> {
    Some(text).filter(|text| text.is_ascii()).and_then(domain)
}

/// The characters that act as a dot between labels (RFC 3490 section 3.1).
pub(crate) const WIDE_DOTS: [char; 3] = ['\u{3002}', '\u{ff0e}', '\u{ff61}'];
