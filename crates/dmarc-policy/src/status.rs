//! A verdict in Exim's words and variables.

use mail_types::exim::{Trust, Value, Variable, Word};
use mail_types::results::AuthResult;

use crate::{Policy, Verdict};

/// The values of `dmarc_status`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(::serde::Deserialize, ::serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "the words of Exim's specification")]
pub enum Status {
    /// The message passed.
    Accept,
    /// The message failed, and the owner wants it rejected.
    Reject,
    /// The message failed, and the owner wants it quarantined.
    Quarantine,
    /// The message failed, and the owner requests no action.
    None,
    /// The author domain has no record.
    NoRecord,
    /// The message has no author domain that can be tested.
    NoFrom,
    /// A temporary failure prevented the evaluation.
    TempError,
    /// Not evaluated, by the control `dmarc_disable_verify`.
    Off,
}

impl Status {
    /// The words of a condition on `dmarc_status`.
    pub const WORDS: &'static [Word] = &[
        Word::new("accept", &[]),
        Word::new("reject", &[]),
        Word::new("quarantine", &[]),
        Word::new("none", &[]),
        Word::new("norecord", &[]),
        Word::new("nofrom", &[]),
        Word::new("temperror", &[]),
        Word::new("off", &[]),
    ];

    /// Returns the word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Quarantine => "quarantine",
            Self::None => "none",
            Self::NoRecord => "norecord",
            Self::NoFrom => "nofrom",
            Self::TempError => "temperror",
            Self::Off => "off",
        }
    }

    /// Returns the text of `dmarc_status_text`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Accept => "Accept",
            Self::Reject => "Reject",
            Self::Quarantine => "Quarantine",
            Self::None => "None, Accept",
            Self::NoRecord => "No DMARC record",
            Self::NoFrom => "No From: domain found",
            Self::TempError => "Internal Policy Error",
            Self::Off => "",
        }
    }
}

impl Verdict {
    /// Returns the verdict in Exim's words.
    #[must_use]
    pub fn status(&self) -> Status {
        match (self.result, self.disposition) {
            (AuthResult::Pass, _) => Status::Accept,
            (AuthResult::Fail, Policy::Reject) => Status::Reject,
            (AuthResult::Fail, Policy::Quarantine) => Status::Quarantine,
            (AuthResult::Fail, Policy::None) => Status::None,
            (AuthResult::TempError, _) => Status::TempError,
            (AuthResult::None, _) if self.author.is_some() => Status::NoRecord,
            _ => Status::NoFrom,
        }
    }

    /// Returns the variable of a name:
    ///
    /// | name                   | value                                                      |
    /// |------------------------|------------------------------------------------------------|
    /// | `dmarc_status`         | [`Status::as_str`]                                         |
    /// | `dmarc_status_text`    | [`Status::description`]                                    |
    /// | `dmarc_used_domain`    | the domain whose record applies, else the author domain    |
    /// | `dmarc_domain_policy`  | the policy published for the author domain; empty without one, and on any error |
    /// | `dmarc_alignment_spf`  | `yes` or `no`                                              |
    /// | `dmarc_alignment_dkim` | `yes` or `no`                                              |
    /// | `dmarc_ar_header`      | a whole `Authentication-Results` field, for `primary_hostname` |
    ///
    /// The words are trusted; the domains of the message are not.
    ///
    /// ```
    /// use dmarc_policy::{Author, Dmarc, Status};
    /// use mail_types::dns::Zone;
    /// use mail_types::exim::{Value, Variable};
    ///
    /// let zone = Zone::parse("_dmarc.example.com TXT \"v=DMARC1; p=quarantine\"")?;
    /// let dmarc = Dmarc::new(Author::from_message(b"From: ann@example.com\r\n\r\n"));
    /// let verdict = dmarc.session().run(|question| zone.answer(question));
    /// assert_eq!((verdict.status(), verdict.status().description()), (Status::Quarantine, "Quarantine"));
    /// let value = verdict.variable("dmarc_domain_policy", "mx.example.org");
    /// assert_eq!(value, Variable::Value(Value::trusted("quarantine")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn variable(&self, name: &str, primary_hostname: &str) -> Variable<'_> {
        let yes_or_no = |yes| Value::trusted(if yes { "yes" } else { "no" });
        let untested = matches!(self.result, AuthResult::TempError | AuthResult::PermError);
        Variable::Value(match name {
            "dmarc_status" => Value::trusted(self.status().as_str()),
            "dmarc_status_text" => Value::trusted(self.status().description()),
            "dmarc_used_domain" => match self.policy_domain.as_ref().or(self.author.as_ref()) {
                Some(domain) => Value::new(domain.to_string().into_bytes(), Trust::Untrusted),
                None => return Variable::Unset,
            },
            "dmarc_domain_policy" => {
                let policy = self.policy.filter(|_| !untested);
                Value::trusted(policy.map_or("", Policy::as_str))
            }
            "dmarc_alignment_spf" => yes_or_no(self.spf.is_aligned()),
            "dmarc_alignment_dkim" => yes_or_no(self.dkim.is_aligned()),
            "dmarc_ar_header" => {
                let mut results = mail_types::results::AuthenticationResults::new(primary_hostname);
                results.push(self.authentication());
                let field = format!("Authentication-Results: {results}");
                Value::new(field.into_bytes(), Trust::Untrusted)
            }
            _ => return Variable::Unknown,
        })
    }
}
