//! Rules that would do nothing as the options are, and variables that would always have the same value.

use super::effect::{has_no_tls, is_nobody};
use super::options::StoreKind;
use super::{ConfigError, ConfigOptions};
use crate::gateway::lookups::language::Language;
use crate::gateway::policy::conditions::dmarc::CONTROLS as DMARC_CONTROLS;
use crate::gateway::policy::conditions::{dmarc, ratelimit, spf};
use crate::gateway::policy::rules::{Problem, RuleError};
use crate::gateway::server::settings::LiveSettings;

/// Refuses the first that is found.
pub(super) fn check(
    options: &ConfigOptions,
    live: &LiveSettings,
    language: &Language,
) -> Result<(), ConfigError> {
    let (rules, no_dmarc) = (&live.rules, is_nobody(&options.dmarc_verify_hosts));
    let refused = |line, problem| Err(RuleError::Rule { line, problem }.into());
    if let Some(line) = rules.line_of("dmarc_status").filter(|_| no_dmarc) {
        return refused(line, Problem::NeverExamined);
    }
    if let Some(line) = rules.line_of("encrypted").filter(|_| has_no_tls(options)) {
        return refused(line, Problem::NeverEncrypted);
    }
    let controls = DMARC_CONTROLS.into_iter().filter(|_| no_dmarc);
    for control in controls {
        if let Some(line) = rules.line_with("control", control) {
            let name = format!("control {control}");
            return refused(line, Problem::NoEffect { name, cause: NO_DMARC });
        }
    }
    let discards = options.store == StoreKind::Discard && !live.routing.relays();
    if let Some(line) = rules.line_with("verb", "quarantine").filter(|_| discards) {
        let (name, cause) = ("verb = quarantine".to_owned(), "store = \"discard\" keeps no mail");
        return refused(line, Problem::NoEffect { name, cause });
    }
    if let Some(line) = rules.line_of("profiles").filter(|_| rules.line_of("profile").is_none()) {
        let (name, cause) = ("profiles".to_owned(), NO_PROFILE);
        return refused(line, Problem::NoEffect { name, cause });
    }
    variables(options, live, language)
}

fn variables(
    options: &ConfigOptions,
    live: &LiveSettings,
    language: &Language,
) -> Result<(), ConfigError> {
    let rules = &live.rules;
    let has = |name| rules.line_of(name).is_some();
    for (names, is_idle, cause) in [
        (dmarc::VARIABLES, is_nobody(&options.dmarc_verify_hosts), NO_DMARC),
        (spf::VARIABLES, !has("spf") && !has("spf_guess"), "no rule has the condition spf"),
        (ratelimit::VARIABLES, !has("ratelimit"), "no rule has the condition ratelimit"),
        (&["profile"], !has("profile"), NO_PROFILE),
        (&["sender_host_name"], is_nobody(&options.host_lookup), "host_lookup matches no client"),
        (
            &["tls_in_cipher", "tls_in_ourcert"],
            has_no_tls(options),
            "tls_advertise_hosts matches no client",
        ),
        (
            &["tls_in_peercert", "tls_in_peerdn", "tls_in_certificate_verified"],
            options.tls_verify_certificates.is_empty(),
            "tls_verify_certificates is not set",
        ),
    ] {
        for &name in names.iter().filter(|_| is_idle) {
            let problem = || Problem::AlwaysSame { name, cause };
            if let Some(line) = rules.line_of_variable(name, language) {
                return Err(RuleError::Rule { line, problem: problem() }.into());
            }
            let mentions = |text: &&str| language.mentions(text, name);
            let found = texts(options)
                .into_iter()
                .find(|(_, text)| text.as_deref().as_ref().is_some_and(mentions));
            if let Some((option, _)) = found {
                return Err(ConfigError::List { option, problem: problem() });
            }
        }
    }
    Ok(())
}

/// The options that are texts of a recipient.
fn texts(options: &ConfigOptions) -> [(&'static str, Option<String>); 6] {
    [
        ("local_domains", Some(options.local_domains.clone())),
        ("local_parts", Some(options.local_parts.clone())),
        ("relay_to_domains", Some(options.relay_to_domains.clone())),
        ("route_data", options.route_data.clone()),
        ("maildir", options.maildir.clone()),
        ("quarantine_maildir", options.quarantine_maildir.clone()),
    ]
}

const NO_DMARC: &str = "dmarc_verify_hosts matches no client";
const NO_PROFILE: &str = "no rule has the modifier profile";
