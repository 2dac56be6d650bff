//! `condition = TEXT`: whether a text, expanded, is true.

use event_expand::truth;
use mail_types::exim::{Trust, Value};

use crate::gateway::policy::condition::{Condition, Holds, Home, Test};
use crate::gateway::policy::context::Scene;
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::Entry;
use crate::gateway::policy::stage::Place;
use crate::gateway::policy::text::{Text, Unfinished};

/// Nothing, `no`, `false` and zero do not hold; `yes`, `true` and any other number do; anything else
/// defers, as in Exim. What fails by its own word is ignored.
#[derive(Debug)]
pub(crate) struct Truth(Text);

impl Truth {
    pub(crate) fn read(entry: &Entry, place: Place, home: &Home<'_>) -> Result<Self, Problem> {
        Ok(Self(Text::parse(&entry.text, place, home.language)?))
    }

    async fn holds(&self, scene: &mut Scene<'_>) -> Holds {
        let value = match self.0.expand_whole(scene).await {
            Ok(value) => value,
            Err(Unfinished::Forced) => return Holds::Ignored,
            Err(Unfinished::Failed) => return Holds::Later,
        };
        truth(value.as_bytes()).map_or_else(
            || {
                let start = value.as_bytes().get(..SHOWN).unwrap_or(value.as_bytes());
                let shown = Value::new(start, Trust::Untrusted);
                scene.notes.log(format!("a condition is neither true nor false: {shown}"));
                Holds::Later
            },
            Holds::from,
        )
    }
}

impl Condition for Truth {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        Test::Work(Box::pin(self.holds(scene)))
    }
}

/// How much of a text the log shows, in octets.
const SHOWN: usize = 100;
