//! Names in Unicode and their A-labels, with the feature `idna`.

use crate::evaluate::function::{Part, Problem};

#[cfg(feature = "idna")]
mod with_idna {
    use mail_types::smtp::Domain;

    use super::{Part, Problem};
    use crate::evaluate::function::copy;

    pub(crate) fn domain_to_a_labels(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
        let expected = Problem::Expected("a domain");
        let text = text(out, part)?;
        if text.is_ascii() {
            out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let domain = Domain::from_unicode(&text).map_err(|_| expected)?;
        out.extend_from_slice(domain.as_str().as_bytes());
        Ok(())
    }

    pub(crate) fn domain_from_a_labels(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
        for (at, label) in text(out, part)?.split('.').enumerate() {
            if at > 0 {
                out.push(b'.');
            }
            out.extend_from_slice(decoded(label)?.as_bytes());
        }
        Ok(())
    }

    /// A label that cannot be decoded is an error, as in Exim: without it different domains would be the same text.
    fn decoded(label: &str) -> Result<String, Problem> {
        let is_a_label =
            |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
        if !is_a_label(label) {
            return Ok(label.to_owned());
        }
        let decoded = label.parse::<Domain>().ok().map(|domain| domain.to_unicode());
        decoded.filter(|decoded| !is_a_label(decoded)).ok_or(Problem::Expected("valid A-labels"))
    }

    fn text(out: &[u8], part: Part) -> Result<String, Problem> {
        String::from_utf8(copy(out, part)).map_err(|_| "UTF-8 text".into())
    }
}

#[cfg(feature = "idna")]
pub(crate) use with_idna::{domain_from_a_labels, domain_to_a_labels};

#[cfg(not(feature = "idna"))]
pub(crate) fn domain_to_a_labels(_: &mut Vec<u8>, _: Part) -> Result<(), Problem> {
    Err(Problem::Feature("idna"))
}

#[cfg(not(feature = "idna"))]
pub(crate) fn domain_from_a_labels(_: &mut Vec<u8>, _: Part) -> Result<(), Problem> {
    Err(Problem::Feature("idna"))
}

/// A local part as one Punycode label (RFC 3492), of any length: Exim's own form, not in a
/// standard.
pub(crate) fn local_part_to_a_label(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let text = crate::evaluate::function::copy(out, part);
    let text = std::str::from_utf8(&text).map_err(|_| Problem::Expected("UTF-8 text"))?;
    if text.is_ascii() {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    let label = crate::operators::punycode::encode(text).ok_or("a shorter text")?;
    out.extend_from_slice(b"xn--");
    out.extend_from_slice(label.as_bytes());
    Ok(())
}

pub(crate) fn local_part_from_a_label(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
    let text = crate::evaluate::function::copy(out, part);
    let Some(label) = text.strip_prefix(b"xn--") else {
        out.extend_from_slice(&text);
        return Ok(());
    };
    let label = std::str::from_utf8(label).ok().and_then(crate::operators::punycode::decode);
    out.extend_from_slice(label.ok_or("a Punycode label")?.as_bytes());
    Ok(())
}
