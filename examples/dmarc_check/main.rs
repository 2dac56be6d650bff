//! Reviews the DMARC records of domains, or evaluates DMARC for a message and shows the trace of the verdict.

mod case;
mod given;

use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use dmarc_policy::{Discovery, Review, SuffixFile};
use examples::cases::answers::Answers;
use examples::cases::dmarc_review::DmarcReview;
use examples::cases::dns::{self, DnsEntry};
use examples::cases::lines;
use examples::cases::output::{OutputArguments, Recorder};
use examples::cases::resolver::ResolverArguments;
use examples::cases::shown::{self, Shown as _};
use examples::cases::typed_name::domain;
use mail_types::smtp::Domain;

use case::{Case, Verdict};
use given::{Signature, Spf};

fn main() -> ExitCode {
    let done = Program::new(Arguments::parse()).and_then(|mut program| program.run());
    shown::exit_strict("dmarc_check", done)
}

/// Reviews the DMARC records of domains, or evaluates DMARC for a message.
///
/// A review has the names of the tree walk with their records, the policy that counts for the domain, and every
/// defect with its section, also of report destinations that do not accept the reports. Without a domain and without
/// --from, each line of standard input is a case, as a JSON object with `from`, the bodies of
/// the `From` fields, `spf` with `result`, `domain` and `identity` (mfrom or helo), `dkim`, a list of
/// `result`, `domain` and `selector`, and, for a replay, `dns`.
#[derive(Debug, Parser)]
#[command(after_long_help = SAMPLE)]
struct Arguments {
    /// Domains whose records are reviewed
    #[arg(value_parser = domain, conflicts_with_all = ["from", "spf", "dkim", "trace", "record", "tld_file", "psl", "authors"])]
    domains: Vec<Domain>,
    /// The body of a `From` field
    #[arg(long, value_name = "BODY")]
    from: Vec<String>,
    /// The result of SPF: `pass:example.com`, or `pass:example.com:helo` for the HELO name
    #[arg(long, requires = "from", value_name = "RESULT:DOMAIN")]
    spf: Option<Spf>,
    /// The result of a DKIM signature: `pass:example.com:selector`
    #[arg(long, requires = "from", value_name = "RESULT:DOMAIN:SELECTOR")]
    dkim: Vec<Signature>,
    /// Answers DNS questions from a master file instead of the system's resolver
    #[arg(long, value_name = "FILE")]
    zone: Option<PathBuf>,
    /// A list of public suffixes, for organizations without a record
    #[arg(long, value_name = "FILE")]
    tld_file: Option<PathBuf>,
    /// Finds organizations by the list only, as RFC 7489 does
    #[arg(long, requires = "tld_file")]
    psl: bool,
    /// The most author domains of a message that are tested; 0 tests none if there are several [default: all]
    #[arg(long, value_name = "COUNT")]
    authors: Option<usize>,
    /// Exits with 1 if a case could not be read, or a reviewed domain has a defect that is no choice such as test mode
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    resolver: ResolverArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// A case, which the help shows.
const SAMPLE: &str = r#"A case:
  {"from": ["Ann <ann@example.com>"], "spf": {"result": "pass", "domain": "mail.example.com", "identity": "mfrom"}, "dkim": [{"result": "pass", "domain": "example.com", "selector": "s1"}], "dns": [{"name": "_dmarc.example.com", "type": "TXT", "records": ["v=DMARC1; p=reject"]}]}"#;
/// The longest line that is read, in octets.
const MAX_LINE: usize = 4 << 20;
const WANTED: &str = "a case a line, such as {\"from\": [\"ann@example.com\"]}";
/// The time limit of the resolver for a case.
const TIME: Duration = Duration::from_secs(20);

struct Program {
    arguments: Arguments,
    discovery: Discovery,
    answers: Answers,
    recorder: Recorder,
}

impl Program {
    fn new(arguments: Arguments) -> Result<Self, Box<dyn Error>> {
        let answers = Answers::of_arguments(arguments.zone.as_deref(), &arguments.resolver)?;
        let recorder = arguments.output.recorder()?;
        let discovery = match &arguments.tld_file {
            None => Discovery::TreeWalk,
            Some(file) => {
                let text = shown::named(file, fs::read_to_string(file))?;
                let list = Arc::new(shown::read_in(file, SuffixFile::parse(&text))?);
                if arguments.psl { Discovery::Psl(list) } else { Discovery::TreeWalkThenPsl(list) }
            }
        };
        Ok(Self { arguments, discovery, answers, recorder })
    }

    /// Returns whether the exit status is that of success.
    fn run(&mut self) -> Result<bool, Box<dyn Error>> {
        let mut out = BufWriter::new(io::stdout().lock());
        let (json, strict) = (self.arguments.output.json, self.arguments.strict);
        let mut is_sound = true;
        for domain in &self.arguments.domains {
            let review = Review::new(domain.clone());
            let reviewed = self.answers.run(&mut review.session(), None, TIME)?;
            let review = DmarcReview::new(domain, &reviewed);
            is_sound &= review.is_sound();
            shown::write(&review, json, &mut out)?;
        }
        if !self.arguments.domains.is_empty() {
            out.flush()?;
            return Ok(is_sound || !strict);
        }
        if !self.arguments.from.is_empty() {
            let Arguments { from, spf, dkim, .. } = &self.arguments;
            let case = Case::new(from.clone(), spf.clone(), dkim.clone());
            let verdict = self.verdict(case)?;
            shown::write(&verdict, json, &mut out)?;
            out.flush()?;
            return Ok(true);
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
        let mut dmarc = case.inquiry().with_discovery(self.discovery.clone());
        if let Some(authors) = self.arguments.authors {
            dmarc = dmarc.with_several_authors(authors);
        }
        let mut session = dmarc.session().traced();
        let verdict = self.answers.run(&mut session, own.as_ref(), TIME)?;
        let trace = if self.arguments.output.trace { session.trace() } else { &[] };
        let verdict = Verdict::new(&verdict, session.answers(), trace);
        case.dns = Some(DnsEntry::record(session.answers()));
        self.recorder.write(&case)?;
        Ok(verdict)
    }
}
