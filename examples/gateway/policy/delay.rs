//! The modifier `delay`: a wait before the rule goes on.

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use mail_types::exim::{Trust, Value};

use super::context::Context;
use super::rules::Problem;
use super::text::Text;
use crate::gateway::lookups::quantity::Interval;

/// The passage of time for a client.
pub trait Clock: Debug + Send + Sync {
    /// Waits for this time; tells whether it has passed, and not the server stopped before.
    fn wait(&self, time: Duration) -> Wait<'_>;
}

/// The work of [`Clock::wait`].
pub type Wait<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// Whether a client is still connected.
pub trait Presence: Debug + Send + Sync {
    /// Tells whether it is known that no reply can reach it, since the connection was reset or broken. A client
    /// that has ended its own sending may read replies.
    fn is_gone(&self) -> bool;
}

/// The time that rules may let a client wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'a> {
    /// The clock.
    pub(crate) clock: &'a dyn Clock,
    /// The client.
    pub(crate) client: &'a dyn Presence,
    /// The time that is left for all delays of a command.
    pub(crate) left: Duration,
}

impl Patience<'_> {
    /// The most for all delays of a command: a client waits five minutes for most replies (RFC 5321 section
    /// 4.5.3.2).
    pub(crate) const MOST: Duration = Duration::from_mins(5);
}

/// Reads the modifier.
pub(super) fn check(text: Text) -> Result<Text, Problem> {
    let Some(literal) = text.literal() else { return Ok(text) };
    match time(literal) {
        Some(time) if !time.is_zero() && time <= Patience::MOST => Ok(text),
        _ => Err(Problem::Delay),
    }
}

/// Waits, until the client has gone or the server stops.
pub(super) async fn wait(text: &Text, context: &mut Context<'_>) {
    let Ok(value) = text.expand(context).await else { return };
    let Some(wanted) = time(value.as_bytes()) else {
        let value = Value::new(value.as_bytes(), Trust::Untrusted);
        return context.state.log(format!("delay: {value} is not a time"));
    };
    let Some(Patience { clock, client, left }) = &mut context.patience else { return };
    if wanted > *left {
        let (wanted, left) = (wanted.as_secs(), left.as_secs());
        context.state.log(format!(
            "delay: {wanted}s is more than the {left}s that are left of 5m for a command"
        ));
    }
    let mut rest = wanted.min(*left);
    *left -= rest;
    while !rest.is_zero() && !client.is_gone() {
        let step = rest.min(STEP);
        if !clock.wait(step).await {
            break;
        }
        rest -= step;
    }
}

fn time(text: &[u8]) -> Option<Duration> {
    let text = str::from_utf8(text).ok()?;
    text.trim().parse().ok().map(|Interval(time)| time)
}

/// The time between two looks at the client.
const STEP: Duration = Duration::from_secs(1);
