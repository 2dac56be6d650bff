//! Shows DMARC aggregate reports, and makes them from the rows of a gateway.

mod case;
mod made;
mod make;
mod page;
mod rows;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use dmarc_policy::{Feedback, FeedbackLimits};
use examples::cases::shown::{self, Done};

use case::Case;
use make::Make;

fn main() -> ExitCode {
    let Arguments { show, action } = Arguments::parse();
    let done = match action {
        Some(Action::Make(make)) => make.run(),
        None => show.run(),
    };
    shown::exit("dmarc_report", done)
}

/// Shows DMARC aggregate reports, or makes them.
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

/// Shows DMARC aggregate reports.
///
/// A report is XML, plain or compressed by gzip, as RFC 9990, RFC 7489 or real reporters write it. An
/// unreadable report is an entry with its error; the others follow, and the exit status is still 0.
#[derive(Args, Debug)]
struct Show {
    /// The reports; by default standard input is one
    files: Vec<PathBuf>,
    /// Writes one JSON object for each report
    #[arg(long)]
    json: bool,
    /// Writes a self-contained HTML page with all reports
    #[arg(long, conflicts_with = "json")]
    html: bool,
    /// The most octets of XML in a report
    #[arg(long, value_name = "OCTETS", default_value_t = FeedbackLimits::default().xml)]
    max_xml: usize,
    /// The most records in a report
    #[arg(long, value_name = "COUNT", default_value_t = FeedbackLimits::default().records)]
    max_records: usize,
}

impl Show {
    fn run(&self) -> Done {
        let mut limits = FeedbackLimits::default();
        (limits.xml, limits.records) = (self.max_xml, self.max_records);
        limits.input = limits.xml;
        let mut out = io::BufWriter::new(io::stdout().lock());
        if self.html {
            out.write_all(page::HEAD.as_bytes())?;
        }
        for file in &self.files {
            let name = Some(file.display().to_string());
            self.one(name, File::open(file), &limits, &mut out)?;
        }
        if self.files.is_empty() {
            self.one(None, Ok(io::stdin().lock()), &limits, &mut out)?;
        }
        if self.html {
            out.write_all(page::FOOT.as_bytes())?;
        }
        Ok(out.flush()?)
    }

    fn one(
        &self,
        file: Option<String>,
        input: io::Result<impl Read>,
        limits: &FeedbackLimits,
        out: &mut impl Write,
    ) -> Done {
        // An octet more than fits tells a report that is too large.
        let most = (limits.input as u64).saturating_add(1);
        let octets = input.and_then(|input| {
            let mut octets = Vec::new();
            input.take(most).read_to_end(&mut octets).map(|_| octets)
        });
        // What cannot be read is one case, and the next one goes on.
        let case = match octets {
            Ok(octets) => Case::new(file, Feedback::read(&octets, limits)),
            Err(error) => Case::unread(file, &error),
        };
        if self.html {
            return Ok(out.write_all(page::section(&case).as_bytes())?);
        }
        shown::write(&case, self.json, out)
    }
}
