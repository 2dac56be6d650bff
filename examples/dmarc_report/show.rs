//! Shows reports: each for itself, or all together.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead as _, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueEnum};
use examples::cases::shown::{self, Done};
use indicatif::{ProgressBar, ProgressStyle};

use crate::case::Case;
use crate::input::limits::{OpenError, OpenLimits};
use crate::input::mailbox::{self, Unit};
use crate::input::opening::{Content, Found};
use crate::input::workers::{Opened, Workers};
use crate::merge::{Merge, MergeLimits, write_csv, write_ndjson};
use crate::{page, summary};

/// Shows DMARC reports.
///
/// An input is XML, plain or compressed by gzip or zip, a message with such parts or with a failure
/// report, a mailbox (mbox), a Maildir or any other folder. Reports are as RFC 9990, RFC 7489 and RFC
/// 9991 have them, or as real reporters write them. An input that does not exist ends the program with 2. One that
/// cannot be read is told by its name, and the others follow; the exit status is still 0, except with --strict.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Show {
    /// Files, mailboxes and folders; by default standard input is one file
    files: Vec<PathBuf>,
    /// Adds all reports together, by domain, source, reporter and day; a repeated report counts once
    #[arg(long)]
    merge: bool,
    /// Writes one JSON object for each report; with --merge, one for all
    #[arg(long)]
    json: bool,
    /// Writes all reports, merged, in another form
    #[arg(long, value_name = "FORM", conflicts_with = "json")]
    format: Option<Format>,
    /// Short for --format html: a self-contained page
    #[arg(long, conflicts_with_all = ["json", "format"])]
    html: bool,
    /// The most octets of XML in an input, decompressed
    #[arg(long, value_name = "OCTETS", default_value_t = OpenLimits::default().report.xml)]
    max_xml: usize,
    /// The most records in an input
    #[arg(long, value_name = "COUNT", default_value_t = OpenLimits::default().report.records)]
    max_records: usize,
    /// The most octets of a file or message
    #[arg(long, value_name = "OCTETS", default_value_t = OpenLimits::default().input)]
    max_input: usize,
    /// The most archives and messages in each other
    #[arg(long, value_name = "COUNT", default_value_t = OpenLimits::default().depth)]
    max_depth: usize,
    /// The most parts of messages and entries of archives in an input
    #[arg(long, value_name = "COUNT", default_value_t = OpenLimits::default().parts)]
    max_parts: usize,
    /// The most files of all folders
    #[arg(long, value_name = "COUNT", default_value_t = 1_000_000)]
    max_files: usize,
    /// The most reports, and failure reports, of the merged view
    #[arg(long, value_name = "COUNT", default_value_t = MergeLimits::default().reports)]
    max_reports: usize,
    /// The most rows of the merged view
    #[arg(long, value_name = "COUNT", default_value_t = MergeLimits::default().rows)]
    max_rows: usize,
    /// The most octets of different texts in the merged view
    #[arg(long, value_name = "OCTETS", default_value_t = MergeLimits::default().texts)]
    max_texts: usize,
    /// Exits with 1 if an input, or a report in it, could not be read
    #[arg(long)]
    strict: bool,
}

/// The forms of the merged view.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// A summary to read
    Text,
    /// One JSON object
    Json,
    /// One JSON object a line, for each domain, source, reporter and day
    Ndjson,
    /// The same as a table
    Csv,
    /// A self-contained page
    Html,
}

const WANTED: &str = "a DMARC report: XML, gzip, zip, a message or a mailbox";

impl Show {
    pub(crate) fn run(&self) -> Result<bool, Box<dyn Error>> {
        let mut limits = OpenLimits::default();
        limits.report.xml = self.max_xml;
        limits.report.records = self.max_records;
        // A file that is no archive may be as large as its XML.
        limits.report.input = self.max_xml;
        limits.input = self.max_input;
        limits.depth = self.max_depth;
        limits.parts = self.max_parts;
        if self.files.is_empty() {
            shown::tell_wait(WANTED);
            if io::stdin().lock().fill_buf()?.is_empty() {
                return Err(format!("no case on standard input: expected {WANTED}").into());
            }
        }
        for file in &self.files {
            shown::named(file, fs::metadata(file))?;
        }
        let entries = mailbox::list(&self.files, self.max_files)?;
        let octets = entries.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.octets));
        let bar = progress(octets, !self.files.is_empty());
        let mut sink = Sink::new(self);
        let mut done = Ok(());
        thread::scope(|scope| {
            let mut workers = Workers::start(scope, &limits, |opened| {
                if done.is_ok() {
                    done = sink.take(opened);
                }
            });
            let mut give = |unit: Unit| {
                bar.inc(unit.octets.as_ref().map_or(0, |octets| octets.len() as u64));
                workers.give(unit);
            };
            for entry in &entries {
                mailbox::read(entry, limits.input, &mut give);
            }
            if self.files.is_empty() {
                mailbox::read_from(io::stdin().lock(), "", true, limits.input, &mut give);
            }
            workers.finish();
        });
        bar.finish_and_clear();
        done?;
        sink.finish()
    }

    /// Returns the form of the merged view; `None` for a case of each report.
    fn format(&self) -> Option<Format> {
        match self.format {
            None if self.html => Some(Format::Html),
            None if self.merge && self.json => Some(Format::Json),
            None if self.merge => Some(Format::Text),
            format => format,
        }
    }
}

/// A bar on standard error, if that is a terminal and the work is long.
fn progress(octets: u64, has_files: bool) -> ProgressBar {
    if octets < LONG || !has_files || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(octets).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// From so many octets on the work is long.
const LONG: u64 = 1 << 20;

/// The place where the results go.
struct Sink<'s> {
    show: &'s Show,
    format: Option<Format>,
    merge: Merge,
    out: BufWriter<io::StdoutLock<'static>>,
    /// Whether everything could be read.
    is_sound: bool,
}

impl<'s> Sink<'s> {
    fn new(show: &'s Show) -> Self {
        let limits =
            MergeLimits { rows: show.max_rows, reports: show.max_reports, texts: show.max_texts };
        let format = show.format();
        let merge = Merge::new(limits, format.is_some());
        let out = BufWriter::new(io::stdout().lock());
        Self { show, format, merge, out, is_sound: true }
    }

    fn take(&mut self, opened: Opened) -> Done {
        let Opened { place, is_named, found } = opened;
        let file = Some(place).filter(|place| !place.is_empty());
        let found = match found {
            Ok(found) => found,
            Err(error) => return self.unread(file, &error),
        };
        if found.is_empty() && is_named {
            return self.unread(file, &OpenError::NoReport);
        }
        if found.is_empty() {
            self.merge.add_without();
        }
        for one in &found {
            self.one(file.as_deref(), one)?;
        }
        Ok(())
    }

    fn one(&mut self, file: Option<&str>, found: &Found) -> Done {
        let place = match (file, found.within.as_str()) {
            (file, "") => file.unwrap_or(STDIN).to_owned(),
            (file, within) => format!("{}, {within}", file.unwrap_or(STDIN)),
        };
        let mut is_repeated = false;
        let added = match &found.content {
            Content::Report(reading) => {
                self.merge.add(reading, &place).map(|is_new| is_repeated = !is_new)
            }
            Content::Failure(failure) => self.merge.add_failure(failure, &place),
            Content::Fault(error) => {
                self.is_sound = false;
                self.tell(&place, error);
                Ok(())
            }
        };
        if let Err(error) = added {
            self.is_sound = false;
            self.tell(&place, &error);
            return self.case(&Case::unread(Some(place), &error));
        }
        self.case(&Case::new(file.map(str::to_owned), found, is_repeated))
    }

    fn unread(&mut self, file: Option<String>, error: &dyn std::fmt::Display) -> Done {
        self.is_sound = false;
        self.tell(file.as_deref().unwrap_or(STDIN), error);
        self.case(&Case::unread(file, error))
    }

    /// Takes a fault down for the merged view; a table has no place for it.
    fn tell(&mut self, place: &str, error: &dyn std::fmt::Display) {
        self.merge.add_unread(place, &error.to_string());
        if matches!(self.format, Some(Format::Ndjson | Format::Csv)) {
            eprintln!("dmarc_report: {place}: {error}");
        }
    }

    fn case(&mut self, case: &Case) -> Done {
        if self.format.is_some() {
            Ok(())
        } else {
            shown::write(case, self.show.json, &mut self.out)
        }
    }

    /// Writes the merged view; returns whether the exit status is that of success.
    fn finish(mut self) -> Result<bool, Box<dyn Error>> {
        let (merge, out) = (&self.merge, &mut self.out);
        match self.format {
            None => {}
            Some(Format::Text) => out.write_all(summary::text(&merge.view()).as_bytes())?,
            Some(Format::Json) => {
                serde_json::to_writer(&mut *out, &merge.view())?;
                out.write_all(b"\n")?;
            }
            Some(Format::Ndjson) => write_ndjson(merge, out)?,
            Some(Format::Csv) => write_csv(merge, out)?,
            Some(Format::Html) => page::write(&merge.view(), out)?,
        }
        out.flush()?;
        Ok(self.is_sound || !self.show.strict)
    }
}

const STDIN: &str = "standard input";
