//! The rows of `data/exim-rows.json`.

use mail_types::exim::{Query, Trust};
use redis_lookup::{Command, CommandError, LookupOutcome, Mode, Options};
use serde_json::Value;

/// A query with its expected outcomes.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) number: u64,
    pub(crate) query: Query,
    pub(crate) servers: Option<String>,
    pub(crate) original: String,
    pub(crate) note: Option<String>,
    fields: Value,
}

/// The expected outcome of a row.
#[derive(Debug, PartialEq)]
pub(crate) enum Expected {
    Found(Vec<u8>),
    NotFound,
    /// This many lines in any order.
    Lines(usize),
    /// An error of the server that begins so.
    Deferred(String),
    /// No connection, for a reason with this in it.
    Unreachable(String),
    /// An error of the command.
    Refused(String),
    /// An error of the list of servers.
    Servers(String),
}

/// The list that the rows with `servers` pick from.
pub(crate) const SERVERS: &str = "127.0.0.1::16379/10/";

pub(crate) fn rows() -> Vec<Row> {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../data/exim-rows.json")).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let rows = rows.into_iter().map(|fields| {
        let mut query = Query::default();
        for segment in fields["query"].as_array().unwrap() {
            if let Some(literal) = segment.as_str() {
                query.push_literal(literal.as_bytes());
            } else {
                let value = segment["value"].as_str().unwrap().as_bytes();
                query.push_quoted(value, Trust::Untrusted, "redis");
            }
        }
        Row {
            number: fields["number"].as_u64().unwrap(),
            query,
            servers: text(&fields["servers"]),
            original: text(&fields["original"]).unwrap(),
            note: text(&fields["note"]),
            fields,
        }
    });
    rows.collect()
}

pub(crate) fn options(mode: Mode) -> Options {
    let commands = ["CONFIG GET", "DEBUG OBJECT", "NOSUCHCMD", "BADCMD"];
    let commands = commands.map(str::to_owned).to_vec();
    Options::default().with_mode(mode).with_writes(true).with_commands(commands)
}

impl Row {
    pub(crate) fn command(&self, mode: Mode) -> Result<Command, CommandError> {
        Command::new_with(&self.query, &options(mode))
    }

    /// The recorded reply of the server, if the row has one.
    pub(crate) fn reply(&self, mode: Mode) -> Option<Vec<u8>> {
        let reply = match (&self.fields["reply_plain"], mode) {
            (Value::String(reply), Mode::Plain) => reply,
            _ => self.fields["reply"].as_str()?,
        };
        Some(reply.chars().map(|c| u8::try_from(c).unwrap()).collect())
    }

    pub(crate) fn expected(&self, mode: Mode) -> Expected {
        let outcome = &self.fields[if mode == Mode::Plain { "plain" } else { "exim" }];
        if outcome == "not found" {
            return Expected::NotFound;
        }
        let (name, value) = outcome.as_object().unwrap().iter().next().unwrap();
        let text = || value.as_str().unwrap().to_owned();
        match name.as_str() {
            "found" => Expected::Found(text().into_bytes()),
            "lines" => Expected::Lines(usize::try_from(value.as_u64().unwrap()).unwrap()),
            "deferred" => Expected::Deferred(text()),
            "unreachable" => Expected::Unreachable(text()),
            "refused" => Expected::Refused(text()),
            "servers" => Expected::Servers(text()),
            name => panic!("{name}"),
        }
    }
}

impl Expected {
    pub(crate) fn is_met_by(&self, outcome: &LookupOutcome) -> bool {
        let shown = outcome.to_string();
        match (self, outcome) {
            (Self::Found(text), LookupOutcome::Found(found)) => text == found,
            (Self::NotFound, LookupOutcome::NotFound) => true,
            (Self::Lines(count), LookupOutcome::Found(found)) => {
                found.split(|b| *b == b'\n').count() == *count
            }
            (Self::Deferred(text), LookupOutcome::Deferred(_)) => {
                shown.starts_with(&format!("deferred: the server answered {}", text.trim_end()))
            }
            (Self::Unreachable(text), LookupOutcome::Deferred(_)) => {
                shown.contains("cannot be reached") && shown.contains(text)
            }
            _ => false,
        }
    }
}

/// The text that the original printed, as an outcome.
pub(crate) fn printed(original: &str) -> Option<Expected> {
    let found = original.strip_prefix("OK<").and_then(|text| text.strip_suffix('>'));
    match (original, found) {
        ("NO", _) => Some(Expected::NotFound),
        (_, Some(found)) => Some(Expected::Found(found.as_bytes().to_vec())),
        _ => None,
    }
}
