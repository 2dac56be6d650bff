//! The options of DMARC and DKIM.

use std::sync::Arc;

use dmarc_policy::{Discovery, SuffixFile};
use mail_types::smtp::Domain;
use serde::Deserialize;

use super::{ConfigError, ConfigOptions, checks};
use crate::gateway::authentication::dkim::DkimLimits;
use crate::gateway::authentication::dmarc::{DmarcSettings, InvalidFrom, Temperror};
use crate::gateway::reports::settings::ReportSettings;

/// What becomes of a message whose author cannot be told.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum InvalidFromOption {
    Accept,
    Quarantine,
    Reject,
}

impl From<InvalidFromOption> for InvalidFrom {
    fn from(option: InvalidFromOption) -> Self {
        match option {
            InvalidFromOption::Accept => Self::Accept,
            InvalidFromOption::Quarantine => Self::Quarantine,
            InvalidFromOption::Reject => Self::Reject,
        }
    }
}

/// What becomes of a message for which the DNS did not answer.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum TemperrorOption {
    #[default]
    Auto,
    Accept,
    Quarantine,
    Defer,
}

impl From<TemperrorOption> for Temperror {
    fn from(option: TemperrorOption) -> Self {
        match option {
            TemperrorOption::Auto => Self::Auto,
            TemperrorOption::Accept => Self::Accept,
            TemperrorOption::Quarantine => Self::Quarantine,
            TemperrorOption::Defer => Self::Defer,
        }
    }
}

pub(super) fn settings(options: &ConfigOptions) -> Result<DmarcSettings, ConfigError> {
    let dkim = DkimLimits {
        signatures: options.dkim_verify_signatures,
        header: usize::try_from(options.dkim_verify_header.0).unwrap_or(usize::MAX),
        ..DkimLimits::default()
    };
    Ok(DmarcSettings {
        semantics: options.dmarc_status_semantics.into(),
        rejects: options.dmarc_reject,
        invalid_from: options.dmarc_invalid_from.map(Into::into).unwrap_or_default(),
        temperror: options.dmarc_temperror.into(),
        discovery: discovery(options)?,
        timeout: options.dmarc_timeout.0,
        dkim,
    })
}

/// A list of public suffixes helps where the walk up the tree finds no record that tells; alone it
/// would have domains together that their records keep apart.
fn discovery(options: &ConfigOptions) -> Result<Discovery, ConfigError> {
    let Some(path) = &options.dmarc_tld_file else { return Ok(Discovery::TreeWalk) };
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::TldFile { path: path.clone(), source })?;
    let list = SuffixFile::parse(&text).map_err(|source| ConfigError::Suffixes { source })?;
    Ok(Discovery::TreeWalkThenPsl(Arc::new(list)))
}

pub(super) fn reports(
    options: &ConfigOptions,
    host: &Domain,
) -> Result<ReportSettings, ConfigError> {
    let spool = &options.spool_directory;
    let text = match &options.dmarc_forensic_sender {
        Some(text) => text.clone(),
        None => format!("do-not-reply@{host}"),
    };
    Ok(ReportSettings {
        rows: (!options.dmarc_report_keep.0.is_zero()).then(|| spool.join("dmarc.sqlite")),
        keep: options.dmarc_report_keep.0,
        history_file: options.dmarc_history_file.clone(),
        outbox: spool.join("outbox"),
        forensic_sender: checks::mailbox("dmarc_forensic_sender", &text)?,
    })
}
