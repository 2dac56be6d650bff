//! Results of message authentication, and the header that hands them on: RFC 8601.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use thiserror::Error;

/// A result of a method of authentication (RFC 8601 section 2.7).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AuthResult {
    /// There was nothing to test, or no policy.
    None,
    /// The test passed.
    Pass,
    /// The test failed.
    Fail,
    /// The test failed, but the domain does not vouch for that.
    SoftFail,
    /// The domain says neither yes nor no.
    Neutral,
    /// The test passed, but a local policy does not let it.
    Policy,
    /// Could not be told for now.
    TempError,
    /// Could not be told, and a later try will not help.
    PermError,
}

impl AuthResult {
    const ALL: [Self; 8] = [
        Self::None,
        Self::Pass,
        Self::Fail,
        Self::SoftFail,
        Self::Neutral,
        Self::Policy,
        Self::TempError,
        Self::PermError,
    ];

    /// Returns the word of RFC 8601.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::Policy => "policy",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for AuthResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuthResult {
    type Err = AuthResultError;

    fn from_str(text: &str) -> Result<Self, AuthResultError> {
        let found = Self::ALL.into_iter().find(|word| word.as_str().eq_ignore_ascii_case(text));
        found.ok_or(AuthResultError)
    }
}

/// A word is no [`AuthResult`].
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not a result of authentication")]
#[non_exhaustive]
pub struct AuthResultError;

/// Whose name SPF has tested: a result for one is none for the other (RFC 7208 section 2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 has just these two")]
pub enum SpfIdentity {
    /// The reverse-path, or `postmaster` at the HELO name where that is null.
    MailFrom,
    /// The name that the client gave with HELO or EHLO.
    Helo,
}

impl SpfIdentity {
    /// Returns the word of RFC 7208 section 9.1 and RFC 8601 section 2.7.2.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MailFrom => "mailfrom",
            Self::Helo => "helo",
        }
    }
}

impl fmt::Display for SpfIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One method's part of an [`AuthenticationResults`].
///
/// ```
/// use mail_types::results::{AuthResult, MethodResult};
///
/// let spf = MethodResult::new("spf", AuthResult::Fail)
///     .with_reason("not from here")
///     .with_property("smtp", "mailfrom", "a b@example.com");
/// assert_eq!(spf.to_string(), r#"spf=fail reason="not from here" smtp.mailfrom="a b@example.com""#);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MethodResult {
    text: String,
}

impl MethodResult {
    /// Begins with the method's name, such as `spf`, and its result.
    #[must_use]
    pub fn new(method: &'static str, result: AuthResult) -> Self {
        Self { text: format!("{method}={result}") }
    }

    /// Adds a comment; parentheses and backslashes in it are quoted.
    #[must_use]
    pub fn with_comment(mut self, comment: &str) -> Self {
        self.text.push_str(" (");
        for c in comment.chars() {
            if matches!(c, '(' | ')' | '\\') {
                self.text.push('\\');
            }
            self.text.push(if c.is_control() { '?' } else { c });
        }
        self.text.push(')');
        self
    }

    /// Adds why the result is what it is, for people.
    #[must_use]
    pub fn with_reason(mut self, reason: &str) -> Self {
        self.text.push_str(" reason=");
        quote(&mut self.text, reason);
        self
    }

    /// Adds a property, such as `smtp`, `mailfrom` and its value.
    ///
    /// A value that is not plain is quoted; a control character in it becomes `?`.
    #[must_use]
    pub fn with_property(mut self, kind: &'static str, name: &'static str, value: &str) -> Self {
        let _ = write!(self.text, " {kind}.{name}=");
        if is_plain(value) {
            self.text.push_str(value);
        } else {
            quote(&mut self.text, value);
        }
        self
    }
}

impl fmt::Display for MethodResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The body of an `Authentication-Results` header field: RFC 8601 section 2.2.
///
/// It is one line, and no value that is put in can make it two.
///
/// ```
/// use mail_types::results::{AuthResult, AuthenticationResults, MethodResult};
///
/// let mut results = AuthenticationResults::new("mx.example.org");
/// assert_eq!(results.to_string(), "mx.example.org; none");
/// results.push(MethodResult::new("spf", AuthResult::Pass).with_property("smtp", "helo", "a.example"));
/// assert_eq!(results.to_string(), "mx.example.org; spf=pass smtp.helo=a.example");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthenticationResults {
    authserv_id: String,
    results: Vec<MethodResult>,
}

impl AuthenticationResults {
    /// Begins with the name of whoever has authenticated, mostly the host's.
    #[must_use]
    pub fn new(authserv_id: &str) -> Self {
        let mut text = String::new();
        if is_plain(authserv_id) {
            text.push_str(authserv_id);
        } else {
            quote(&mut text, authserv_id);
        }
        Self { authserv_id: text, results: Vec::new() }
    }

    /// Adds what a method has found.
    pub fn push(&mut self, result: MethodResult) {
        self.results.push(result);
    }
}

impl fmt::Display for AuthenticationResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authserv_id)?;
        if self.results.is_empty() {
            return f.write_str("; none");
        }
        self.results.iter().try_for_each(|result| write!(f, "; {result}"))
    }
}

/// Whether it can stand without quotes: a token of RFC 2045, or two around an `@`.
fn is_plain(value: &str) -> bool {
    let is_token = |part: &str| {
        let special = |c: char| r#"()<>@,;:\"/[]?="#.contains(c);
        !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && !special(c))
    };
    match value.split_once('@') {
        // A property may be `@example.com` too.
        Some((local, domain)) => (local.is_empty() || is_token(local)) && is_token(domain),
        None => is_token(value),
    }
}

fn quote(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(if c.is_control() { '?' } else { c });
    }
    text.push('"');
}
