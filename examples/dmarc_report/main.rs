//! Shows what DMARC aggregate reports say.

mod case;
mod page;

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use dmarc_policy::{Feedback, FeedbackLimits};

use case::Case;

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever has closed the pipe has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dmarc_report: {error}");
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Shows what DMARC aggregate reports say.
///
/// A report is the XML or what gzip has made of it, as RFC 9990, RFC 7489 or real reporters write it.
#[derive(Debug, Parser)]
struct Arguments {
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

impl Arguments {
    fn run(&self) -> Result<(), Box<dyn Error>> {
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
    ) -> Result<(), Box<dyn Error>> {
        let mut octets = Vec::new();
        // An octet more than fits tells a report that is too large.
        input.take((limits.input as u64).saturating_add(1)).read_to_end(&mut octets)?;
        let case = Case::new(file, Feedback::read(&octets, limits));
        if self.json {
            serde_json::to_writer(&mut *out, &case)?;
            writeln!(out)?;
        } else if self.html {
            out.write_all(page::section(&case).as_bytes())?;
        } else {
            out.write_all(case.text().as_bytes())?;
        }
        Ok(())
    }
}
