//! Reads suites of cases: groups of a zone and the tests on it.

use std::net::IpAddr;

use mail_types::dns::{Answer, DnsFailure, DnssecStatus, Name, Question, RecordType, Zone};
use serde_json::Value;

/// A zone and the tests on it.
pub(crate) struct Group {
    pub(crate) zone: Zone,
    pub(crate) tests: Vec<Case>,
}

/// A test, and the results that are right, the preferred one first.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) client: IpAddr,
    pub(crate) helo: String,
    pub(crate) mail_from: String,
    pub(crate) results: Vec<String>,
    pub(crate) explanation: Option<String>,
}

impl Group {
    pub(crate) fn new(group: &Value) -> Self {
        let mut zone = Zone::default();
        for (name, entries) in group["zone"].as_object().unwrap() {
            add(&mut zone, name, entries.as_array().unwrap());
        }
        let tests = group["tests"].as_array().unwrap().iter().map(Case::new).collect();
        Self { zone, tests }
    }
}

impl Case {
    fn new(test: &Value) -> Self {
        let field = |key: &str| test[key].as_str().unwrap_or_default().to_owned();
        let results = test["result"].as_array().unwrap().iter();
        Self {
            name: field("name"),
            client: field("host").parse().unwrap(),
            helo: field("helo"),
            mail_from: field("mailfrom"),
            results: results.map(|word| word.as_str().unwrap().to_owned()).collect(),
            explanation: test["explanation"].as_str().map(str::to_owned),
        }
    }
}

fn add(zone: &mut Zone, name: &str, entries: &[Value]) {
    let name: Name = name.parse().unwrap();
    let mut timeout = false;
    let mut answered = Vec::new();
    for entry in entries {
        let (kind, value) = (entry[0].as_str().unwrap(), &entry[1]);
        let Ok(kind) = kind.parse::<RecordType>() else {
            timeout |= kind == "TIMEOUT"; // Others are not asked for.
            continue;
        };
        let data = match value {
            Value::String(text) => text.clone(),
            Value::Array(parts) if kind == RecordType::Txt => parts.iter().map(escaped).collect(),
            Value::Array(parts) => match parts[1].as_str() {
                Some("") => format!("{} .", parts[0]),
                host => format!("{} {}", parts[0], host.unwrap()),
            },
            other => panic!("{name}: {other}"),
        };
        zone.add(name.clone(), kind, &data, DnssecStatus::Indeterminate).unwrap();
        answered.push(kind);
    }
    // A type that has records is answered even so.
    for kind in RecordType::ALL.into_iter().filter(|kind| timeout && !answered.contains(kind)) {
        let question = Question::new(name.clone(), kind);
        zone.set(question, Answer::Failed(DnsFailure::Timeout));
    }
}

/// Characters are octets.
fn escaped(text: &Value) -> String {
    let octet = |c: char| match c {
        '\\' => "\\\\".to_owned(),
        ' '..='~' => c.to_string(),
        _ => format!("\\{:03}", u32::from(c)),
    };
    text.as_str().unwrap().chars().map(octet).collect()
}
