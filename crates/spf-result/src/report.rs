//! The report of a check: variables, header fields, comments.

use std::fmt::Write as _;
use std::net::IpAddr;

use mail_types::exim::{Trust, Value, Variable};
use mail_types::results::{AuthResult, MethodResult, SpfIdentity, SpfInput};

use crate::expansion::Values;
use crate::{Cause, Check, MacroString, SpfOutcome, SpfResult};

/// A check and its outcome, for Exim's variables, the header field `Received-SPF`, and the part of
/// `Authentication-Results`.
///
/// ```
/// use mail_types::dns::Zone;
/// use mail_types::smtp::Helo;
/// use spf_result::Check;
///
/// let zone = Zone::parse(r#"example.com TXT "v=spf1 mx -all""#)?;
/// let (helo, sender) = (Helo::new("a;b\r\n"), "<ann@example.com>".parse()?);
/// let check =
///     Check::mail_from("192.0.2.1".parse()?, &helo, &sender).with_receiver("mx.example.org");
///
/// let report = check.report(check.session().run(|question| zone.answer(question)));
/// assert_eq!(
///     report.received(),
///     "Received-SPF: fail (mx.example.org: domain of example.com does not designate 192.0.2.1 as \
///     permitted sender) receiver=mx.example.org; identity=mailfrom; client-ip=192.0.2.1; \
///     envelope-from=\"ann@example.com\"; helo=\"a;b??\"; mechanism=-all",
/// );
/// assert_eq!(report.authentication().to_string(), "spf=fail smtp.mailfrom=example.com");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Serialize))]
pub struct Report {
    outcome: SpfOutcome,
    client: IpAddr,
    helo: String,
    /// The checked reverse-path, with `postmaster` for the null path.
    sender: String,
    domain: String,
    receiver: String,
    null_path: bool,
    /// The text in place of the explanation of a domain that has none.
    #[cfg_attr(feature = "serde", serde(skip))]
    advice: String,
}

impl Report {
    /// The longest value in a header field, in octets; a longer one is cut.
    pub const MAX_VALUE: usize = 100;

    pub(crate) fn new(check: &Check<'_>, outcome: SpfOutcome) -> Self {
        let domain = check.sender_domain().into_owned();
        let sender = check.local_part().into_owned() + "@" + &domain;
        let (helo, receiver) = (check.helo_name().into_owned(), check.receiver().to_owned());
        let mut report = Self {
            outcome,
            client: check.client(),
            helo,
            sender,
            domain,
            receiver,
            null_path: check.is_null_path(),
            advice: String::new(),
        };
        if let Ok(template) = DEFAULT_ADVICE.parse() {
            report = report.with_smtp_comment_template(check, &template);
        }
        report
    }

    /// Sets the text of [`smtp_comment`](Self::smtp_comment) for a domain without an explanation:
    /// Exim's option `spf_smtp_comment_template`. The default begins as Exim's does. `%{p}` is
    /// `unknown`.
    ///
    /// ```
    /// use mail_types::exim::{Value, Variable};
    /// use mail_types::{dns::Zone, smtp::Helo};
    /// use spf_result::Check;
    ///
    /// let zone = Zone::parse("example.com TXT \"v=spf1 -all\"")?;
    /// let (helo, sender) = (Helo::new("a.example"), "<a@example.com>".parse()?);
    /// let check = Check::mail_from("192.0.2.1".parse()?, &helo, &sender);
    /// let report = check.report(check.session().run(|question| zone.answer(question)));
    /// let report = report.with_smtp_comment_template(&check, &"%{i} may not send for %{d}".parse()?);
    /// let comment = report.smtp_comment().unwrap_or_default();
    /// assert!(comment.starts_with("192.0.2.1 may not send for example.com"), "{comment}");
    /// assert!(report.header_comment().starts_with("unknown: domain of example.com does not designate"));
    /// assert_eq!(report.variable("spf_result"), Variable::Value(Value::trusted("fail")));
    /// assert!(report.spf_input().is_some_and(|input| input.domain == "example.com".parse().unwrap()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_smtp_comment_template(mut self, check: &Check<'_>, template: &MacroString) -> Self {
        let domain = self.outcome.cause().domain().cloned();
        let domain = domain.unwrap_or_else(mail_types::dns::Name::root);
        let values = Values { check, domain: &domain, client_name: None };
        let text = values.text(template, check.limits().explanation).unwrap_or_default();
        self.advice = String::from_utf8_lossy(&text).into_owned();
        self
    }

    /// Returns the outcome.
    #[must_use]
    pub fn outcome(&self) -> &SpfOutcome {
        &self.outcome
    }

    /// Returns the result as a sentence, in Exim's words.
    #[must_use]
    pub fn header_comment(&self) -> String {
        let (client, domain) = (self.client, format!("domain of {}", shown(&self.domain)));
        let text = match self.outcome.result() {
            _ if *self.outcome.cause() == Cause::Loopback => {
                "localhost is always allowed.".to_owned()
            }
            SpfResult::Pass => format!("{domain} designates {client} as permitted sender"),
            SpfResult::Fail => format!("{domain} does not designate {client} as permitted sender"),
            SpfResult::SoftFail => {
                format!("transitioning {domain} does not designate {client} as permitted sender")
            }
            SpfResult::Neutral => format!("{client} is neither permitted nor denied by {domain}"),
            SpfResult::None => format!("{domain} does not provide an SPF record"),
            SpfResult::TempError => {
                format!("encountered temporary error during SPF processing of {domain}")
            }
            SpfResult::PermError => {
                let problem = self.outcome.cause().problem();
                let problem = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
                format!("error in processing during lookup of {domain}{problem}")
            }
        };
        format!("{}: {text}", shown(&self.receiver))
    }

    /// Returns the header field `Received-SPF` (RFC 7208 section 9.1), in one line without its end.
    ///
    /// A value is quoted if necessary, and cut to [`Report::MAX_VALUE`]: a peer's text can add
    /// neither a line nor a pair.
    #[must_use]
    pub fn received(&self) -> String {
        let mut text = format!("Received-SPF: {} (", self.outcome.result());
        for c in self.header_comment().chars() {
            if matches!(c, '(' | ')' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push(')');
        let cause = self.outcome.cause();
        let mechanism = match cause {
            Cause::Matched(_) => cause.directive().map(ToString::to_string),
            Cause::Default { .. } => Some("default".to_owned()),
            _ => None,
        };
        let identity = self.outcome.identity();
        let envelope = (identity == SpfIdentity::MailFrom).then(|| self.sender.clone());
        for (key, value) in [
            ("receiver", Some(self.receiver.clone())),
            ("identity", Some(identity.to_string())),
            ("client-ip", Some(self.client.to_string())),
            ("envelope-from", envelope),
            ("helo", Some(self.helo.clone())),
            ("mechanism", mechanism),
            ("problem", cause.problem().map(ToString::to_string)),
        ] {
            let Some(value) = value else { continue };
            let separator = if key == "receiver" { ' ' } else { ';' };
            let blank = if key == "receiver" { "" } else { " " };
            let _ = write!(text, "{separator}{blank}{key}={}", quoted(&value));
        }
        text
    }

    /// Returns the text of an SMTP reply for fail, softfail and neutral, in Exim's form: the
    /// domain's explanation, or the template's, and the reason.
    #[must_use]
    pub fn smtp_comment(&self) -> Option<String> {
        let spoken = [SpfResult::Fail, SpfResult::SoftFail, SpfResult::Neutral];
        if !spoken.contains(&self.outcome.result()) {
            return None;
        }
        let reason = match self.outcome.cause() {
            Cause::Matched(_) => "mechanism",
            Cause::Default { .. } => "default",
            _ => "none",
        };
        let explanation = self.outcome.explanation().text().unwrap_or(&self.advice);
        Some(format!("{} : Reason: {reason}", clean(explanation)))
    }

    /// Returns SPF's part of `Authentication-Results` (RFC 8601 section 2.7.2).
    #[must_use]
    pub fn authentication(&self) -> MethodResult {
        let mut part = MethodResult::new("spf", AuthResult::from(self.outcome.result()));
        if self.outcome.is_guess() {
            part = part.with_comment("best guess record for domain");
        }
        match self.outcome.identity() {
            // The null path was checked as `postmaster` (RFC 7208 section 2.4).
            SpfIdentity::MailFrom if self.null_path => {
                part.with_property("smtp", "mailfrom", &self.sender)
            }
            SpfIdentity::MailFrom => part.with_property("smtp", "mailfrom", &self.domain),
            SpfIdentity::Helo => part.with_property("smtp", "helo", &self.helo),
        }
    }

    /// Returns the result for DMARC, with the tested domain. `None` without a domain to test, and
    /// for a guess.
    #[must_use]
    pub fn spf_input(&self) -> Option<SpfInput> {
        let domain = self.outcome.domain().filter(|_| !self.outcome.is_guess())?.clone();
        let result = AuthResult::from(self.outcome.result());
        Some(SpfInput { result, identity: self.outcome.identity(), domain })
    }

    /// Returns a variable by Exim's name:
    ///
    /// | name                 | value                                                          |
    /// |----------------------|----------------------------------------------------------------|
    /// | `spf_result`         | the word of the result                                         |
    /// | `spf_result_guessed` | `yes` if it is a guess, else `no`                              |
    /// | `spf_header_comment` | [`Report::header_comment`]                                     |
    /// | `spf_received`       | [`Report::received`]                                           |
    /// | `spf_smtp_comment`   | [`Report::smtp_comment`]; unset for other results              |
    /// | `spf_used_domain`    | the domain of the sender, or the HELO name                     |
    ///
    /// Words are trusted; the other values are not: they contain text from peers and the DNS.
    #[must_use]
    pub fn variable(&self, name: &str) -> Variable<'_> {
        let untrusted = |text: String| Value::new(text.into_bytes(), Trust::Untrusted);
        let value = match name {
            "spf_result" => Some(Value::trusted(self.outcome.result().as_str())),
            "spf_result_guessed" => {
                Some(Value::trusted(if self.outcome.is_guess() { "yes" } else { "no" }))
            }
            "spf_header_comment" => Some(untrusted(self.header_comment())),
            "spf_received" => Some(untrusted(self.received())),
            "spf_smtp_comment" => self.smtp_comment().map(untrusted),
            "spf_used_domain" => Some(Value::new(self.domain.as_bytes(), Trust::Untrusted)),
            _ => return Variable::Unknown,
        };
        value.map_or(Variable::Unset, Variable::Value)
    }
}

/// The page in Exim's default comment, with its parameters.
const DEFAULT_ADVICE: &str =
    "Please%_see%_http://www.open-spf.org/Why?id=%{S}&ip=%{C}&receiver=%{R}";

/// A text without control characters, not longer than a header value.
fn shown(text: &str) -> String {
    let most = Report::MAX_VALUE.min(text.len());
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    clean(text.get(..end).unwrap_or_default())
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// `dot-atom / quoted-string`, of [`Report::MAX_VALUE`] octets at most, quotes not counted.
fn quoted(value: &str) -> String {
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let edges = value.starts_with('.') || value.ends_with('.') || value.contains("..");
    if !value.is_empty() && value.len() <= Report::MAX_VALUE && !edges && value.chars().all(atom) {
        return value.to_owned();
    }
    let mut text = String::from('"');
    for c in value.chars() {
        if text.len() + c.len_utf8() > Report::MAX_VALUE {
            break;
        }
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(if c.is_control() { '?' } else { c });
    }
    text + "\""
}
