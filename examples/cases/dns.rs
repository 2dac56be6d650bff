//! The DNS answers in a case, so that it can be replayed anywhere.

use std::sync::Arc;

use mail_types::dns::{Answer, DnsFailure, DnssecStatus, Name, Question, RecordType, Zone};
use serde::{Deserialize, Serialize};

/// What is known of one question.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DnsEntry {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    records: Option<Vec<Data>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    security: Option<String>,
}

/// A record in presentation form; a TXT record may be a list of its strings.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
enum Data {
    One(String),
    Strings(Vec<String>),
}

impl DnsEntry {
    /// Writes down answers that came. An alias is an entry of its own.
    pub fn record(answers: &[(Question, Arc<Answer>)]) -> Vec<Self> {
        let mut entries = Vec::new();
        for (question, answer) in answers {
            let entry = |name: &Name, kind: RecordType, security: DnssecStatus| Self {
                name: name.to_string(),
                kind: kind.to_string(),
                records: None,
                failure: None,
                security: (security != DnssecStatus::Indeterminate).then(|| security.to_string()),
            };
            let mut add = |entry: Self| {
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            };
            match &**answer {
                Answer::Records { records, canonical, security, .. } => {
                    if *canonical != question.name {
                        let alias = vec![Data::One(canonical.to_string())];
                        let entry = entry(&question.name, RecordType::Cname, *security);
                        add(Self { records: Some(alias), ..entry });
                    }
                    let data = records.presentation().into_iter().map(Data::One).collect();
                    let entry = entry(canonical, question.kind, *security);
                    add(Self { records: Some(data), ..entry });
                }
                Answer::Absent { exists, security, .. } => {
                    let word = if *exists { "nodata" } else { "nxdomain" };
                    let entry = entry(&question.name, question.kind, *security);
                    add(Self { failure: Some(word.to_owned()), ..entry });
                }
                Answer::Failed(failure) => {
                    let entry = entry(&question.name, question.kind, DnssecStatus::default());
                    add(Self { failure: Some(failure.to_string()), ..entry });
                }
            }
        }
        entries
    }
}

/// Makes a zone of entries.
///
/// # Errors
///
/// What is wrong with which, for people.
pub fn zone(entries: &[DnsEntry]) -> Result<Zone, String> {
    let mut zone = Zone::default();
    for entry in entries {
        add(&mut zone, entry)
            .map_err(|error| format!("dns entry {} {}: {error}", entry.name, entry.kind))?;
    }
    Ok(zone)
}

fn add(zone: &mut Zone, entry: &DnsEntry) -> Result<(), String> {
    let name: Name = entry.name.parse().map_err(|error| format!("{error}"))?;
    let kind: RecordType = entry.kind.parse().map_err(|error| format!("{error}"))?;
    let security = entry.security.as_deref().map_or(Ok(DnssecStatus::default()), str::parse);
    let security = security.map_err(|error| format!("{error}"))?;
    let absent = |exists| Answer::Absent { exists, security, ttl: Zone::TTL };
    let answer = match (entry.failure.as_deref(), &entry.records) {
        (None, Some(records)) => {
            for data in records {
                let data = match data {
                    Data::One(text) => text.clone(),
                    Data::Strings(strings) => strings.concat(),
                };
                let added = zone.add(name.clone(), kind, &data, security);
                added.map_err(|error| error.to_string())?;
            }
            return Ok(());
        }
        (Some("nodata"), None) => absent(true),
        (Some("nxdomain"), None) => absent(false),
        (Some(failure), None) => {
            let failure = failure.parse::<DnsFailure>().map_err(|error| error.to_string())?;
            Answer::Failed(failure)
        }
        _ => return Err("either records or a failure".to_owned()),
    };
    zone.set(Question::new(name, kind), answer);
    Ok(())
}
