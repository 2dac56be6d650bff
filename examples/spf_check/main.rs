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
use examples::cases::resolver::ResolverArguments;
use examples::cases::shown::{self, Shown as _};
use examples::cases::spf_review::SpfReview;
use examples::cases::typed_name::{domain, in_ascii};
use mail_types::dns::Name;
use mail_types::smtp::Domain;
use spf_result::{Options, Review};

use case::{Case, Verdict};

fn main() -> ExitCode {
    let done = Program::new(Arguments::parse()).and_then(|mut program| program.run());
    shown::exit_strict("spf_check", done)
}

/// Reviews the SPF records of domains, or checks whether a client may send mail for a domain.
///
/// A review has the record of the domain with all that it refers to, the DNS lookups of each, and every
/// defect with its section of RFC 7208. Without a domain and without --ip, each line of standard input is a case, as a JSON object with `ip`, `helo`,
/// `mail_from` and, for a replay, `dns`. Without `mail_from` the HELO name is checked.
#[derive(Clone, Debug, Parser)]
#[command(after_long_help = SAMPLE)]
struct Arguments {
    /// Domains whose records are reviewed
    #[arg(value_parser = domain, conflicts_with_all = ["ip", "helo", "from", "trace", "record", "guess"])]
    domains: Vec<Domain>,
    /// The client's IP address
    #[arg(long)]
    ip: Option<IpAddr>,
    /// The client's HELO or EHLO name, which is checked without --from
    #[arg(long, requires = "ip", value_parser = in_ascii)]
    helo: Option<String>,
    /// The reverse-path; empty for the null path
    #[arg(long, requires = "ip", value_name = "ADDRESS", value_parser = in_ascii)]
    from: Option<String>,
    /// Answers DNS questions from a master file instead of the system's resolver
    #[arg(long, value_name = "FILE")]
    zone: Option<PathBuf>,
    /// Evaluates Exim's guess record for a domain without an SPF record
    #[arg(long)]
    guess: bool,
    /// Exits with 1 if a case could not be read, or a reviewed domain has a defect
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    resolver: ResolverArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// A case, which the help shows.
const SAMPLE: &str = r#"A case:
  {"ip": "192.0.2.1", "helo": "mx.example.com", "mail_from": "ann@example.com", "dns": [{"name": "example.com", "type": "TXT", "records": ["v=spf1 ip4:192.0.2.0/24 -all"]}]}"#;
/// The longest input line, in octets.
const MAX_LINE: usize = 4 << 20;
const WANTED: &str =
    "a case a line, such as {\"ip\": \"192.0.2.1\", \"mail_from\": \"ann@example.com\"}";

struct Program {
    arguments: Arguments,
    options: Options,
    answers: Answers,
    recorder: Recorder,
}

impl Program {
    fn new(arguments: Arguments) -> Result<Self, Box<dyn Error>> {
        let answers = Answers::of_arguments(arguments.zone.as_deref(), &arguments.resolver)?;
        let recorder = arguments.output.recorder()?;
        let mut options = Options::default();
        options.guess = arguments.guess.then(Options::default_guess);
        Ok(Self { arguments, options, answers, recorder })
    }

    /// Returns whether the exit status is that of success.
    fn run(&mut self) -> Result<bool, Box<dyn Error>> {
        let mut out = BufWriter::new(io::stdout().lock());
        let (json, strict) = (self.arguments.output.json, self.arguments.strict);
        let mut is_sound = true;
        for domain in &self.arguments.domains {
            let review = Review::new(Name::from(domain));
            let reviewed =
                self.answers.run(&mut review.session(), None, self.options.limits.time)?;
            let review = SpfReview::new(domain, &reviewed);
            is_sound &= review.is_sound();
            shown::write(&review, json, &mut out)?;
        }
        if let Some(ip) = self.arguments.ip {
            let Arguments { helo, from, .. } = self.arguments.clone();
            let verdict = self.verdict(Case::new(ip, helo, from.clone()))?;
            if let Some(error) = verdict.error() {
                let from = from.map(|from| format!("--from {from:?}: ")).unwrap_or_default();
                return Err(format!("{from}{error}").into());
            }
            shown::write(&verdict, json, &mut out)?;
        }
        if self.arguments.ip.is_some() || !self.arguments.domains.is_empty() {
            out.flush()?;
            return Ok(is_sound || !strict);
        }
        lines::each(MAX_LINE, WANTED, &mut out, |line, out| {
            let verdict = match line.case() {
                Ok(case) => self.verdict(case)?,
                Err(no_case) => Verdict::wrong(&no_case.error, no_case.at),
            };
            is_sound &= verdict.is_sound();
            shown::write(&verdict.on_line(line.number), json, out)
        })?;
        Ok(is_sound || !strict)
    }

    fn verdict(&mut self, mut case: Case) -> Result<Verdict, Box<dyn Error>> {
        let own = match case.dns.as_deref().map(dns::zone).transpose() {
            Ok(own) => own,
            Err(error) => return Ok(Verdict::wrong(&error, 0)),
        };
        let (options, time) = (self.options.clone(), self.options.limits.time);
        let Some(helo) = case.helo() else {
            return Ok(Verdict::wrong(
                "no HELO name (--helo), and no reverse-path with a domain (--from)",
                0,
            ));
        };
        let mail_from = case.mail_from();
        let check = match case.check(&helo, mail_from.as_deref(), &options) {
            Ok(check) => check,
            Err(error) => return Ok(Verdict::wrong(&error.to_string(), error.at())),
        };
        let mut session = check.session().traced();
        let verdict = self.answers.run(&mut session, own.as_ref(), time)?;
        let trace = if self.arguments.output.trace { session.trace() } else { &[] };
        let verdict = Verdict::new(&verdict, session.answers(), trace);
        case.dns = Some(DnsEntry::record(session.answers()));
        self.recorder.write(&case)?;
        Ok(verdict)
    }
}
