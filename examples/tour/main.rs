//! The whole system in one process: a signed zone, an authority with its OCSP responder, a proxy, the gateway and the
//! sender. Each step says what it does and what it expects; the exit status is 1 if one differs.

mod authority;
mod balancer;
mod element;
mod mail;
mod name_server;
mod narration;
mod responder;
mod scenes;
mod signed_zone;
mod world;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use examples::gateway::telemetry::log;
use examples::gateway::telemetry::log_format::LogFormat;

use narration::Narration;
use world::World;

/// Shows the whole system at work: mail goes from a sender to the gateway by DANE, with a verified OCSP staple,
/// through a proxy, and is judged by SPF, DKIM and DMARC; then each of these meets a fault.
///
/// It uses addresses of this host only. The exit status is 1 if a step differs from what it announces.
#[derive(Debug, Parser)]
#[command(name = "tour")]
#[expect(clippy::doc_markdown, reason = "it is the text of --help")]
struct Arguments {
    /// Shows the log of the gateway and of the sender, too; the variable RUST_LOG selects its lines
    #[arg(long)]
    log: bool,
}

type Done<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    // OCSP and deliveries use the installed provider. It fails only where one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    let mut narration = Narration::default();
    match run(&arguments, &mut narration) {
        Ok(()) => narration.conclude(),
        Err(error) => {
            eprintln!("tour: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, narration: &mut Narration) -> Done {
    if arguments.log {
        log::start(LogFormat::Text, log::filter()?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let world = World::start(narration).await?;
        let played = scenes::play(&world, narration).await;
        let events = world.end().await?;
        played?;
        scenes::events(&events, narration);
        Ok(())
    })
}
