//! Checks whether a client may send mail for a domain, and shows how the verdict came about.

mod case;
#[path = "../cases/dns.rs"]
mod dns;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, Read, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use hickory_resolver::TokioResolver;
use mail_types::{Answer, Note, Question, Session, Step, Zone};
use spf_result::{Check, Options, Outcome};
use tokio::runtime::Runtime;

use case::{Case, Verdict};
use dns::Entry;

fn main() -> ExitCode {
    match Program::new(Arguments::parse()).and_then(|mut program| program.run()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever has closed the pipe has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("spf_check: {error}");
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Checks whether a client may send mail for a domain.
///
/// Without --ip, each line of standard input is a case, as a JSON object with `ip`, `helo`,
/// `mail_from` and, if it is to be replayed, `dns`. Without `mail_from` the HELO name is checked.
#[derive(Debug, Parser)]
struct Arguments {
    /// The address of the client
    #[arg(long, requires = "helo")]
    ip: Option<IpAddr>,
    /// The name that the client gave with HELO or EHLO
    #[arg(long, requires = "ip")]
    helo: Option<String>,
    /// The reverse-path; empty for the null path
    #[arg(long, requires = "ip", value_name = "ADDRESS")]
    from: Option<String>,
    /// A master file that answers; without, the system's resolver does
    #[arg(long, value_name = "FILE")]
    zone: Option<PathBuf>,
    /// Shows every term that was tried, and every answer
    #[arg(long)]
    trace: bool,
    /// Writes the cases there, with the answers that came
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Evaluates Exim's guess where nothing is published
    #[arg(long)]
    guess: bool,
    /// Writes one JSON object for each case
    #[arg(long)]
    json: bool,
}

/// The longest line that is read.
const MAX_LINE: u64 = 4 << 20;

type Answers = Vec<(Question, Arc<Answer>)>;

struct Program {
    arguments: Arguments,
    options: Options,
    zone: Option<Zone>,
    record: Option<File>,
    resolver: Option<(Runtime, TokioResolver)>,
}

impl Program {
    fn new(arguments: Arguments) -> Result<Self, Box<dyn Error>> {
        let zone = match &arguments.zone {
            Some(file) => {
                let text = fs::read_to_string(file)?;
                let failed =
                    |error: mail_types::MasterFileError| format!("{error}: {}", error.error);
                Some(Zone::parse(&text).map_err(failed)?)
            }
            None => None,
        };
        let record = arguments.record.as_ref().map(File::create).transpose()?;
        let mut options = Options::default();
        options.guess = arguments.guess.then(Options::default_guess);
        Ok(Self { arguments, options, zone, record, resolver: None })
    }

    fn run(&mut self) -> Result<(), Box<dyn Error>> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        if let (Some(ip), Some(helo)) = (self.arguments.ip, &self.arguments.helo) {
            let case = Case::new(ip, helo.clone(), self.arguments.from.clone());
            let verdict = self.verdict(case)?;
            self.write(&verdict, &mut out)?;
            return Ok(out.flush()?);
        }
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            // A byte more than fits tells a line that is too long.
            if (&mut input).take(MAX_LINE + 1).read_until(b'\n', &mut line)? == 0 {
                return Ok(out.flush()?);
            }
            let verdict = if line.ends_with(b"\n") || line.len() as u64 <= MAX_LINE {
                match serde_json::from_slice(&line) {
                    Ok(case) => self.verdict(case)?,
                    Err(error) => Verdict::wrong(&error.to_string(), error.column()),
                }
            } else {
                input.skip_until(b'\n')?;
                Verdict::wrong("the line is too long", line.len())
            };
            self.write(&verdict, &mut out)?;
            out.flush()?;
        }
    }

    fn write(&self, verdict: &Verdict, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
        if self.arguments.json {
            serde_json::to_writer(&mut *out, verdict)?;
            Ok(writeln!(out)?)
        } else {
            Ok(out.write_all(verdict.text().as_bytes())?)
        }
    }

    fn verdict(&mut self, mut case: Case) -> Result<Verdict, Box<dyn Error>> {
        let own = match case.dns.as_deref().map(dns::zone).transpose() {
            Ok(own) => own,
            Err(error) => return Ok(Verdict::wrong(&error, 0)),
        };
        let options = self.options.clone();
        let (outcome, trace, answers) = match own.as_ref().or(self.zone.as_ref()) {
            Some(zone) => by_zone(case.check(&options), zone),
            None => self.by_resolver(case.check(&options))?,
        };
        let trace = if self.arguments.trace { trace } else { Vec::new() };
        if let Some(record) = &mut self.record {
            case.dns = Some(Entry::record(&answers));
            serde_json::to_writer(&mut *record, &case)?;
            writeln!(record)?;
        }
        Ok(Verdict::new(&outcome, &trace))
    }

    fn by_resolver(
        &mut self,
        check: Check<'_>,
    ) -> Result<(Outcome, Vec<Note>, Answers), Box<dyn Error>> {
        if self.resolver.is_none() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let resolver = runtime.block_on(async { TokioResolver::builder_tokio()?.build() })?;
            self.resolver = Some((runtime, resolver));
        }
        let Some((runtime, resolver)) = &self.resolver else { return Err("no resolver".into()) };
        let time = check.options().limits.time;
        let mut session = check.session().traced();
        let run = mail_types::hickory::run(&mut session, resolver, time, &|_| None);
        let outcome = runtime.block_on(run);
        Ok((outcome, session.trace().to_vec(), session.answers().to_vec()))
    }
}

fn by_zone(check: Check<'_>, zone: &Zone) -> (Outcome, Vec<Note>, Answers) {
    let mut session: Session<_> = check.session().traced();
    loop {
        match session.poll() {
            Step::Ask(question) => session.handle_answer(&question, zone.answer(&question)),
            Step::Wait => session.handle_timeout(),
            Step::Done(outcome) => {
                return (outcome, session.trace().to_vec(), session.answers().to_vec());
            }
        }
    }
}
