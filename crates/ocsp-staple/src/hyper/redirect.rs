//! Where a redirect goes: RFC 9110 section 10.2.2, RFC 3986 section 5.2.

use ::hyper::header::{HeaderMap, LOCATION};
use ::hyper::{StatusCode, Uri};

use crate::fetch::FetchError;

/// Tells whether a response of this status says where to ask instead.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    )
}

/// Returns where a redirect goes, if that is at the same host.
pub(super) fn redirected(from: &Uri, headers: &HeaderMap) -> Result<Uri, FetchError> {
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let to = location.and_then(|location| resolve(from, location)).ok_or(FetchError::Location)?;
    if to.authority() != from.authority() || to.scheme() != from.scheme() {
        return Err(FetchError::Redirect);
    }
    Ok(to)
}

/// Resolves a reference (RFC 3986 section 5.2); `None` if the result is not an address.
fn resolve(from: &Uri, reference: &str) -> Option<Uri> {
    let reference = reference.split('#').next().unwrap_or_default();
    let (path, query) = match reference.split_once('?') {
        Some((path, _)) => (path, reference.get(path.len()..)?),
        None => (reference, ""),
    };
    let (scheme, authority) = (from.scheme_str()?, from.authority()?);
    if path.split('/').next().is_some_and(|start| start.contains(':')) {
        let whole: Uri = reference.parse().ok()?;
        return (whole.scheme().is_some() && whole.authority().is_some()).then_some(whole);
    }
    if path.starts_with("//") {
        return format!("{scheme}:{reference}").parse().ok();
    }
    let (path, query) = match path {
        "" if query.is_empty() => (from.path().to_owned(), from.query()),
        "" => (from.path().to_owned(), query.strip_prefix('?')),
        _ if path.starts_with('/') => (without_dots(path), query.strip_prefix('?')),
        _ => {
            let (folder, _) = from.path().rsplit_once('/').unwrap_or_default();
            (without_dots(&format!("{folder}/{path}")), query.strip_prefix('?'))
        }
    };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{authority}{path}{query}").parse().ok()
}

/// Takes the segments `.` and `..` out of an absolute path: RFC 3986 section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut rest = path.split('/').skip(1).peekable();
    while let Some(segment) = rest.next() {
        let is_last = rest.peek().is_none();
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => {
                segments.push(segment);
                continue;
            }
        }
        if is_last {
            segments.push(""); // What is left is a folder.
        }
    }
    format!("/{}", segments.join("/"))
}
