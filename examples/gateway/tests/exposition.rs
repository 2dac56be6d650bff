//! A strict reader of pages of metrics, and the rules that `promtool check metrics` has for them.
//!
//! Sources: <https://prometheus.io/docs/specs/om/open_metrics_spec/>, the ABNF and "Overall Structure", and
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>, "Text-based format".

use std::collections::{BTreeMap, BTreeSet};

use crate::gateway::telemetry::metrics::page::Form;

/// A family of a page.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) name: String,
    help: String,
    pub(super) kind: String,
    unit: Option<String>,
    pub(super) samples: Vec<Sample>,
}

/// A number, its labels in the form `{a="b",c="d"}`.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// Reads a page; an error names the line.
pub(super) fn parse(page: &str, form: Form) -> Result<Vec<Parsed>, String> {
    let body = match form {
        Form::OpenMetrics => page.strip_suffix("# EOF\n").ok_or("no # EOF at the end")?,
        Form::Prometheus => page,
    };
    let mut families: Vec<Parsed> = Vec::new();
    let mut series = BTreeSet::new();
    for line in body.split_inclusive('\n') {
        let bad = |what: &str| format!("{what}: {line:?}");
        let text = line.strip_suffix('\n').ok_or_else(|| bad("no line feed"))?;
        if let Some(rest) = text.strip_prefix("# ") {
            metadata(rest, &mut families, form).map_err(|what| bad(&what))?;
            continue;
        }
        let sample = sample(text).map_err(|what| bad(&what))?;
        let family = families.last_mut().ok_or_else(|| bad("no family"))?;
        let suffix = sample.name.strip_prefix(&family.name);
        let suffix = suffix.filter(|suffix| suffixes(&family.kind, form).contains(suffix));
        let suffix = suffix.ok_or_else(|| bad("a name of another family"))?;
        if (suffix == "_bucket") != sample.labels.contains_key("le") {
            return Err(bad("le is for buckets"));
        }
        if !series.insert(format!("{}{:?}", sample.name, sample.labels)) {
            return Err(bad("a duplicate"));
        }
        if sample.value.is_nan() || sample.value < 0.0 {
            return Err(bad("not a number of things"));
        }
        family.samples.push(sample);
    }
    families.iter().try_for_each(buckets)?;
    Ok(families)
}

/// Reads HELP, TYPE or UNIT. Each is there once, before the numbers, and those of a family are together.
fn metadata(rest: &str, families: &mut Vec<Parsed>, form: Form) -> Result<(), String> {
    let (word, rest) = rest.split_once(' ').ok_or("no metadata")?;
    let (name, text) = rest.split_once(' ').ok_or("no name")?;
    if !is_name(name) {
        return Err("not a name".into());
    }
    if word == "HELP" {
        if families.iter().any(|family| family.name == name) {
            return Err("a second HELP".into());
        }
        let (name, help) = (name.to_owned(), text.to_owned());
        let (kind, unit, samples) = (String::new(), None, Vec::new());
        families.push(Parsed { name, help, kind, unit, samples });
        return Ok(());
    }
    let family = families.last_mut().filter(|family| family.name == name);
    let family = family.filter(|family| family.samples.is_empty()).ok_or("out of place")?;
    match word {
        "TYPE" if family.kind.is_empty() && ["counter", "gauge", "histogram"].contains(&text) => {
            text.clone_into(&mut family.kind);
        }
        "UNIT" if form == Form::OpenMetrics && name.ends_with(&format!("_{text}")) => {
            family.unit = Some(text.to_owned());
        }
        _ => return Err("invalid metadata".into()),
    }
    Ok(())
}

fn suffixes(kind: &str, form: Form) -> &'static [&'static str] {
    match (kind, form) {
        ("counter", Form::OpenMetrics) => &["_total"],
        ("histogram", _) => &["_bucket", "_sum", "_count"],
        ("counter" | "gauge", _) => &[""],
        _ => &[],
    }
}

fn sample(text: &str) -> Result<Sample, String> {
    let at = text.find(['{', ' ']).ok_or("no value")?;
    let (name, mut rest) = text.split_at(at);
    let mut labels = BTreeMap::new();
    if let Some(mut inner) = rest.strip_prefix('{') {
        while !inner.starts_with('}') {
            let (label, behind) = inner.split_once("=\"").ok_or("no label")?;
            let (value, behind) = quoted(behind)?;
            if !is_name(label) || label.contains(':') || labels.contains_key(label) {
                return Err("invalid label".into());
            }
            labels.insert(label.to_owned(), value);
            inner = match behind.strip_prefix(',') {
                Some(more) if !more.starts_with('}') => more,
                None if behind.starts_with('}') => behind,
                _ => return Err("no comma".into()),
            };
        }
        if labels.is_empty() {
            return Err("no labels".into());
        }
        rest = inner.strip_prefix('}').ok_or("no brace")?;
    }
    let value = rest.strip_prefix(' ').ok_or("no blank")?;
    let is_number = |c: char| c.is_ascii_digit() || "+-.einfINF".contains(c);
    let value = Some(value).filter(|value| !value.is_empty() && value.chars().all(is_number));
    let value = value.and_then(|value| value.parse().ok()).ok_or("no number")?;
    if !is_name(name) {
        return Err("not a name".into());
    }
    Ok(Sample { name: name.to_owned(), labels, value })
}

/// Reads up to the closing quote; returns what is behind it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, c @ ('\\' | '"'))) => value.push(c),
                _ => return Err("invalid escape".into()),
            },
            c => value.push(c),
        }
    }
    Err("no closing quote".into())
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|c| c.is_ascii_alphabetic() || b"_:".contains(&c));
    starts && bytes.all(|c| c.is_ascii_alphanumeric() || b"_:".contains(&c))
}

/// Bounds with their numbers, the number of all, and whether there is a sum.
type Buckets = (Vec<(f64, f64)>, Option<f64>, bool);

/// The bounds of buckets rise, and so do their numbers; the last bound is infinite, and has all.
fn buckets(family: &Parsed) -> Result<(), String> {
    if family.kind != "histogram" {
        return Ok(());
    }
    let mut series: BTreeMap<_, Buckets> = BTreeMap::new();
    for sample in &family.samples {
        let mut labels = sample.labels.clone();
        let bound = labels.remove("le");
        let entry = series.entry(labels).or_default();
        match bound {
            Some(bound) => {
                let bound = bound.parse().map_err(|_| format!("{bound} is no bound"))?;
                entry.0.push((bound, sample.value));
            }
            None if sample.name.ends_with("_count") => entry.1 = Some(sample.value),
            None => entry.2 = true,
        }
    }
    for (labels, (buckets, count, has_sum)) in &series {
        let rises = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let last = buckets
            .last()
            .is_some_and(|(bound, value)| bound.is_infinite() && Some(*value) == *count);
        if !rises || !last || !has_sum {
            return Err(format!("{}{labels:?}: invalid histogram {buckets:?}", family.name));
        }
    }
    Ok(())
}

/// The rules of `promtool check metrics`, and of this program: what is wrong with a family.
pub(super) fn faults(family: &Parsed, form: Form) -> Vec<&'static str> {
    let Parsed { name, help, kind, unit, samples } = family;
    let total = name.ends_with("_total");
    let mut words: Vec<_> = name.split('_').collect();
    if total {
        words.pop();
    }
    let is_unit = |word: &&str| ["seconds", "bytes"].contains(word);
    let others = [
        "milliseconds",
        "microseconds",
        "minutes",
        "hours",
        "days",
        "kilobytes",
        "bits",
        "octets",
        "percent",
        "s",
        "ms",
        "us",
        "ns",
        "sec",
        "b",
        "kb",
        "mb",
        "m",
        "h",
        "d",
    ];
    let reserved = ["counter", "gauge", "histogram", "summary", "sum", "count", "bucket"];
    let label = |check: &dyn Fn(&str) -> bool| {
        samples.iter().flat_map(|sample| sample.labels.keys()).any(|label| check(label))
    };
    [
        ("no help", help.is_empty() || !help.ends_with('.')),
        ("no type", kind.is_empty()),
        ("another prefix", words.first() != Some(&"gateway") || words.len() < 2),
        ("not in snake case", name.chars().any(|c| !c.is_ascii_lowercase() && c != '_')),
        ("_total is for counters", total != (kind == "counter" && form == Form::Prometheus)),
        ("a unit that is no base unit", words.iter().any(|word| others.contains(word))),
        ("a unit that is not at the end", words.iter().rev().skip(1).any(is_unit)),
        (
            "a unit that is not declared",
            form == Form::OpenMetrics && words.last().copied().filter(is_unit) != unit.as_deref(),
        ),
        ("a type in the name", words.iter().any(|word| reserved.contains(word))),
        (
            "le or quantile",
            label(&|label| label == "quantile" || kind != "histogram" && label == "le"),
        ),
        (
            "a label not in snake case",
            label(&|label| !label.bytes().all(|c| c.is_ascii_lowercase() || c == b'_')),
        ),
    ]
    .into_iter()
    .filter_map(|(fault, is_so)| is_so.then_some(fault))
    .collect()
}

/// The number with these labels, `NAME{LABEL="WORD",…}` with all its labels in the order of the alphabet.
pub(super) fn value(families: &[Parsed], wanted: &str) -> Option<f64> {
    let samples = families.iter().flat_map(|family| &family.samples);
    samples.into_iter().find(|sample| sample.shown() == wanted).map(|sample| sample.value)
}

impl Sample {
    fn shown(&self) -> String {
        let labels = self.labels.iter().map(|(label, word)| format!("{label}=\"{word}\""));
        let labels = labels.collect::<Vec<_>>().join(",");
        if labels.is_empty() { self.name.clone() } else { format!("{}{{{labels}}}", self.name) }
    }
}
