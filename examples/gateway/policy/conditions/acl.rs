//! `acl = NAME ARGUMENT…`: whether a list of rules accepts.

use mail_types::exim::{Trust, Value};

use crate::gateway::lookups::language::Call;
use crate::gateway::lookups::language_error::LanguageError;
use crate::gateway::policy::condition::{Condition, RuleScope, Test, Truth};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::rule::{Caller, Verdict};
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::RuleEntry;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::text::{Text, TextError};

/// The call of the list `[[acl.NAME]]`. It holds if the list accepts, and not if it denies; if it defers, or
/// cannot be run, the rule defers. What the list says is said for the rule, unless that says something itself.
#[derive(Debug)]
pub(crate) struct AclTest {
    name: Text,
    arguments: Vec<Text>,
}

impl AclTest {
    pub(crate) fn read(
        entry: &RuleEntry,
        stage: Stage,
        home: &RuleScope<'_>,
    ) -> Result<Self, Problem> {
        let language = home.language;
        let text = |word: &str| Text::parse(word, stage, language);
        let mut words = words(&entry.text).into_iter();
        let name = text(words.next().ok_or(Problem::NoListName)?)?;
        let arguments = words.map(text).collect::<Result<Vec<_>, _>>()?;
        if arguments.len() > MAX_ARGUMENTS {
            return Err(Problem::Arguments);
        }
        if name.is_untrusted(stage.into()) {
            return Err(TextError::Language(LanguageError::UntrustedAcl { at: 0 }).into());
        }
        let known = name.literal().map(|name| String::from_utf8_lossy(name).into_owned());
        if let Some(name) = known.clone().filter(|name| !language.has_acl(name)) {
            return Err(TextError::Language(LanguageError::NoAcl { at: 0, name }).into());
        }
        language.note_call(Call { name: known, place: stage.option(), by_condition: true });
        Ok(Self { name, arguments })
    }

    async fn holds(&self, context: &mut Context<'_>) -> Truth {
        match self.try_holds(context).await {
            Ok(truth) => truth,
            Err(why) => {
                if let Some(why) = why {
                    context.state.text_log().add_fault(why);
                }
                Truth::Later
            }
        }
    }

    /// Without a verdict, the error is the cause, unless that is logged already.
    async fn try_holds(&self, context: &mut Context<'_>) -> Result<Truth, Option<String>> {
        let name = self.name.expand_whole(context).await.map_err(|_| None)?;
        if name.trust() == Trust::Untrusted {
            return Err(Some(format!("the name of a list is an untrusted value: {name}")));
        }
        let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
        let mut arguments: Vec<Value<'static>> = Vec::new();
        for argument in &self.arguments {
            arguments.push(argument.expand_whole(context).await.map_err(|_| None)?);
        }
        let services = context.services;
        let run = services.named.run(context, Caller::Condition, &name, arguments).await;
        let Verdict { truth, said, .. } = run.map_err(|why| Some(format!("{name}: {why}")))?;
        context.state.set_said(said);
        Ok(truth)
    }
}

impl Condition for AclTest {
    fn test<'a>(&'a self, context: &'a mut Context<'_>) -> Test<'a> {
        Test::Pending(Box::pin(self.holds(context)))
    }
}

/// Splits at blanks, but not within braces.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut start, mut depth, mut escaped) = (Vec::new(), 0, 0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' => escaped = true,
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => {
                words.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(text.get(start..).unwrap_or_default());
    words.retain(|word| !word.is_empty());
    words
}

/// The most arguments of a list, as in Exim.
const MAX_ARGUMENTS: usize = 9;
