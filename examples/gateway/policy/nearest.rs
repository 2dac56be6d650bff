//! The name that was probably meant.

/// Returns the candidate that is most like a name, if one is like it at all. A name that is longer than any
/// candidate is like none: the comparison takes the product of both lengths.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let likeness =
        |candidate: &'a str| (strsim::normalized_damerau_levenshtein(name, candidate), candidate);
    let most =
        candidates.into_iter().map(likeness).max_by(|(one, _), (other, _)| one.total_cmp(other));
    most.filter(|(likeness, _)| *likeness >= LIKE).map(|(_, candidate)| candidate)
}

/// Words the suggestion behind an error.
pub(crate) fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// The most octets of a name that is compared.
const LONGEST: usize = 100;

/// Two letters of three.
const LIKE: f64 = 0.66;
