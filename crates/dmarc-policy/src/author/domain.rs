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

/// Returns the other domains that a program may show or link instead of this one.
pub(crate) fn shown_otherwise(text: &str) -> impl Iterator<Item = Name> {
    let bare = without_punctuation(text);
    [bare.and_then(domain), decoded(text), bare.and_then(decoded)].into_iter().flatten()
}

/// Returns the domain that a program shows which decodes an A-label of nothing but ASCII, as of
/// `xn--victim-`: IDNA forbids it (RFC 5891 section 4.2.1); `None` if there is no such label.
fn decoded(text: &str) -> Option<Name> {
    if !text.split(is_dot).any(|label| plain(label).is_some()) {
        return None;
    }
    let shown: Vec<_> = text.split(is_dot).map(|label| plain(label).unwrap_or(label)).collect();
    domain(&shown.join("."))
}

/// Returns the ASCII in such a label.
fn plain(label: &str) -> Option<&str> {
    let (prefix, ascii) = label.split_at_checked(4)?;
    ascii.strip_suffix('-').filter(|_| prefix.eq_ignore_ascii_case("xn--"))
}

/// Returns the text that a program shows or links which takes punctuation at the start of a
/// domain, or in and after a later label, for the text around it; `None` if there is no such
/// punctuation.
fn without_punctuation(text: &str) -> Option<&str> {
    let is_around = |c: char| is_punctuation(c) && !matches!(c, '-' | '_');
    let start = text.trim_start_matches(is_around);
    let end = start.find(is_around).and_then(|end| start.get(..end)).unwrap_or(start);
    let inside = end.trim_end_matches(|c| is_dot(c) || is_punctuation(c));
    (inside.len() < text.len() && inside.contains(is_dot)).then_some(inside)
}

/// Punctuation and symbols; in a label only the hyphen is usual, and the underscore.
fn is_punctuation(c: char) -> bool {
    match c {
        '\0'..='\x7f' => !c.is_ascii_alphanumeric() && !is_dot(c),
        '\u{80}'..='\u{bf}' | '\u{2000}'..='\u{2bff}' | '\u{2e00}'..='\u{2e7f}' => {
            !c.is_alphanumeric()
        }
        '\u{3000}'..='\u{303f}' | '\u{fe10}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff65}' => {
            !c.is_alphanumeric() && !is_dot(c)
        }
        _ => false,
    }
}

/// A dot between labels.
pub(crate) fn is_dot(c: char) -> bool {
    c == '.' || WIDE_DOTS.contains(&c)
}

/// The characters that act as a dot between labels (RFC 3490 section 3.1).
const WIDE_DOTS: [char; 3] = ['\u{3002}', '\u{ff0e}', '\u{ff61}'];
