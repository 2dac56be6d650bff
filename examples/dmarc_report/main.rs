//! Shows what DMARC aggregate reports say, and makes them of what a gateway has seen.

#[path = "../cases/answers.rs"]
mod answers;
mod case;
#[path = "../cases/dmarc_rows.rs"]
mod dmarc_rows;
mod made;
mod make;
mod page;
mod rows;
#[path = "../cases/shown.rs"]
mod shown;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use dmarc_policy::{Feedback, FeedbackLimits};

use case::Case;
use make::Make;
use shown::Done;

fn main() -> ExitCode {
    let Arguments { show, action } = Arguments::parse();
    let done = match action {
        Some(Action::Make(make)) => make.run(),
        None => show.run(),
    };
    shown::exit("dmarc_report", done)
}

/// Shows what DMARC aggregate reports say, or makes them.
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

/// Shows what DMARC aggregate reports say.
///
/// A report is the XML or what gzip has made of it, as RFC 9990, RFC 7489 or real reporters write it.
#[derive(Args, Debug)]
struct Show {
    /// The reports; without any, standard input is one
    files: Vec<PathBuf>,
    /// Writes one JSON object for each report
    #[arg(long)]
    json: bool,
    /// Writes one page of HTML with all reports, which needs nothing but itself
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
            let opened =
                File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
            self.one(Some(file.display().to_string()), opened, &limits, &mut out)?;
        }
        if self.files.is_empty() {
            self.one(None, io::stdin().lock(), &limits, &mut out)?;
        }
        if self.html {
            out.write_all(page::FOOT.as_bytes())?;
        }
        Ok(out.flush()?)
    }

    fn one(
        &self,
        file: Option<String>,
        input: impl Read,
        limits: &FeedbackLimits,
        out: &mut impl Write,
    ) -> Done {
        let mut octets = Vec::new();
        // An octet more than fits tells a report that is too large.
        input.take((limits.input as u64).saturating_add(1)).read_to_end(&mut octets)?;
        let case = Case::new(file, Feedback::read(&octets, limits));
        if self.html {
            return Ok(out.write_all(page::section(&case).as_bytes())?);
        }
        shown::write(&case, self.json, out)
    }
}
