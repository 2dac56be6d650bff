//! `--help` and the page of options are complete and correct.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor, value};
use serde::forward_to_deserialize_any;

use crate::gateway::config::RemoteOptions;
use crate::gateway::config::events::EventOptions;
use crate::gateway::config::manual::{ManualOption, rows as manual_rows};
use crate::gateway::config::{Config, ConfigOptions};
use crate::gateway::config::{help, print_config};
use crate::gateway::events::settings::TRANSPORTS;
use crate::gateway::policy::condition::KINDS;
use crate::gateway::policy::rule::Verb;
use crate::gateway::policy::rule_step::MODIFIERS;
use crate::gateway::policy::stage::Stage;

const PAGE: &str = include_str!("../README.md");

/// The rows of the page: the name of an option, its type and its default, if that is a value.
fn rows() -> Vec<(&'static str, &'static str, Option<&'static str>)> {
    let rows: Vec<_> = ManualOption::all().map(|row| (row.name, row.kind, row.value())).collect();
    assert_eq!(rows.len(), manual_rows("option").count());
    rows
}

/// Asks a type for the names of its fields.
struct Fields<'a>(&'a mut Vec<&'static str>);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
        Err(value::Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, value::Error> {
        self.0.extend(fields);
        Err(value::Error::custom("only the names"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields<T: for<'de> Deserialize<'de>>() -> Vec<&'static str> {
    let mut names = Vec::new();
    assert!(T::deserialize(Fields(&mut names)).is_err());
    names
}

/// The name of an option in its table.
fn in_remote_smtp(name: &str) -> &'static str {
    Box::leak(format!("remote_smtp.{name}").into_boxed_str())
}

/// All options by their names of today.
fn options() -> BTreeSet<&'static str> {
    let mut names: BTreeSet<_> = fields::<ConfigOptions>().into_iter().collect();
    assert!(names.remove("hosts_proxy"), "the other name of proxy_required_hosts");
    names.extend(fields::<EventOptions>());
    names.extend(fields::<RemoteOptions>().into_iter().map(in_remote_smtp));
    names.extend(["remote_smtp.event_action", "local_delivery.event_action"]);
    names.extend(Stage::ALL.map(Stage::option));
    names.extend(["acl", "macros"]);
    names
}

#[test]
fn the_page_has_every_option_once_and_no_other() {
    let rows = rows();
    let described: BTreeSet<_> = rows.iter().map(|(name, ..)| *name).collect();
    assert_eq!(described, options());
    assert_eq!(described.len(), rows.len());
    for (name, kind, _) in rows {
        let is_known = ["rules", "table"].contains(&kind) || PAGE.contains(&format!("\n| {kind} "));
        assert!(is_known, "{name} is of the type {kind}, which the page does not describe");
    }
}

/// A default that is all code is the value itself.
#[test]
fn the_defaults_of_the_page_are_those_of_the_program() {
    let default = format!("{:?}", Config::parse("").unwrap());
    let mut compared = 0;
    for (name, _, value) in rows() {
        let Some(value) = value else { continue };
        let config = Config::parse(&format!("{name} = {value}"));
        let config = config.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(format!("{config:?}"), default, "{name} = {value}");
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}

#[test]
fn the_printed_configuration_is_that_without_a_file() {
    let printed = print_config();
    let config = Config::parse(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::parse("").unwrap()));
    // Each option is there once, in its table, after one line that describes it.
    let lines: Vec<_> = printed.lines().collect();
    for option in ManualOption::all() {
        let name = option.name.rsplit('.').next().unwrap();
        let forms = match option.kind {
            "table" if TRANSPORTS.contains(&name) => [format!("[{name}]"), String::new()],
            "table" => [format!("# [{name}]"), String::new()],
            "rules" => [format!("# [[{name}]]"), String::new()],
            _ => [format!("{name} = "), format!("# {name} = default: ")],
        };
        let is_it = |line: &&&str| {
            forms.iter().any(|form| !form.is_empty() && line.starts_with(form.as_str()))
        };
        let places: Vec<_> = lines.iter().filter(is_it).collect();
        let twice =
            ["tls_verify_hosts", "tls_try_verify_hosts", "tls_verify_certificates", "tls_crl"];
        let expected = match name {
            "event_action" => 3,
            name if twice.contains(&name) => 2,
            _ => 1,
        };
        assert_eq!(places.len(), expected, "{name}: {places:?}");
    }
    let is_option = |line: &str| {
        let is_comment = line.starts_with('#') && !line.starts_with("# [");
        line.contains(" = default: ")
            || !is_comment && (line.contains(" = ") || line.contains("# ["))
    };
    for pair in lines.windows(2).filter(|pair| is_option(pair[1])) {
        assert!(pair[0].starts_with("# ") && !pair[0].contains(" = default: "), "{pair:?}");
    }
}

/// A name with a slip, in each kind of table, and one that is like none.
#[test]
fn an_unknown_name_is_told_the_nearest_one() {
    for (text, nearest) in [
        ("smpt_banner = ''", "; did you mean smtp_banner?"),
        ("acl_smpt_rcpt = []", "; did you mean acl_smtp_rcpt?"),
        ("event_actions = ''", "; did you mean event_action?"),
        ("host_list = {}", "; did you mean hostlist?"),
        ("[remote_smtp]\nhost_try_dane = ''", "; did you mean remote_smtp.hosts_try_dane?"),
        ("[remote-smtp]\nhosts_try_dane = ''", "; did you mean remote_smtp?"),
        ("[[acl_smtp_rcpt]]\nverb = 'deny'\nhost = '*'", "; did you mean hosts?"),
        ("[[acl_smtp_rcpt]]\nverb = 'deny'\nmesage = 'x'", "; did you mean message?"),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 1m / stict'",
            "; did you mean strict?",
        ),
        (
            "[[acl_smtp_rcpt]]\nverb = 'deny'\nratelimit = '5 / 1m / cuont=2'",
            "; did you mean count=?",
        ),
    ] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(error.contains(nearest), "{text}: {error}");
    }
    for text in ["zzz = 1", "[[acl_smtp_rcpt]]\nverb = 'deny'\nzzz = 'x'"] {
        let error = Config::parse(text).unwrap_err().to_string();
        assert!(!error.contains("did you mean"), "{text}: {error}");
    }
}

/// Of each option, a value that it cannot have.
#[test]
fn an_error_names_the_option_and_its_line() {
    for name in options() {
        let error = Config::parse(&format!("\n\n{name} = [1.5]\n")).unwrap_err().to_string();
        let named = error.strip_prefix("line 3: ").is_some_and(|error| error.contains(name));
        assert!(named, "{name}: {error}");
        assert!(!error.contains('\n'), "{name}: {error}");
    }
    for table in [
        "addresslist",
        "domainlist",
        "hostlist",
        "localpartlist",
        "macros",
        "remote_smtp",
        "local_delivery",
    ] {
        for (line, name) in [("event_action = 5", "event_action"), ("X = 5", "X"), ("x = 5", "x")] {
            let error = Config::parse(&format!("[{table}]\n\n{line}\n")).unwrap_err().to_string();
            let named = error.strip_prefix("line 3: ");
            let named = named.is_some_and(|error| error.contains(table) && error.contains(name));
            assert!(named, "{table} {line}: {error}");
        }
    }
}

#[test]
fn the_configuration_in_the_help_is_sound() {
    let lines = help().lines().filter_map(|line| line.strip_prefix("  "));
    let shown = |line: &&str| !line.starts_with(' ') && !line.is_empty();
    let lines: Vec<_> =
        lines.filter(shown).take_while(|line| !line.starts_with("verbs ")).collect();
    assert!(lines.len() > 30, "{lines:?}");
    let text = lines.join("\n");
    Config::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
}

#[test]
fn every_word_of_the_rules_is_in_the_help() {
    let names = KINDS.iter().map(|kind| kind.name).chain(Stage::ALL.map(Stage::option));
    for name in names.chain(Verb::ALL.map(Verb::as_str)).chain(MODIFIERS) {
        assert!(help().contains(name), "{name}");
    }
}
