//! Fetches, checks and shows OCSP responses, and checks the staple of a server.

mod case;
mod fetch;
mod files;
mod serve_check;
mod show;

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use examples::cases::certificates;
use examples::cases::lines;
use examples::cases::shown::{self, Shown as _};

use case::{Case, Verdict};

fn main() -> ExitCode {
    let done = match Arguments::parse().action {
        Action::Fetch(fetch) => fetch.run().map(|()| true),
        Action::Check(check) => check.run(),
        Action::Show { files } => show::all(&files).map(|()| true),
        Action::ServeCheck(check) => check.run().map(|()| true),
    };
    shown::exit_strict("ocsp", done)
}

/// Fetches, checks and shows OCSP responses, and checks the staple of a server.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Fetches the response for a certificate into a file, which is replaced atomically
    ///
    /// An invalid response, or one with another status than good, is an error, and leaves the file. A
    /// certificate without a responder is no error.
    Fetch(fetch::Wanted),
    /// Verifies responses for certificates
    ///
    /// Without arguments each line of standard input is a case, as a JSON object with `response`,
    /// `cert`, `issuer` and `time` (RFC 3339; by default the current time). Responses and
    /// certificates are names of files, or DER in base64.
    Check(Check),
    /// Shows the content of responses, without verifying them
    Show {
        /// Files, in DER or PEM
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Connects to a mail server, and checks its staple with STARTTLS
    ServeCheck(serve_check::Wanted),
}

#[derive(Args, Debug)]
struct Check {
    /// A file with the response
    #[arg(requires_all = ["cert", "issuer"])]
    response: Option<String>,
    /// A file with the certificate
    #[arg(long, requires = "response")]
    cert: Option<String>,
    /// A file with the certificate of its issuer
    #[arg(long, requires = "response")]
    issuer: Option<String>,
    /// The time of the check, as 2026-06-15T12:00:00Z [default: now]
    #[arg(long, value_parser = time, requires = "response")]
    time: Option<String>,
    /// Exits with 1 unless the status of each case is good
    #[arg(long)]
    strict: bool,
    /// Writes one JSON object for each case
    #[arg(long)]
    json: bool,
}

/// The longest line that is read, in octets.
const MAX_LINE: usize = 4 << 20;
const WANTED: &str =
    "a case a line, such as {\"response\": \"a.der\", \"cert\": \"a.pem\", \"issuer\": \"ca.pem\"}";

impl Check {
    /// Returns whether the exit status is that of success.
    fn run(self) -> Result<bool, Box<dyn Error>> {
        let (json, strict) = (self.json, self.strict);
        let mut out = BufWriter::new(io::stdout().lock());
        if let (Some(response), Some(cert), Some(issuer)) = (self.response, self.cert, self.issuer)
        {
            let case = Case { response, cert, issuer, time: self.time };
            let verdict = case.check()?;
            shown::write(&verdict, json, &mut out)?;
            out.flush()?;
            return Ok(verdict.is_sound() || !strict);
        }
        let mut is_sound = true;
        lines::each(MAX_LINE, WANTED, &mut out, |line, out| {
            let verdict = match line.case::<Case>() {
                Ok(case) => case.verdict(),
                Err(no_case) => Verdict::wrong(&no_case.error, no_case.at),
            };
            is_sound &= verdict.is_sound();
            shown::write(&verdict.on_line(line.number), json, out)
        })?;
        Ok(is_sound || !strict)
    }
}

/// Tells at once whether a time can be read.
fn time(text: &str) -> Result<String, &'static str> {
    certificates::time(text).map(|_| text.to_owned())
}
