//! `condition = TEXT`: whether a text, expanded, is true.

use event_expand::truth;
use mail_types::exim::{Trust, Value};

use crate::gateway::policy::condition::{Condition, RuleScope, Test, Truth};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::RuleEntry;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::text::Text;

/// Nothing, `no`, `false` and zero do not hold; `yes`, `true` and any other number do; anything else
/// defers, as in Exim. What fails by its own word is ignored.
#[derive(Debug)]
pub(crate) struct TruthTest(Text);

impl TruthTest {
    pub(crate) fn read(
        entry: &RuleEntry,
        stage: Stage,
        home: &RuleScope<'_>,
    ) -> Result<Self, Problem> {
        let text = Text::parse(&entry.text, stage, home.language)?;
        match text.literal() {
            Some(literal) if truth(literal).is_none() => {
                let start = literal.get(..SHOWN).unwrap_or(literal);
                Err(Problem::NoTruth { text: String::from_utf8_lossy(start).into_owned() })
            }
            _ => Ok(Self(text)),
        }
    }

    async fn holds(&self, context: &mut Context<'_>) -> Truth {
        let value = match self.0.expand_whole(context).await {
            Ok(value) => value,
            Err(unfinished) => return unfinished.into(),
        };
        truth(value.as_bytes()).map_or_else(
            || {
                let start = value.as_bytes().get(..SHOWN).unwrap_or(value.as_bytes());
                let shown = Value::new(start, Trust::Untrusted);
                let fault = format!("a condition is neither true nor false: {shown}");
                context.state.text_log().add_fault(fault);
                Truth::Later
            },
            Truth::from,
        )
    }
}

impl Condition for TruthTest {
    fn test<'a>(&'a self, context: &'a mut Context<'_>) -> Test<'a> {
        Test::Pending(Box::pin(self.holds(context)))
    }
}

/// How much of a text the log shows, in octets.
const SHOWN: usize = 100;
