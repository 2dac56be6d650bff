//! Sends one message, and says of each recipient what became of it.

mod arguments;
mod message;
mod plan;

use std::error::Error;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::process::ExitCode;

use clap::Parser as _;
use examples::gateway::delivery::outcome::{DeliveryResult, RecipientOutcome};
use examples::gateway::delivery::sender::Sender;
use examples::gateway::telemetry::log;
use examples::gateway::telemetry::log_format::LogFormat;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = match log::filter() {
        Ok(filter) => filter,
        Err(error) => {
            let _ = writeln!(io::stderr(), "send: {error}");
            return ExitCode::from(2);
        }
    };
    log::start(LogFormat::Text, filter);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(&arguments)));
    match done {
        Ok(status) => status.into(),
        Err(error) => {
            let _ = writeln!(io::stderr(), "send: {error}");
            ExitCode::from(2)
        }
    }
}

/// The exit status: sysexits.h names them, and mail programs know them.
#[derive(Clone, Copy, Debug)]
enum Status {
    Delivered = 0,
    /// `EX_UNAVAILABLE`: at least one recipient gets no message.
    Failed = 69,
    /// `EX_TEMPFAIL`: try again later for at least one.
    Deferred = 75,
}

impl From<Option<DeliveryResult>> for Status {
    /// Reads the worst result.
    fn from(worst: Option<DeliveryResult>) -> Self {
        match worst {
            Some(DeliveryResult::Failed) => Self::Failed,
            Some(DeliveryResult::Deferred) => Self::Deferred,
            _ => Self::Delivered,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

async fn run(arguments: &Arguments) -> Result<Status, Box<dyn Error>> {
    let sender = Sender::new(arguments.settings()?).map_err(|error| arguments.named(&error))?;
    arguments.warn();
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.dry_run {
        let stdin = io::stdin();
        // The message may waive TLS and need extensions; without one on standard input it does neither.
        let message =
            if stdin.is_terminal() { Vec::new() } else { message::read(&mut stdin.lock())? };
        let worst = plan::show(&sender, arguments, &message, &mut out).await?;
        out.flush()?;
        return Ok(worst.into());
    }
    let message = message::read(&mut io::stdin().lock())?;
    let outcomes = sender.send(&arguments.envelope(), message).await;
    // Whatever becomes of the output, the status is that of the message: 2 would say that nothing was tried.
    if let Err(error) = show(&outcomes, arguments.json, &mut out).and_then(|()| out.flush()) {
        eprintln!("send: the outcomes cannot be written: {error}");
    }
    Ok(outcomes.iter().map(|outcome| outcome.result).max().into())
}

/// Writes a line for each recipient.
fn show(outcomes: &[RecipientOutcome], json: bool, out: &mut impl Write) -> io::Result<()> {
    for outcome in outcomes {
        if json {
            serde_json::to_writer(&mut *out, outcome)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{outcome}")?;
        }
    }
    Ok(())
}
