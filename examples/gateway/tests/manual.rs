//! The tables of the manual have the words that the program accepts, all of them and no other, and its contents lead to
//! its sections.

use std::collections::{BTreeMap, BTreeSet};

use dmarc_policy::Status;
use event_expand::{Event, EventName, HeaderForm, Profile, Variables as _};
use mail_types::exim::Variable;
use proxy_protocol::ProxyInfo;
use spf_result::SpfResult;

use crate::gateway::config::Config;
use crate::gateway::config::manual::{ManualOption, rows};
use crate::gateway::events::outgoing_tls::OutgoingTls;
use crate::gateway::events::settings::transports;
use crate::gateway::events::variables::{FACTS, MOMENTS};
use crate::gateway::lookups::language::LOOKUPS;
use crate::gateway::policy::built_in::BUILT_IN;
use crate::gateway::policy::condition::{KINDS, PUBLISHED};
use crate::gateway::policy::conditions::ratelimit;
use crate::gateway::policy::outgoing::OF_HOST;
use crate::gateway::policy::place::Place;
use crate::gateway::policy::rule::Verb;
use crate::gateway::policy::rule_step::{CONTROLS, MODIFIERS};
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::variable::NamesAt;
use crate::gateway::telemetry::log_selector::LogWord;

const MANUAL: &str = include_str!("../README.md");

/// The places by their names, the stages of a session in its order.
const PLACES: [(&str, Place); 11] = [
    ("accept", Place::Session(Stage::Accept)),
    ("client", Place::Session(Stage::Client)),
    ("connect", Place::Session(Stage::Connect)),
    ("tls", Place::Session(Stage::Tls)),
    ("helo", Place::Session(Stage::Helo)),
    ("mail", Place::Session(Stage::Mail)),
    ("rcpt", Place::Session(Stage::Rcpt)),
    ("prdr", Place::Session(Stage::Prdr)),
    ("data", Place::Session(Stage::Data)),
    ("event", Place::Session(Stage::Event)),
    ("host", Place::Outgoing),
];

/// The names in a cell.
fn names(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split(", ").map(|name| name.trim_matches('`'))
}

/// The rows of a table, by the names in its first column.
fn table(column: &str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut table = BTreeMap::new();
    for row in rows(column) {
        for name in names(row[0]) {
            assert!(table.insert(name, row[1..].to_vec()).is_none(), "{name} is there twice");
        }
    }
    table
}

fn column(name: &str) -> Vec<&'static str> {
    table(name).into_keys().collect()
}

fn sorted(names: impl IntoIterator<Item = &'static str>) -> Vec<&'static str> {
    names.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// The names of the places in a cell, such as `connect, helo to data`.
fn places(cell: &str) -> BTreeSet<&'static str> {
    let at = |name: &str| {
        let found = PLACES.iter().position(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("{name} is no place: {cell}"))
    };
    let ranges = cell.split(", ").map(|part| part.split_once(" to ").unwrap_or((part, part)));
    ranges.flat_map(|(from, to)| at(from)..=at(to)).map(|at| PLACES[at].0).collect()
}

/// The name of a stage as a place.
fn place_of(stage: Stage) -> &'static str {
    PLACES.iter().find(|(_, place)| *place == Place::Session(stage)).unwrap().0
}

#[test]
fn verbs_lookups_and_options_of_rates_are_those_of_the_program() {
    assert_eq!(column("verb"), sorted(Verb::ALL.map(Verb::as_str)));
    assert_eq!(column("lookup"), sorted(LOOKUPS));
    assert_eq!(column("option of `ratelimit`"), sorted(ratelimit::options()));
    assert_eq!(column("place"), sorted(PLACES.map(|(name, _)| name)));
}

/// `expand --place` takes each option that is expanded, and each place.
#[test]
fn each_option_that_is_expanded_has_its_place() {
    for (name, place) in PLACES {
        assert_eq!(Place::named(name), Some(place), "{name}");
        let (texts, _) =
            table("place")[name][0].split_once(',').unwrap_or((table("place")[name][0], ""));
        for option in texts.split('`').skip(1).step_by(2).filter(|name| !name.starts_with('[')) {
            assert_eq!(Place::named(option), Some(place), "{option}");
        }
    }
    let expanded = ManualOption::all().filter(|option| ["list", "expanded"].contains(&option.kind));
    for option in expanded.map(|option| option.name).chain(["route_data"]) {
        let place = Place::named(option).unwrap_or_else(|| panic!("{option} has no place"));
        assert_eq!(
            place == Place::Outgoing,
            option.starts_with("remote_smtp.") && !option.ends_with("event_action"),
            "{option}"
        );
    }
    assert_eq!(Place::named("smtp_banner"), None);
}

#[test]
fn conditions_hold_where_the_manual_has_them() {
    let table = table("condition");
    assert_eq!(column("condition"), sorted(KINDS.iter().map(|kind| kind.name)));
    for kind in KINDS {
        let stages: BTreeSet<_> = kind.stages.iter().copied().map(place_of).collect();
        assert_eq!(places(table[kind.name][0]), stages, "{}", kind.name);
    }
}

#[test]
fn the_words_of_results_are_in_the_manual() {
    let table = table("condition");
    let spf = format!("{:?}", SpfResult::WORDS);
    let dmarc = format!("{:?}", Status::WORDS);
    for (condition, words) in [("spf", spf), ("dmarc_status", dmarc)] {
        let known: BTreeSet<_> = words.split('"').skip(1).step_by(2).collect();
        let cell = table[condition][1];
        let (_, described) = cell.split_once("words: ").unwrap();
        let described: BTreeSet<_> = described.split('`').skip(1).step_by(2).collect();
        assert_eq!(described, known, "{condition}");
    }
}

/// The lines of a rule with a modifier.
fn modified(name: &str) -> String {
    match name {
        "delay" => "delay = '1s'".to_owned(),
        "add_header" => "add_header = 'X-A: b'".to_owned(),
        "remove_header" => "remove_header = 'X-A'".to_owned(),
        "set" => "set.acl_m_a = 'b'".to_owned(),
        "control" => "control = 'no_multiline_responses'".to_owned(),
        _ => format!("{name} = 'a'"),
    }
}

/// The places at which a configuration may have such a line in a rule.
fn accepted(line: &str) -> BTreeSet<&'static str> {
    // A change of a message that its rule refuses has no effect.
    let verb = if line.starts_with("message") { "deny" } else { "warn" };
    let rule = |stage: Stage| format!("[[{}]]\nverb = '{verb}'", stage.option());
    let session = Stage::ALL.map(|stage| (stage, rule(stage)));
    // In a list that a text calls, only a warning logs.
    let verb = if line.starts_with("log_message") { "warn" } else { "deny" };
    let event = format!("event_action = '${{acl{{a}}}}'\n[[acl.a]]\nverb = '{verb}'");
    let all = session.into_iter().chain([(Stage::Event, event)]);
    let taken = all.filter(|(_, rule)| Config::parse(&format!("{rule}\n{line}\n")).is_ok());
    taken.map(|(stage, _)| place_of(stage)).collect()
}

#[test]
fn modifiers_and_controls_are_taken_where_the_manual_has_them() {
    assert_eq!(column("modifier"), sorted(MODIFIERS));
    for (name, row) in table("modifier") {
        assert_eq!(accepted(&modified(name)), places(row[0]), "{name}");
    }
    assert_eq!(column("control"), sorted(CONTROLS));
    for (name, row) in table("control") {
        assert_eq!(accepted(&format!("control = '{name}'")), places(row[0]), "{name}");
    }
}

/// The names of all variables but those of header fields.
fn variables() -> Vec<&'static str> {
    let arguments = (1..=9).map(|number| &*Box::leak(format!("acl_arg{number}").into_boxed_str()));
    let own = ["acl_c…", "acl_m…", "acl_narg", "message_id", "primary_hostname"];
    let published = PUBLISHED.iter().flat_map(|(_, names)| names.iter().copied());
    let all = BUILT_IN.iter().map(|(name, ..)| *name).chain(published).chain(own).chain(arguments);
    let events = Event::VARIABLES.into_iter().chain(FACTS).chain(MOMENTS);
    let outgoing = OF_HOST.iter().chain(OutgoingTls::VARIABLES).copied();
    sorted(all.chain(ProxyInfo::VARIABLES).chain(events).chain(outgoing))
}

#[test]
fn variables_have_a_value_where_the_manual_has_them() {
    let (fields, table): (BTreeMap<_, _>, BTreeMap<_, _>) =
        table("variable").into_iter().partition(|(name, _)| name.ends_with(':'));
    assert_eq!(table.keys().copied().collect::<Vec<_>>(), variables());
    for (name, row) in table {
        let name = name.replace('…', "_a");
        let known = |(_, place): &&(&str, Place)| {
            !matches!(NamesAt(*place).variable(&name), Variable::Unknown)
        };
        let known: BTreeSet<_> = PLACES.iter().filter(known).map(|(name, _)| *name).collect();
        assert_eq!(places(row[0]), known, "{name}");
    }
    let known = |(_, place): &&(&str, Place)| {
        !matches!(NamesAt(*place).header("a", HeaderForm::Decoded), Variable::Unknown)
    };
    let known: BTreeSet<_> = PLACES.iter().filter(known).map(|(name, _)| *name).collect();
    assert_eq!(fields.len(), 8, "{fields:?}");
    for (name, row) in fields {
        assert_eq!(places(row[0]), known, "{name}");
        let name = name.replace("NAME", "subject");
        let rule = format!("[[acl_smtp_data]]\nverb = 'deny'\nmessage = '${name}'");
        Config::parse(&rule).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn events_are_those_of_the_program() {
    let table = table("event");
    assert_eq!(column("event"), sorted(EventName::ALL.map(EventName::as_str)));
    for event in EventName::ALL {
        let [sections, of_2014, _data, _time, result] = table[event.as_str()][..] else {
            panic!("{event}: {table:?}");
        };
        let raised = transports(event).iter().map(|transport| transport.unwrap_or("main"));
        let raised = raised.collect::<Vec<_>>().join(", ");
        assert_eq!(sections, if raised.is_empty() { "never" } else { &raised }, "{event}");
        assert_eq!(of_2014 == "yes", event.is_in(Profile::Of2014), "{event}");
        assert_eq!(result != "none", event.waits(), "{event}");
    }
}

#[test]
fn words_of_the_log_are_those_of_the_program() {
    let described: BTreeSet<_> =
        rows("word of `log_selector`").map(|row| row[0].to_owned()).collect();
    let known = LogWord::ALL.map(|(name, _, selected)| {
        format!("`{name}`{}", if selected { ", on by default" } else { "" })
    });
    assert_eq!(described, BTreeSet::from(known));
}

#[test]
fn signals_are_those_of_the_program() {
    let program = include_str!("../main.rs").split("SignalKind::").skip(1);
    let known = program.filter_map(|rest| Some(rest.split_once("()")?.0));
    let known = known.map(|name| match name {
        "hangup" => "SIGHUP",
        "interrupt" => "SIGINT",
        "terminate" => "SIGTERM",
        other => panic!("{other} is not in the manual"),
    });
    assert_eq!(column("signal"), sorted(known));
}

/// A heading as the target of a link.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn the_contents_lead_to_every_section() {
    let headings = MANUAL.lines().filter_map(|line| line.strip_prefix("##"));
    let sections: BTreeSet<_> =
        headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).collect();
    let links =
        |text: &'static str| text.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links(MANUAL) {
        assert!(sections.contains(link), "no section {link}");
    }
    let contents = MANUAL.split("\n## ").next().unwrap();
    let linked: BTreeSet<_> = links(contents).map(str::to_owned).collect();
    let missing: Vec<_> = sections.difference(&linked).collect();
    assert!(missing.is_empty(), "not in the contents: {missing:?}");
}
