//! The history file of Exim and `OpenDMARC`: the option `dmarc_history_file`.

use std::fmt;
use std::net::IpAddr;

use mail_types::dns::Name;
use mail_types::results::{AuthResult, SpfIdentity, SpfInput};

use crate::{AlignmentMode, DkimInput, Policy, Status, Verdict};

/// The lines of a message in the history file, as `opendmarc-import` reads them.
///
/// Append them to the file in one write. No text from the message can add a line or a word: blanks
/// and control characters become `?`.
#[derive(Clone, Debug)]
pub struct History<'a> {
    verdict: &'a Verdict,
    job: &'a str,
    reporter: &'a str,
    received: u64,
    source: IpAddr,
    mail_from: &'a str,
    spf: Option<&'a SpfInput>,
    dkim: &'a [DkimInput],
}

impl<'a> History<'a> {
    /// Starts with a message: its identifier, the receiving host, the arrival time in seconds since
    /// 1970-01-01 00:00:00 UTC, the source address, and the domain of its reverse-path, empty for
    /// the null one. `None` if no record applies: Exim writes nothing then.
    #[must_use]
    pub fn new(
        verdict: &'a Verdict,
        job: &'a str,
        reporter: &'a str,
        received: u64,
        source: IpAddr,
        mail_from: &'a str,
    ) -> Option<Self> {
        verdict.record()?;
        Some(Self { verdict, job, reporter, received, source, mail_from, spf: None, dkim: &[] })
    }

    /// Sets the result of SPF.
    #[must_use]
    pub fn with_spf(self, spf: &'a SpfInput) -> Self {
        Self { spf: Some(spf), ..self }
    }

    /// Sets the results of the signatures.
    #[must_use]
    pub fn with_dkim(self, dkim: &'a [DkimInput]) -> Self {
        Self { dkim, ..self }
    }

    /// The number of the policy that applies.
    fn policy(&self) -> u8 {
        match (self.verdict.result, self.verdict.policy) {
            (AuthResult::Pass, _) => 15,
            (_, Some(Policy::Reject)) => 16,
            (_, Some(Policy::Quarantine)) => 17,
            (_, Some(Policy::None)) => 18,
            (_, None) => 14,
        }
    }

    fn action(&self) -> u8 {
        match self.verdict.status() {
            Status::Reject => 0,
            Status::TempError => 3,
            Status::Quarantine => 4,
            _ => 2,
        }
    }
}

impl fmt::Display for History<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domain =
            |domain: &Option<Name>| domain.as_ref().map(Name::to_string).unwrap_or_default();
        let record = self.verdict.record();
        writeln!(f, "job {}", Word(self.job))?;
        writeln!(f, "reporter {}", Word(self.reporter))?;
        writeln!(f, "received {}", self.received)?;
        writeln!(f, "ipaddr {}", self.source)?;
        writeln!(f, "from {}", Word(&domain(&self.verdict.author)))?;
        writeln!(f, "mfrom {}", Word(self.mail_from))?;
        if let Some(spf) = self.spf.filter(|spf| spf.identity == SpfIdentity::MailFrom) {
            writeln!(f, "spf {}", result(spf.result))?;
        }
        for DkimInput { result: found, domain, selector } in self.dkim {
            writeln!(f, "dkim {domain} {} {}", Word(selector), result(*found))?;
        }
        writeln!(f, "pdomain {}", Word(&domain(&self.verdict.policy_domain)))?;
        writeln!(f, "policy {}", self.policy())?;
        let rua = record.map(|record| record.rua.as_slice()).unwrap_or_default();
        rua.iter().try_for_each(|uri| writeln!(f, "rua {}", Word(uri.as_str())))?;
        if rua.is_empty() {
            writeln!(f, "rua -")?;
        }
        // RFC 9989 has no percentage: always 100.
        writeln!(f, "pct 100")?;
        let mode = |mode: Option<AlignmentMode>| match mode {
            Some(AlignmentMode::Strict) => b's',
            _ => b'r',
        };
        writeln!(f, "adkim {}", mode(record.map(|record| record.adkim)))?;
        writeln!(f, "aspf {}", mode(record.map(|record| record.aspf)))?;
        writeln!(f, "p {}", policy(record.and_then(crate::Record::policy)))?;
        writeln!(f, "sp {}", policy(record.and_then(|record| record.sp)))?;
        let aligned = |aligned| if aligned { 4 } else { 5 };
        writeln!(f, "align_dkim {}", aligned(self.verdict.dkim.is_aligned()))?;
        writeln!(f, "align_spf {}", aligned(self.verdict.spf.is_aligned()))?;
        writeln!(f, "action {}", self.action())?;
        // ARC is not evaluated: its result is unused, and grants no pass.
        writeln!(f, "arc 1")?;
        writeln!(f, "arc_policy 1 json:[]")
    }
}

/// The number of a result.
fn result(result: AuthResult) -> u8 {
    match result {
        AuthResult::Pass => 0,
        AuthResult::SoftFail => 2,
        AuthResult::Neutral => 3,
        AuthResult::TempError => 4,
        AuthResult::PermError => 5,
        AuthResult::None => 6,
        AuthResult::Fail => 7,
        AuthResult::Policy => 8,
        _ => 11,
    }
}

/// The letter of a policy as a number, 0 without one.
fn policy(policy: Option<Policy>) -> u8 {
    match policy {
        Some(Policy::None) => b'n',
        Some(Policy::Quarantine) => b'q',
        Some(Policy::Reject) => b'r',
        None => 0,
    }
}

/// A value of a line: one word that fits into its column.
struct Word<'a>(&'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bad = |c: char| c.is_control() || c.is_whitespace();
        let mut chars = self.0.chars().take(1024);
        chars.try_for_each(|c| fmt::Write::write_char(f, if bad(c) { '?' } else { c }))
    }
}
