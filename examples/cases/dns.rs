//! The DNS answers in a case, so that it can be replayed anywhere.

use std::sync::Arc;

use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, Name, Question, RecordType, Records, Zone,
};
use serde::{Deserialize, Serialize};

/// The known answer to one question.
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
    /// Writes down answers that came. An alias is an entry of its own, which leads to the end of its chain.
    pub fn record(answers: &[(Question, Arc<Answer>)]) -> Vec<Self> {
        let mut entries: Vec<_> = aliases(answers).iter().map(Alias::entry).collect();
        for (question, answer) in answers {
            let entry = |name: &Name, security: DnssecStatus| Self {
                security: (security != DnssecStatus::Indeterminate).then(|| security.to_string()),
                ..Self::empty(name, question.kind)
            };
            let entry = match &**answer {
                Answer::Records { records: Records::Cname(_), .. } => continue,
                Answer::Records { records, canonical, security, .. } => {
                    let data = records.presentation().into_iter().map(Data::One).collect();
                    Self { records: Some(data), ..entry(canonical, *security) }
                }
                Answer::Absent { exists, security, .. } => {
                    let word = if *exists { "nodata" } else { "nxdomain" };
                    Self { failure: Some(word.to_owned()), ..entry(&question.name, *security) }
                }
                Answer::Failed(failure) => Self {
                    failure: Some(failure.to_string()),
                    ..entry(&question.name, DnssecStatus::default())
                },
            };
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        entries
    }

    fn empty(name: &Name, kind: RecordType) -> Self {
        let (records, failure, security) = (None, None, None);
        Self { name: name.to_string(), kind: kind.to_string(), records, failure, security }
    }
}

/// An alias, from a question for itself or from the answer to another.
struct Alias<'a> {
    name: &'a Name,
    target: &'a Name,
    security: DnssecStatus,
    is_asked: bool,
}

impl Alias<'_> {
    fn entry(&self) -> DnsEntry {
        let security = self.security;
        DnsEntry {
            records: Some(vec![Data::One(self.target.to_string())]),
            security: (security != DnssecStatus::Indeterminate).then(|| security.to_string()),
            ..DnsEntry::empty(self.name, RecordType::Cname)
        }
    }
}

/// Finds each alias once. The answer to a question for an alias tells its own status; that of another
/// question is the worst of all its links, and tells where the chain ends.
fn aliases(answers: &[(Question, Arc<Answer>)]) -> Vec<Alias<'_>> {
    let mut found: Vec<Alias<'_>> = Vec::new();
    for (Question { name, .. }, answer) in answers {
        let Answer::Records { records, canonical, security, .. } = &**answer else { continue };
        let (target, security, is_asked) = match records {
            Records::Cname(target) => (target, *security, true),
            _ if canonical != name => (canonical, *security, false),
            _ => continue,
        };
        match found.iter_mut().find(|alias| alias.name == name) {
            None => found.push(Alias { name, target, security, is_asked }),
            Some(known) if is_asked => (known.security, known.is_asked) = (security, true),
            Some(known) if known.is_asked => known.target = target,
            Some(known) => known.security = known.security.max(security),
        }
    }
    found
}

/// Makes a zone of entries.
///
/// # Errors
///
/// The first fault and its entry, for people.
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
            let failure = failure
                .parse::<DnsFailure>()
                .map_err(|error| format!("{error}; or nodata or nxdomain"))?;
            Answer::Failed(failure)
        }
        _ => return Err("either records or a failure".to_owned()),
    };
    zone.set(Question::new(name, kind), answer);
    Ok(())
}
