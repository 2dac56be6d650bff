//! Rules that would do nothing.

use mail_types::exim::List;

use super::condition::RuleScope;
use super::conditions::dmarc::CONTROLS;
use super::rules::{Problem, RuleError};
use super::source::{RuleEntry, RuleSource};
use super::stage::Stage;

/// Refuses a `warn` or a `require` without anything to do, and a rule that is never asked.
pub(super) fn check(sources: &[RuleSource], home: &RuleScope<'_>) -> Result<(), RuleError> {
    let is_condition = |entry: &RuleEntry| home.kinds.iter().any(|kind| kind.name == entry.name);
    let mut last = None;
    for source in sources {
        let problem = |problem| RuleError::Rule { line: source.line, problem };
        if let Some(line) = last {
            return Err(problem(Problem::Unreachable { line }));
        }
        let (conditions, others): (Vec<_>, Vec<_>) =
            source.entries.iter().partition(|entry| is_condition(entry));
        let has_verb =
            |verb: &str| others.iter().any(|entry| entry.name == "verb" && entry.text == verb);
        let warns = has_verb("warn");
        if has_verb("require") {
            check_require(source, &conditions, others.len() == 1)?;
            if conditions.iter().any(|entry| never_holds(entry)) {
                last = Some(source.line);
            }
            continue;
        }
        if warns && others.len() == 1 && !conditions.iter().any(|entry| has_effect(entry)) {
            return Err(problem(Problem::Idle));
        }
        if !warns && conditions.iter().all(|entry| always_holds(entry)) {
            last = Some(source.line);
        }
    }
    Ok(())
}

/// Refuses a modifier for a message or a recipient that its rule refuses, behind the last condition that can fail:
/// nothing is left for it to change.
pub(super) fn check_refusals(
    sources: &[RuleSource],
    stage: Stage,
    home: &RuleScope<'_>,
) -> Result<(), RuleError> {
    for source in sources {
        let verb = source.entries.iter().find(|entry| entry.name == "verb");
        let Some(verb) = verb.filter(|entry| REFUSALS.contains(&entry.text.as_str())) else {
            continue;
        };
        let can_fail = |entry: &RuleEntry| {
            home.kinds.iter().any(|kind| kind.name == entry.name) && !always_holds(entry)
        };
        let last = source.entries.iter().rev().take_while(|entry| !can_fail(entry));
        if let Some(entry) = last.into_iter().find(|entry| is_lost(entry, stage)) {
            let name = match entry.name.as_str() {
                "control" => format!("control {}", entry.text),
                name => name.to_owned(),
            };
            return Err(entry.error(Problem::Refused { name, verb: verb.text.clone() }));
        }
    }
    Ok(())
}

/// Tells whether a modifier is for the message or the recipient that is refused at this stage, and no other.
fn is_lost(entry: &RuleEntry, stage: Stage) -> bool {
    match entry.name.as_str() {
        // Its text may change a database.
        _ if has_effect(entry) => false,
        "control" => CONTROLS.contains(&entry.text.as_str()),
        // At RCPT the message may have other recipients.
        "add_header" | "remove_header" => stage != Stage::Rcpt,
        // One that cannot be expanded defers.
        "profile" => !entry.text.contains('$'),
        _ => false,
    }
}

/// Refuses a `require` that can deny nothing and does nothing else, and a message that no condition is behind.
fn check_require(
    source: &RuleSource,
    conditions: &[&RuleEntry],
    is_bare: bool,
) -> Result<(), RuleError> {
    let can_fail = conditions.iter().any(|entry| !always_holds(entry) || has_effect(entry));
    if is_bare && !can_fail {
        return Err(RuleError::Rule { line: source.line, problem: Problem::IdleRequire });
    }
    let is_last =
        |entry: &&RuleEntry| conditions.last().is_some_and(|last| std::ptr::eq(*last, *entry));
    let behind = source.entries.iter().rev().take_while(|entry| !is_last(entry));
    let mut messages =
        behind.filter(|entry| matches!(entry.name.as_str(), "message" | "log_message"));
    match messages.next() {
        Some(entry) => Err(entry.error(Problem::Behindhand { name: entry.name.clone() })),
        None => Ok(()),
    }
}

/// Tells whether a condition holds for nobody.
fn never_holds(entry: &RuleEntry) -> bool {
    if entry.negated {
        return always_holds(&RuleEntry { negated: false, ..entry.clone() });
    }
    entry.name == "authenticated"
}

/// Tells whether to test a condition does something: it counts, it publishes what others can name, or a
/// lookup may change a database.
fn has_effect(entry: &RuleEntry) -> bool {
    matches!(entry.name.as_str(), "acl" | "ratelimit" | "spf" | "spf_guess")
        || ["${lookup", "${acl", " acl{"].iter().any(|item| entry.text.contains(item))
}

/// Tells whether a condition holds for everybody: its list begins with `*`, and there is always somebody
/// to be in it. (`condition = "yes"` is a switch, which may be turned off again.)
fn always_holds(entry: &RuleEntry) -> bool {
    let has_subject = ["hosts", "senders", "recipients", "domains", "local_parts"];
    !entry.negated
        && has_subject.contains(&entry.name.as_str())
        && List::new(&entry.text).next().is_some_and(|item| item.trim() == "*")
}

/// The verbs that refuse if all conditions hold.
const REFUSALS: [&str; 3] = ["defer", "deny", "drop"];
