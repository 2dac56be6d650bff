//! Checks whether a client may send mail for a domain, and shows the trace of the verdict.

mod case;

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use examples::cases::answers::Answers;
use examples::cases::dns::{self, DnsEntry};
use examples::cases::lines;
use examples::cases::output::{OutputArguments, Recorder};
use examples::cases::shown::{self, Done};
use spf_result::Options;

use case::{Case, Verdict};

fn main() -> ExitCode {
    let done = Program::new(Arguments::parse()).and_then(|mut program| program.run());
    shown::exit("spf_check", done)
}

/// Checks whether a client may send mail for a domain.
///
/// Without --ip, each line of standard input is a case, as a JSON object with `ip`, `helo`,
/// `mail_from` and, for a replay, `dns`. Without `mail_from` the HELO name is checked.
#[derive(Debug, Parser)]
struct Arguments {
    /// The client's IP address
    #[arg(long, requires = "helo")]
    ip: Option<IpAddr>,
    /// The client's HELO or EHLO name
    #[arg(long, requires = "ip")]
    helo: Option<String>,
    /// The reverse-path; empty for the null path
    #[arg(long, requires = "ip", value_name = "ADDRESS")]
    from: Option<String>,
    /// Answers DNS questions from a master file instead of the system's resolver
    #[arg(long, value_name = "FILE")]
    zone: Option<PathBuf>,
    /// Evaluates Exim's guess record for a domain without an SPF record
    #[arg(long)]
    guess: bool,
    #[command(flatten)]
    output: OutputArguments,
}

/// The longest input line, in octets.
const MAX_LINE: usize = 4 << 20;

struct Program {
    arguments: Arguments,
    options: Options,
    answers: Answers,
    recorder: Recorder,
}

impl Program {
    fn new(arguments: Arguments) -> Result<Self, Box<dyn Error>> {
        let answers = Answers::new(arguments.zone.as_deref())?;
        let recorder = arguments.output.recorder()?;
        let mut options = Options::default();
        options.guess = arguments.guess.then(Options::default_guess);
        Ok(Self { arguments, options, answers, recorder })
    }

    fn run(&mut self) -> Done {
        let mut out = BufWriter::new(io::stdout().lock());
        let json = self.arguments.output.json;
        if let (Some(ip), Some(helo)) = (self.arguments.ip, &self.arguments.helo) {
            let case = Case::new(ip, helo.clone(), self.arguments.from.clone());
            shown::write(&self.verdict(case)?, json, &mut out)?;
            return Ok(out.flush()?);
        }
        lines::each(MAX_LINE, &mut out, |line, out| {
            let verdict = match serde_json::from_slice(line) {
                _ if line.len() > MAX_LINE => Verdict::wrong("line too long", line.len()),
                Ok(case) => self.verdict(case)?,
                Err(error) => Verdict::wrong(&error.to_string(), error.column()),
            };
            shown::write(&verdict, json, out)
        })
    }

    fn verdict(&mut self, mut case: Case) -> Result<Verdict, Box<dyn Error>> {
        let own = match case.dns.as_deref().map(dns::zone).transpose() {
            Ok(own) => own,
            Err(error) => return Ok(Verdict::wrong(&error, 0)),
        };
        let (options, time) = (self.options.clone(), self.options.limits.time);
        let helo = case.helo();
        let check = match case.check(&helo, &options) {
            Ok(check) => check,
            Err(error) => return Ok(Verdict::wrong(&error.to_string(), error.at())),
        };
        let mut session = check.session().traced();
        let verdict = self.answers.run(&mut session, own.as_ref(), time)?;
        let trace = if self.arguments.output.trace { session.trace() } else { &[] };
        let verdict = Verdict::new(&verdict, trace);
        case.dns = Some(DnsEntry::record(session.answers()));
        self.recorder.write(&case)?;
        Ok(verdict)
    }
}
