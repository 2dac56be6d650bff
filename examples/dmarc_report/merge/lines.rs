//! One merged row in each line: as JSON, and as CSV (RFC 4180).

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

use examples::cases::shown::Done;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::texts::Texts;
use super::{Fact, Merge, Sums};
use crate::case::{day_text, moment};
use crate::input::failure::Failure;

/// A merged row, or a failure report.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line<'m> {
    Row {
        day: u32,
        domain: &'m str,
        source: IpAddr,
        reporter: &'m str,
        sums: &'m Sums,
        texts: &'m Texts,
    },
    Failure {
        file: &'m str,
        failure: &'m Failure,
    },
}

/// All lines; they are sorted only if they are written.
#[derive(Debug)]
pub(crate) struct Rows<'m>(pub(super) &'m Merge);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(lines(self.0))
    }
}

/// Returns the lines, by domain, day, reporter and source; failure reports come last.
fn lines(merge: &Merge) -> Vec<Line<'_>> {
    let texts = &merge.texts;
    let mut rows: Vec<_> = merge.rows.iter().collect();
    rows.sort_unstable_by(|(one, _), (other, _)| {
        let order = texts.text(one.domain).cmp(texts.text(other.domain));
        let order = order.then(one.day.cmp(&other.day));
        let order = order.then_with(|| texts.text(one.reporter).cmp(texts.text(other.reporter)));
        order.then(one.source.cmp(&other.source))
    });
    let rows = rows.into_iter().map(|(key, sums)| Line::Row {
        day: key.day,
        domain: texts.text(key.domain),
        source: key.source,
        reporter: texts.text(key.reporter),
        sums,
        texts,
    });
    let failures = merge.failures.iter().map(|(file, failure)| Line::Failure { file, failure });
    rows.chain(failures).collect()
}

impl Sums {
    /// The columns of numbers.
    pub(super) fn counts(&self) -> [(&'static str, u64); 7] {
        [
            ("messages", self.messages),
            ("passed", self.passed),
            ("failed", self.failed()),
            ("dkim", self.dkim),
            ("spf", self.spf),
            ("quarantine", self.quarantine),
            ("reject", self.reject),
        ]
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match *self {
            Line::Row { day, domain, source, reporter, sums, texts } => {
                map.serialize_entry("kind", "aggregate")?;
                map.serialize_entry("day", &day_text(day))?;
                map.serialize_entry("domain", domain)?;
                map.serialize_entry("source", &source)?;
                map.serialize_entry("reporter", reporter)?;
                for (name, count) in sums.counts() {
                    map.serialize_entry(name, &count)?;
                }
                for fact in Fact::ALL {
                    map.serialize_entry(fact.name(), &sums.facts.shown(fact, texts))?;
                }
                if sums.facts.others > 0 {
                    map.serialize_entry("other_facts", &sums.facts.others)?;
                }
            }
            Line::Failure { file, failure } => {
                map.serialize_entry("kind", "failure")?;
                map.serialize_entry("file", file)?;
                map.serialize_entry("arrival", &failure.arrival.map(moment))?;
                map.serialize_entry("failure", failure)?;
            }
        }
        map.end()
    }
}

/// Writes one JSON object a line.
pub(crate) fn write_ndjson(merge: &Merge, out: &mut impl Write) -> Done {
    for line in lines(merge) {
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes a table with a head.
pub(crate) fn write_csv(merge: &Merge, out: &mut impl Write) -> io::Result<()> {
    let counts = Sums::default().counts().map(|(name, _)| name);
    let facts = Fact::ALL.map(Fact::name);
    let head = ["kind", "day", "domain", "source", "reporter"];
    let more = ["arrival", "auth_failure", "identity_alignment", "delivery_result"];
    let all = [&head[..], &counts, &facts, &more].concat();
    write_record(out, all.into_iter().map(str::to_owned))?;
    for line in lines(merge) {
        match line {
            Line::Row { day, domain, source, reporter, sums, texts } => {
                let head = ["aggregate".to_owned(), day_text(day), domain.to_owned()];
                let head = head.into_iter().chain([source.to_string(), reporter.to_owned()]);
                let counts = sums.counts().map(|(_, count)| count.to_string());
                let facts = Fact::ALL.map(|fact| {
                    let mut text = String::new();
                    for shown in sums.facts.shown(fact, texts) {
                        text.push_str(if text.is_empty() { "" } else { "; " });
                        let _ = write!(text, "{shown} ({})", shown.count);
                    }
                    text
                });
                let more = more.map(|_| String::new());
                write_record(out, head.chain(counts).chain(facts).chain(more))?;
            }
            Line::Failure { failure, .. } => write_record(out, failure_cells(failure))?,
        }
    }
    Ok(())
}

/// The cells of a failure report; its messages have failed, and count in no sum of the rows.
fn failure_cells(failure: &Failure) -> impl Iterator<Item = String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let arrival = failure.arrival.map(moment).unwrap_or_default();
    let day = arrival.split('T').next().unwrap_or_default().to_owned();
    let count = failure.incidents.to_string();
    let none = String::new;
    let signature = [&failure.dkim_domain, &failure.dkim_selector].map(text).join(" ");
    let cells = vec![
        "failure".to_owned(),
        day,
        text(&failure.domain),
        failure.source.map(|source| source.to_string()).unwrap_or_default(),
        text(&failure.reporter),
        count.clone(),
        "0".to_owned(),
        count,
        none(),
        none(),
        none(),
        none(),
        none(),
        signature.trim().to_owned(),
        text(&failure.spf_dns),
        text(&failure.envelope_from),
        text(&failure.header_from),
        arrival,
        text(&failure.auth_failure),
        text(&failure.identity_alignment),
        text(&failure.delivery_result),
    ];
    cells.into_iter()
}

fn write_record(out: &mut impl Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let mut record = String::new();
    for (at, cell) in cells.enumerate() {
        record.push_str(if at > 0 { "," } else { "" });
        push_cell(&mut record, &cell);
    }
    record.push_str("\r\n");
    out.write_all(record.as_bytes())
}

/// A spreadsheet must not take a text of a peer for a formula: an apostrophe makes it a text.
fn push_cell(record: &mut String, cell: &str) {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let guard = if is_formula { "'" } else { "" };
    if is_formula || cell.contains(['"', ',', ';', '\n', '\r', ' ']) {
        record.extend(["\"", guard, &cell.replace('"', "\"\""), "\""]);
    } else {
        record.push_str(cell);
    }
}
