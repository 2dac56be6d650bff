//! The lists of rules that texts call: `[[acl.NAME]]`, as `${acl{NAME}{ARGUMENT}…}`.

use std::collections::{BTreeMap, BTreeSet};

use event_expand::AclVerdict;
use mail_types::exim::Value;

use super::condition::RuleScope;
use super::context::Context;
use super::idle;
use super::rule::Rule;
use super::rules::{Problem, RuleError};
use super::source::RuleSource;
use super::stage::Stage;

/// The lists, each read for every stage at which it is called.
#[derive(Debug, Default)]
pub(crate) struct NamedRules(BTreeMap<(String, Stage), Result<Vec<Rule>, RuleError>>);

impl NamedRules {
    /// Reads the lists that the texts so far call, and those that these call. A text whose name for a list
    /// is expanded may call each.
    pub(super) fn read(
        sources: &BTreeMap<String, Vec<RuleSource>>,
        home: &RuleScope<'_>,
    ) -> Result<Self, RuleError> {
        let (mut lists, mut called) = (BTreeMap::new(), BTreeSet::new());
        loop {
            let calls = home.language.take_calls();
            if calls.is_empty() {
                break;
            }
            for (name, place) in calls {
                let at = |stage: &Stage| stage.option() == place;
                let Some(stage) = Stage::ALL.into_iter().find(at) else { continue };
                let is_callee = |other: &&String| name.as_ref().is_none_or(|name| name == *other);
                for callee in sources.keys().filter(is_callee) {
                    called.insert(callee.clone());
                    let list = lists
                        .entry((callee.clone(), stage))
                        .or_insert_with(|| read(sources.get(callee), stage, home));
                    if let (Err(error), Some(_)) = (list, &name) {
                        return Err(error.clone());
                    }
                }
            }
        }
        for (name, sources) in sources {
            idle::check(sources, home)?;
            if !called.contains(name) {
                let line = sources.first().map_or(1, |source| source.line);
                let problem = Problem::NeverCalled { name: name.clone() };
                return Err(RuleError::Rule { line, problem });
            }
        }
        Ok(Self(lists))
    }

    /// Runs a list with arguments, and says why it could not.
    pub(super) async fn call(
        &self,
        context: &mut Context<'_>,
        arguments: &[Value<'static>],
    ) -> (AclVerdict, Option<String>) {
        let (name, arguments) = arguments.split_first().unzip();
        let name = String::from_utf8_lossy(name.map(Value::as_bytes).unwrap_or_default());
        let rules = match self.0.get(&(name.to_string(), context.stage)) {
            Some(Ok(rules)) => rules,
            Some(Err(error)) => return (AclVerdict::Failed, Some(format!("acl {name}: {error}"))),
            None => return (AclVerdict::Failed, Some(format!("acl {name}: no such list"))),
        };
        let arguments = arguments.unwrap_or_default().to_vec();
        let Some(outer) = context.state.call(arguments) else {
            let why = "lists call each other too deep";
            return (AclVerdict::Failed, Some(format!("acl {name}: {why}")));
        };
        let mut verdict = AclVerdict::Deny(Vec::new());
        for rule in rules {
            if let Some(found) = rule.answer(context).await {
                verdict = found;
                break;
            }
        }
        context.state.call_ended(outer);
        (verdict, None)
    }
}

fn read(
    sources: Option<&Vec<RuleSource>>,
    stage: Stage,
    home: &RuleScope<'_>,
) -> Result<Vec<Rule>, RuleError> {
    let sources = sources.into_iter().flatten();
    sources.map(|source| Rule::read_called(source, stage, home)).collect()
}
