//! The result of DMARC for a message, and its treatment for that reason alone: RFC 9989.

use std::time::Duration;

use dmarc_policy::{Discovery, DkimInput, OverrideKind, Policy, Verdict};
use mail_types::exim::Semantics;
use mail_types::results::{AuthResult, MethodResult, SpfInput};
use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use super::dkim::DkimLimits;
use crate::gateway::smtp::replies::say;

/// The settings of DMARC.
#[derive(Clone, Debug, Default)]
pub(crate) struct DmarcSettings {
    /// The combination of the items of a `dmarc_status` list.
    pub(crate) semantics: Semantics,
    /// Whether a message is refused if its author's domain requests it; else it goes into quarantine.
    pub(crate) rejects: bool,
    /// The treatment of a message whose author domain cannot be determined.
    pub(crate) invalid_from: InvalidFrom,
    /// The treatment of a message with a missing answer of the DNS.
    pub(crate) temperror: Temperror,
    /// The discovery of organizational domains.
    pub(crate) discovery: Discovery,
    /// The time limit for the DNS questions of SPF, DKIM and DMARC together.
    pub(crate) timeout: Duration,
    pub(crate) dkim: DkimLimits,
}

impl DmarcSettings {
    /// The treatment of a message that fails, by the request of its author's domain.
    fn of_failure(&self, asked: Policy) -> Treatment {
        match asked {
            // Do not reject for this reason alone: RFC 9989 section 7.4.
            Policy::Reject if self.rejects => Treatment::Reject,
            Policy::Reject | Policy::Quarantine => Treatment::Quarantine,
            Policy::None => Treatment::Accept,
        }
    }

    /// The treatment of a message whose author domain cannot be determined.
    pub(crate) fn of_fault(&self) -> Treatment {
        match self.invalid_from {
            InvalidFrom::Accept => Treatment::Accept,
            InvalidFrom::Quarantine => Treatment::Quarantine,
            InvalidFrom::Reject => Treatment::Reject,
            InvalidFrom::Auto => self.of_failure(Policy::Reject),
        }
    }

    /// The treatment of a message with a missing answer. A sender can choose a domain whose DNS does not
    /// answer: the treatment is neither milder nor stricter than that of a failure.
    fn of_missing_answer(&self, verdict: &Verdict) -> Treatment {
        let of_failure = self.of_failure(verdict.pending);
        let chosen = match self.temperror {
            Temperror::Accept => Treatment::Accept,
            Temperror::Quarantine => Treatment::Quarantine,
            Temperror::Defer => Treatment::Defer,
            Temperror::Auto if of_failure == Treatment::Reject => Treatment::Defer,
            Temperror::Auto => of_failure,
        };
        // By the record found, even a message that fails is accepted.
        let harmless = verdict.record().is_some() && verdict.pending == Policy::None;
        if harmless { Treatment::Accept } else { chosen }
    }
}

/// The treatment of a message for the result of DMARC alone, the mildest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Treatment {
    Accept,
    Quarantine,
    /// The client should send it again: 451 4.7.1.
    Defer,
    /// 550 5.7.1.
    Reject,
}

/// `dmarc_invalid_from`: the treatment of a message whose author domain cannot be determined.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum InvalidFrom {
    /// That of a failure under a policy of reject.
    #[default]
    Auto,
    Accept,
    Quarantine,
    Reject,
}

/// `dmarc_temperror`: the treatment of a message with a missing answer of the DNS.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Temperror {
    /// Deferred if a failure would be refused; else the treatment of a failure.
    #[default]
    Auto,
    Accept,
    Quarantine,
    Defer,
}

/// The results of DMARC, DKIM and SPF for a message.
#[derive(Clone, Debug)]
pub(crate) struct Examined {
    pub(crate) verdict: Verdict,
    pub(crate) spf: Option<SpfInput>,
    /// The signatures that have a domain and a selector.
    pub(crate) dkim: Vec<DkimInput>,
    /// The part of each signature in `Authentication-Results`.
    pub(crate) signatures: Vec<MethodResult>,
    /// The result of each signature.
    pub(crate) dkim_results: Vec<AuthResult>,
    /// The reason of a rule for accepting the message whatever the policy of its author's domain is.
    pub(crate) overridden: Option<OverrideKind>,
}

impl Examined {
    /// Returns the treatment of the message.
    pub(crate) fn treatment(&self, settings: &DmarcSettings) -> Treatment {
        let verdict = &self.verdict;
        let of_result = match verdict.result {
            AuthResult::Fail => settings.of_failure(verdict.disposition),
            AuthResult::TempError => settings.of_missing_answer(verdict),
            _ => Treatment::Accept,
        };
        // One author fails or passes, but the answer for another, stricter one is missing.
        let of_others = match verdict.pending {
            Policy::None => Treatment::Accept,
            _ => settings.of_missing_answer(verdict),
        };
        let of_fault = verdict.fault.map_or(Treatment::Accept, |_| settings.of_fault());
        if self.overridden.is_some() {
            // A message whose author cannot be determined has no policy that could be overridden.
            return of_fault;
        }
        of_result.max(of_others).max(of_fault)
    }

    /// Returns the reply to a message that is refused or deferred for the result of DMARC.
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
                let text = format!("DMARC of {author} cannot be checked: no answer from the DNS");
                Some(say(ReplyCode::LOCAL_ERROR, EnhancedCode::DEFERRED_BY_POLICY, &text))
            }
            _ => None,
        }
    }

    /// Returns the header field with the reason of a quarantine for the result of DMARC, if any.
    pub(crate) fn quarantine(&self, settings: &DmarcSettings) -> Option<String> {
        if self.treatment(settings) != Treatment::Quarantine {
            return None;
        }
        let verdict = &self.verdict;
        let author = verdict.author.as_ref().map(ToString::to_string).unwrap_or_default();
        Some(match (verdict.fault, verdict.result) {
            (_, AuthResult::Fail)
                if verdict.disposition != Policy::None && self.overridden.is_none() =>
            {
                let asked = verdict.disposition;
                format!(
                    "X-Quarantine: DMARC: the message fails for {author}, which asks to {asked} it"
                )
            }
            (Some(fault), _) => format!("X-Quarantine: DMARC cannot be checked: {fault}"),
            (None, _) => {
                format!("X-Quarantine: DMARC of {author} cannot be checked: no answer from the DNS")
            }
        })
    }

    /// Returns the parts of `Authentication-Results` after SPF's.
    pub(crate) fn method_results(&self) -> impl Iterator<Item = MethodResult> {
        let none = || MethodResult::new("dkim", AuthResult::None);
        let unsigned = self.signatures.is_empty().then(none);
        let signatures = self.signatures.iter().cloned().chain(unsigned);
        signatures.chain([self.verdict.authentication()])
    }
}
