//! Exim's own variables: their values in `expand` and in Exim.

use std::collections::BTreeMap;

use serde_json::Value;

use super::comparison::{exim, is_exim_there};
use super::objects;
use crate::program::output_of;

/// The variables of Exim 4.96, one of each numbered kind, and some that it does not know.
const NAMES: &str = include_str!("variables.txt");

/// Values of an installation, and values that differ from one process to another.
const OWN: &[&str] = &[
    "compile_date",
    "compile_number",
    "config_dir",
    "config_file",
    "exim_gid",
    "exim_path",
    "exim_uid",
    "load_average",
    "log_inodes",
    "log_space",
    "pid",
    "spool_directory",
    "spool_inodes",
    "spool_space",
    // The name of the host, which an option gives to Exim here.
    "authenticated_sender",
    "primary_hostname",
    "qualify_domain",
    "qualify_recipient",
    "sender_address",
    "sender_address_domain",
    "smtp_active_hostname",
];

/// One result of Exim for each string.
fn in_exim(strings: &[String]) -> Vec<String> {
    let output = output_of(&mut exim(), (strings.join("\n") + "\n").as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    let found: Vec<_> =
        text.lines().map(|line| line.strip_prefix("> ").unwrap_or(line).to_owned()).collect();
    found.get(..strings.len()).unwrap().to_vec()
}

fn in_expand(strings: &[String]) -> Vec<Value> {
    objects(&[], (strings.join("\n") + "\n").as_bytes())
}

/// The value; empty for a variable that is not set.
fn compared(ours: &Value, theirs: &str) -> bool {
    match ours["value"].as_str() {
        Some(value) => value == theirs,
        None => theirs.starts_with("Failed: "),
    }
}

#[test]
fn variables_have_the_values_of_exim() {
    if !is_exim_there() {
        return;
    }
    let names: Vec<_> = NAMES.lines().filter(|name| !name.starts_with("tod_")).collect();
    let strings: Vec<_> = names.iter().map(|name| format!("${name}")).collect();
    let (theirs, ours) = (in_exim(&strings), in_expand(&strings));
    let mut differ = BTreeMap::new();
    for ((name, theirs), ours) in names.iter().zip(&theirs).zip(&ours) {
        if !OWN.contains(name) && !compared(ours, theirs) {
            differ.insert(name, (theirs, ours));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
    assert!(names.len() > 250, "{}", names.len());
    // These are known, and of the same kind.
    for name in OWN {
        let ours = &in_expand(&[format!("${name}")])[0];
        assert!(ours["value"].is_string(), "{name}: {ours}");
    }
}

/// The digits of a text as 9: of the time only the form can be compared, but for its date.
fn form(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect()
}

#[test]
fn times_are_written_as_exim_writes_them() {
    if !is_exim_there() {
        return;
    }
    let names: Vec<_> = NAMES.lines().filter(|name| name.starts_with("tod_")).collect();
    assert_eq!(names.len(), 8);
    let strings: Vec<_> = names.iter().map(|name| format!("${name}")).collect();
    // Midnight may come between two runs.
    let is_same = || {
        let (theirs, ours) = (in_exim(&strings), in_expand(&strings));
        names.iter().zip(theirs.iter().zip(&ours)).all(|(name, (theirs, ours))| {
            let ours = ours["value"].as_str().unwrap();
            let is_date = ["tod_logfile", "tod_zone"].contains(name);
            assert_eq!(form(theirs), form(ours), "{name}");
            // The date, and the hour unless it has just ended.
            let lead = if *name == "tod_full" { 16 } else { 8 };
            is_date && theirs == ours || !is_date && theirs.get(..lead) == ours.get(..lead)
        })
    };
    assert!((0..3).any(|_| is_same()));
}

/// Strings whose result is the same in each process.
const STRINGS: &[&str] = &[
    "${hash_3:abcdef}",
    "${hash{5}{62}{the text}}",
    "${nhash_100:abcdef}",
    "${randint:1}${randint:0}${randint: 1 }",
    "${randint:-1}",
    "${randint:x}",
    "${prvs{ann@a.example}{secret}}",
    "${prvs{ann@a.example}{secret}{7}}",
    "${prvs{ann@a.example}{secret}{77}}",
    "${prvs{ann}{secret}}",
    "${prvs{@a.example}{secret}}",
    "${prvscheck{${prvs{ann@a.example}{secret}{2}}}{secret}}",
    "${prvscheck{ann@a.example}{secret}}",
    "${srs_encode{secret}{Ann@A.example}{b.example}}",
    "${srs_encode{secret}{}{b.example}}",
    "${if inbound_srs{${local_part:${srs_encode{secret}{ann@a.example}{b.example}}}}{secret}{y}{n}}",
    "${if inbound_srs{${local_part:${srs_encode{secret}{ann@a.example}{b.example}}}}{other}{y}{n}}",
    "${if inbound_srs{${local_part:${srs_encode{secret}{ann@a.example}{b.example}}}}{}{y}{n}}",
    "${if inbound_srs{SRS0=abcd=aa=a.example=ann}{secret}{y}{n}}",
    "${if inbound_srs{ann}{secret}{y}{n}}",
    "${if def:sender_host_address{y}{n}}",
    "${if ={$message_size}{0}{y}{n}}",
    "${if bool{$proxy_session}{y}{n}}",
    "$sender_address_local_part",
];

#[test]
fn clock_and_random_numbers_are_those_of_exim() {
    if !is_exim_there() {
        return;
    }
    let strings: Vec<_> = STRINGS.iter().map(|string| (*string).to_owned()).collect();
    // A day may end between two runs.
    let differ = || -> Vec<_> {
        let (theirs, ours) = (in_exim(&strings), in_expand(&strings));
        let pairs = strings.iter().zip(theirs.into_iter().zip(ours));
        pairs
            .filter(|(_, (theirs, ours))| !compared(ours, theirs))
            .map(|(s, p)| format!("{s}: {p:?}"))
            .collect()
    };
    let first = differ();
    assert!(first.is_empty() || differ().is_empty(), "{first:#?}");
}

#[test]
fn random_numbers_are_below_their_limit() {
    let strings = vec!["${randint:3}".to_owned(); 200];
    let mut found: Vec<_> = in_expand(&strings)
        .iter()
        .map(|found| found["value"].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    found.dedup();
    assert_eq!(found, ["0", "1", "2"]);
}
