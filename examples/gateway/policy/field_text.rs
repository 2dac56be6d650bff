//! The header fields of a message as one text: `$h_subject:` and its like.

use std::sync::LazyLock;

use event_expand::{Expansion, HeaderForm, Options, Progress, Template, TemplateError, Variables};
use mail_types::exim::{Trust, Value, Variable};
use mail_types::smtp::Header;

/// Returns the fields of a name, in lower case, as one text; `None` if there are none.
///
/// As in Exim, several are joined with a line end, those that hold addresses with a comma before it;
/// as a list, each is an item between colons. The end of a line, also within a fold, is LF. No more than
/// the first [`MAX_FIELDS`] count.
pub(crate) fn field_text(message: &[u8], name: &str, form: HeaderForm) -> Option<Vec<u8>> {
    let (mut text, mut count) = (Vec::new(), 0);
    for body in Header::of(message).bodies(name).take(MAX_FIELDS) {
        let body: Vec<u8> = body.iter().copied().filter(|&octet| octet != b'\r').collect();
        if form == HeaderForm::Raw {
            text.extend_from_slice(&body);
        } else {
            let separator: &[u8] = match form {
                HeaderForm::List => b":",
                _ if ADDRESSES.contains(&name) => b",\n",
                _ => b"\n",
            };
            if count > 0 {
                text.extend_from_slice(separator);
            }
            push(&mut text, body.trim_ascii(), form);
        }
        count += 1;
    }
    (count > 0).then_some(text)
}

/// Appends the body of a field, decoded; as an item of a list, its colons are doubled.
fn push(text: &mut Vec<u8>, body: &[u8], form: HeaderForm) {
    for &octet in &decoded(body) {
        text.extend(std::iter::repeat_n(
            octet,
            1 + usize::from(octet == b':' && form == HeaderForm::List),
        ));
    }
}

/// Decodes encoded words (RFC 2047), as the operator `rfc2047d` does, in a body of any length: blanks
/// behind a word must not hide it.
pub(super) fn decoded(body: &[u8]) -> Vec<u8> {
    if !body.windows(2).any(|pair| pair == b"=?") {
        return body.to_vec();
    }
    let mut options = Options::default();
    options.limits = options.limits.with_output(usize::MAX).with_steps(usize::MAX);
    let decoded = DECODE.as_ref().ok().and_then(|template| {
        match Expansion::new(template, &Body(body), &options).poll() {
            Progress::Done(text) => Some(text.as_bytes().to_vec()),
            Progress::Stopped(_) | Progress::Request(_) => None,
        }
    });
    debug_assert!(decoded.is_some(), "an operator on a variable");
    decoded.unwrap_or_else(|| body.to_vec())
}

struct Body<'a>(&'a [u8]);

impl Variables for Body<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "body" => Value::new(self.0, Trust::Untrusted).into(),
            _ => Variable::Unknown,
        }
    }
}

static DECODE: LazyLock<Result<Template, TemplateError>> =
    LazyLock::new(|| "${rfc2047d:$body}".parse());

/// Fields with addresses, which Exim joins with commas.
const ADDRESSES: &[&str] = &[
    "bcc",
    "cc",
    "from",
    "reply-to",
    "resent-bcc",
    "resent-cc",
    "resent-from",
    "resent-reply-to",
    "resent-sender",
    "resent-to",
    "sender",
    "to",
];
/// The most fields of one name that count.
const MAX_FIELDS: usize = 1000;
