//! What DMARC says of a message, and what is done with it for that alone: RFC 9989.

use std::time::Duration;

use dmarc_policy::{Discovery, DkimInput, Policy, Verdict};
use mail_types::exim::Semantics;
use mail_types::results::{AuthResult, MethodResult, SpfInput};
use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use super::dkim::DkimLimits;
use crate::gateway::smtp::replies::say;

/// What is examined, and what follows from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct DmarcSettings {
    /// How the items of a list of `dmarc_status` work together.
    pub(crate) semantics: Semantics,
    /// Whether a message is refused where its author's domain asks for that; else it is put into
    /// quarantine.
    pub(crate) rejects: bool,
    /// What becomes of a message whose author cannot be told.
    pub(crate) invalid_from: InvalidFrom,
    /// What becomes of one for which the DNS did not answer.
    pub(crate) temperror: Temperror,
    /// How organizational domains are found.
    pub(crate) discovery: Discovery,
    /// How long SPF, DKIM and DMARC of a message may ask the DNS together.
    pub(crate) timeout: Duration,
    pub(crate) dkim: DkimLimits,
}

impl DmarcSettings {
    /// What is done with a message that fails, where its author's domain asks for this.
    fn of_failure(&self, asked: Policy) -> Treatment {
        match asked {
            // Not solely for that: RFC 9989 section 7.4.
            Policy::Reject if self.rejects => Treatment::Reject,
            Policy::Reject | Policy::Quarantine => Treatment::Quarantine,
            Policy::None => Treatment::Accept,
        }
    }

    /// What is done with a message whose author cannot be told.
    pub(crate) fn of_fault(&self) -> Treatment {
        match self.invalid_from {
            InvalidFrom::Accept => Treatment::Accept,
            InvalidFrom::Quarantine => Treatment::Quarantine,
            InvalidFrom::Reject => Treatment::Reject,
            InvalidFrom::Auto => self.of_failure(Policy::Reject),
        }
    }

    /// Whoever sends a message chooses domains for which the DNS does not answer: that is not better for
    /// it than to fail, and never worse.
    fn of_missing_answer(&self, verdict: &Verdict) -> Treatment {
        let of_failure = self.of_failure(verdict.pending);
        let chosen = match self.temperror {
            Temperror::Accept => Treatment::Accept,
            Temperror::Quarantine => Treatment::Quarantine,
            Temperror::Defer => Treatment::Defer,
            Temperror::Auto if of_failure == Treatment::Reject => Treatment::Defer,
            Temperror::Auto => of_failure,
        };
        // A record was found, and a message that fails is accepted.
        let harmless = verdict.record().is_some() && verdict.pending == Policy::None;
        if harmless { Treatment::Accept } else { chosen }
    }
}

/// What is done with a message for what DMARC says alone, the mildest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Treatment {
    Accept,
    Quarantine,
    /// It may come again: 451 4.7.1.
    Defer,
    /// 550 5.7.1.
    Reject,
}

/// `dmarc_invalid_from`: what becomes of a message whose author cannot be told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum InvalidFrom {
    /// What becomes of one that fails where its author's domain asks to reject it.
    #[default]
    Auto,
    Accept,
    Quarantine,
    Reject,
}

/// `dmarc_temperror`: what becomes of a message for which the DNS did not answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Temperror {
    /// It is deferred where it would be refused if that had failed, and else treated as if it had.
    #[default]
    Auto,
    Accept,
    Quarantine,
    Defer,
}

/// What was found out about a message.
#[derive(Clone, Debug)]
pub(crate) struct Examined {
    pub(crate) verdict: Verdict,
    pub(crate) spf: Option<SpfInput>,
    /// The signatures that have a domain and a selector.
    pub(crate) dkim: Vec<DkimInput>,
    /// What is said of each signature in `Authentication-Results`.
    pub(crate) signatures: Vec<MethodResult>,
}

impl Examined {
    /// Returns what is done with the message for this alone.
    pub(crate) fn treatment(&self, settings: &DmarcSettings) -> Treatment {
        let verdict = &self.verdict;
        let of_result = match verdict.result {
            AuthResult::Fail => settings.of_failure(verdict.disposition),
            AuthResult::TempError => settings.of_missing_answer(verdict),
            _ => Treatment::Accept,
        };
        // Of several authors, one fails or is sound, and for a stricter one an answer is missing.
        let of_others = match verdict.pending {
            Policy::None => Treatment::Accept,
            _ => settings.of_missing_answer(verdict),
        };
        let of_fault = verdict.fault.map_or(Treatment::Accept, |_| settings.of_fault());
        of_result.max(of_others).max(of_fault)
    }

    /// Returns the reply to a message that is not taken for this alone.
    pub(crate) fn refusal(&self, settings: &DmarcSettings) -> Option<Reply> {
        let verdict = &self.verdict;
        match (self.treatment(settings), verdict.reply()) {
            (Treatment::Reject, Some(reply)) => Some(reply),
            (Treatment::Reject, None) => {
                let fault = verdict.fault.map(|fault| fault.to_string()).unwrap_or_default();
                let text = format!("DMARC cannot be checked: {fault} (dmarc_invalid_from)");
                Some(say(ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::REFUSED_BY_POLICY, &text))
            }
            (Treatment::Defer, _) => {
                let author = verdict.author.as_ref().map(ToString::to_string).unwrap_or_default();
                let text = format!("the DNS did not answer: DMARC of {author} cannot be checked");
                Some(say(ReplyCode::LOCAL_ERROR, EnhancedCode::DEFERRED_BY_POLICY, &text))
            }
            _ => None,
        }
    }

    /// Returns the field that says why the message is in quarantine for this alone, if it is.
    pub(crate) fn quarantine(&self, settings: &DmarcSettings) -> Option<String> {
        if self.treatment(settings) != Treatment::Quarantine {
            return None;
        }
        let verdict = &self.verdict;
        let author = verdict.author.as_ref().map(ToString::to_string).unwrap_or_default();
        Some(match (verdict.fault, verdict.result) {
            (_, AuthResult::Fail) if verdict.disposition != Policy::None => {
                let asked = verdict.disposition;
                format!(
                    "X-Quarantine: DMARC: the message is not from {author}, which asks to {asked} it"
                )
            }
            (Some(fault), _) => format!("X-Quarantine: DMARC cannot be checked: {fault}"),
            (None, _) => {
                format!("X-Quarantine: DMARC of {author} cannot be checked: the DNS did not answer")
            }
        })
    }

    /// Returns what is said of it in `Authentication-Results`, behind SPF's part.
    pub(crate) fn method_results(&self) -> impl Iterator<Item = MethodResult> {
        let none = || MethodResult::new("dkim", AuthResult::None);
        let unsigned = self.signatures.is_empty().then(none);
        let signatures = self.signatures.iter().cloned().chain(unsigned);
        signatures.chain([self.verdict.authentication()])
    }
}
