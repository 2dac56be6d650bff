//! Results of message authentication, and the header field that carries them: RFC 8601.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use thiserror::Error;

/// The result of an authentication method (RFC 8601 section 2.7).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AuthResult {
    /// Nothing to test, or no policy published.
    None,
    /// The test passed.
    Pass,
    /// The test failed.
    Fail,
    /// The test failed, but the domain makes only a weak statement.
    SoftFail,
    /// The domain makes no statement.
    Neutral,
    /// The test passed, but a local policy rejects the result.
    Policy,
    /// A temporary failure prevented the test.
    TempError,
    /// A permanent failure prevented the test: a later try gives the same result.
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

/// A text is not the word of an [`AuthResult`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("not an authentication result of RFC 8601")]
#[non_exhaustive]
pub struct AuthResultError;

/// The identity that SPF tested; a result for one says nothing about the other (RFC 7208 section
/// 2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 has just these two")]
pub enum SpfIdentity {
    /// The reverse-path, or `postmaster` at the HELO name if the reverse-path is null.
    MailFrom,
    /// The name that the client gave in HELO or EHLO.
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

/// The result of one method in an [`AuthenticationResults`].
///
/// ```
/// use mail_types::results::{AuthResult, MethodResult};
///
/// let spf = MethodResult::new("spf", AuthResult::Fail)
///     .with_reason("not from here")
///     .with_property("smtp", "mailfrom", "a b@example.com");
/// assert_eq!(spf.to_string(), r#"spf=fail reason="not from here" smtp.mailfrom="a b@example.com""#);
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct MethodResult {
    text: String,
}

impl MethodResult {
    /// Starts with the method's name, such as `spf`, and its result.
    #[must_use]
    pub fn new(method: &'static str, result: AuthResult) -> Self {
        Self { text: format!("{method}={result}") }
    }

    /// Adds a comment; parentheses and backslashes in it are quoted.
    ///
    /// ```
    /// use mail_types::results::{AuthResult, MethodResult};
    ///
    /// let result = MethodResult::new("dkim", AuthResult::Fail).with_comment("key (of 2019)");
    /// assert_eq!(result.to_string(), r"dkim=fail (key \(of 2019\))");
    /// ```
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

    /// Adds the reason of the result, for people.
    #[must_use]
    pub fn with_reason(mut self, reason: &str) -> Self {
        self.text.push_str(" reason=");
        quote(&mut self.text, reason);
        self
    }

    /// Adds a property: its type, such as `smtp`, its name, such as `mailfrom`, and its value.
    ///
    /// A value that needs quotes is quoted; a control character in it becomes `?`.
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
/// It is a single line with any values.
///
/// ```
/// use mail_types::results::{AuthResult, AuthenticationResults, MethodResult};
///
/// let mut results = AuthenticationResults::new("mx.example.org");
/// assert_eq!(results.to_string(), "mx.example.org; none");
/// results.push(MethodResult::new("spf", AuthResult::Pass).with_property("smtp", "helo", "a.example"));
/// assert_eq!(results.to_string(), "mx.example.org; spf=pass smtp.helo=a.example");
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct AuthenticationResults {
    authserv_id: String,
    results: Vec<MethodResult>,
}

impl AuthenticationResults {
    /// Starts with the authentication service identifier, mostly the name of the host.
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

    /// Adds the result of a method.
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

/// Tells whether a value needs no quotes: a token of RFC 2045, or two around an `@`.
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
