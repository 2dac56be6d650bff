//! Shows DMARC reports, and makes aggregate reports from the rows of a gateway.

mod case;
mod input;
mod made;
mod make;
mod merge;
mod page;
mod rows;
mod show;
mod summary;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use examples::cases::shown;

use make::Make;
use show::Show;

fn main() -> ExitCode {
    let Arguments { show, action } = Arguments::parse();
    let done = match action {
        Some(Action::Make(make)) => make.run().map(|()| true),
        None => show.run(),
    };
    shown::exit_strict("dmarc_report", done)
}

/// Shows DMARC reports, or makes aggregate reports.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    show: Show,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    Make(Box<Make>),
}
