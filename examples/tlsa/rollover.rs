//! Planning the replacement of a key.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use dane_tlsa::{Rollover, RolloverAction, RolloverStep};
use examples::cases::certificates::{self, written};
use examples::cases::shown::{self, Done, Shown};
use rustls::pki_types::UnixTime;
use serde::Serialize;

use crate::key_file::Kind;
use crate::make::Place;

#[derive(Args, Debug)]
pub(crate) struct Wanted {
    /// A file with the current certificate or key
    #[arg(long, value_name = "FILE")]
    current: PathBuf,
    /// A file with the next one
    #[arg(long, value_name = "FILE")]
    next: PathBuf,
    /// The time to live of the published records, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    ttl: u32,
    /// How long it takes until all servers of the zone have what is published, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    spread: u32,
    /// When the next key's record is published, as 2026-12-01T00:00:00Z; without, now
    #[arg(long, value_name = "TIME", value_parser = certificates::time, conflicts_with = "used")]
    start: Option<UnixTime>,
    /// When the next key is to be used
    #[arg(long, value_name = "TIME", value_parser = certificates::time)]
    used: Option<UnixTime>,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    place: Place,
    /// Writes a JSON object
    #[arg(long)]
    json: bool,
}

/// The steps.
#[derive(Serialize)]
struct Plan {
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    at: String,
    /// `publish-both`, `use-next` or `publish-next`.
    action: &'static str,
    records: Vec<String>,
    #[serde(skip)]
    lines: Vec<String>,
    #[serde(skip)]
    text: String,
}

impl Wanted {
    pub(crate) fn run(&self) -> Done {
        let (current, next) =
            (self.kind.record_of(&self.current)?, self.kind.record_of(&self.next)?);
        let ttl = Duration::from_secs(self.ttl.into());
        let rollover = Rollover::new(vec![current], vec![next], ttl)?;
        let rollover = rollover.with_spread(Duration::from_secs(self.spread.into()));
        let steps = match (self.start, self.used) {
            (_, Some(used)) => rollover.using_at(used),
            (Some(start), None) => rollover.starting_at(start),
            (None, None) => rollover.starting_at(UnixTime::now()),
        };
        warn_of_the_past(&steps, &rollover.starting_at(UnixTime::now()));
        let steps: Result<_, _> = steps.iter().map(|step| self.step(step)).collect();
        shown::write(&Plan { steps: steps? }, self.json, &mut std::io::stdout().lock())
    }

    fn step(&self, step: &RolloverStep) -> Result<Step, Box<dyn Error>> {
        let lines: Result<_, _> =
            step.records.iter().map(|record| self.place.line(record)).collect();
        Ok(Step {
            at: written(step.at),
            action: match step.action {
                RolloverAction::PublishBoth => "publish-both",
                RolloverAction::UseNext => "use-next",
                RolloverAction::PublishNext => "publish-next",
            },
            records: step.records.iter().map(ToString::to_string).collect(),
            lines: lines?,
            text: step.to_string(),
        })
    }
}

/// Warns if the first step was to be taken already: a key without a published record stops the mail.
fn warn_of_the_past(steps: &[RolloverStep], from_now: &[RolloverStep]) {
    if let ([first, ..], [now, use_next, ..]) = (steps, from_now)
        && first.at.as_secs() < now.at.as_secs()
    {
        eprintln!(
            "tlsa: {} is past: unless the records of both keys are published since then, use the next key \
             no earlier than {}",
            written(first.at),
            written(use_next.at)
        );
    }
}

impl Shown for Plan {
    fn text(&self) -> Vec<u8> {
        if self.steps.is_empty() {
            return b"the record stays the same: nothing is to be published\n".to_vec();
        }
        let mut text = String::new();
        for step in &self.steps {
            let _ = writeln!(text, "{}", step.text);
            // The key is used with what has been published before.
            let lines = step.lines.iter().filter(|_| step.action != "use-next");
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
        }
        text.into_bytes()
    }
}
