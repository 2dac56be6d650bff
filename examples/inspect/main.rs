//! Inspects the mail of domains: hosts, DNSSEC, TLSA records and certificates, OCSP staples, SPF and DMARC.

mod domains;
mod hosts;
mod inspection;
mod inspector;
mod page;
mod sentences;
mod summary;
mod workers;

use std::error::Error;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use examples::cases::answers::Answers;
use examples::cases::resolver::ResolverArguments;
use examples::cases::shown;
use examples::cases::typed_name::domain;
use indicatif::{ProgressBar, ProgressStyle};
use mail_types::dns::DnssecStatus;
use mail_types::smtp::Domain;

use domains::Domains;
use hosts::Reach;
use inspection::Inspection;
use inspector::Inspector;
use summary::Summary;

/// Inspects the mail of domains.
///
/// For each domain: its mail hosts with the DNSSEC status of each answer, the TLSA records beside the certificates that the
/// hosts send, their OCSP staples, SPF as a tree with its lookups counted, and DMARC with the tree walk. Each defect
/// has the sentence of the standard that it breaks. A lookup that fails (SERVFAIL, a timeout) is told apart from a record that does not exist.
#[derive(Debug, Parser)]
#[command(name = "inspect")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
struct Arguments {
    /// The domains
    #[arg(required_unless_present = "file", value_parser = domain)]
    domains: Vec<Domain>,
    /// A file with more domains, one in a line; - is standard input. A line that is no domain is told, and the others
    /// follow
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// A master file that answers all questions to the DNS
    #[arg(long, value_name = "FILE")]
    zone: Option<PathBuf>,
    /// The DNSSEC status of the answers from the master file: secure, insecure or indeterminate
    #[arg(long, value_name = "STATUS", default_value_t = DnssecStatus::Secure, requires = "zone",
        conflicts_with_all = ["resolver", "trust_ad", "validate"])]
    security: DnssecStatus,
    #[command(flatten)]
    resolver: ResolverArguments,
    /// The port of the mail hosts: they are connected to there, and have their TLSA records at _PORT._tcp (RFC 7672 section 2.2.3)
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Connects to no mail host
    #[arg(long)]
    no_connect: bool,
    /// Connects to mail hosts at addresses of this host and of private networks too, which the DNS of a stranger may name
    #[arg(long, conflicts_with = "no_connect")]
    allow_private: bool,
    /// The number of domains that are inspected at a time
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Writes one JSON object for each domain
    #[arg(long)]
    json: bool,
    /// Writes one self-contained page
    #[arg(long, conflicts_with = "json")]
    html: bool,
    /// Exits with 1 if a domain has a problem, a lookup has failed, or a line of --file is no domain
    #[arg(long)]
    strict: bool,
}

fn main() -> ExitCode {
    shown::exit_strict("inspect", run(&Arguments::parse()))
}

/// Returns whether the exit status is that of success.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let Domains { list: domains, unread } =
        Domains::new(&arguments.domains, arguments.file.as_deref())?;
    let inspectors = arguments.inspectors(domains.len())?;
    let bar = progress(domains.len() as u64);
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut summary, mut kept) = (Summary::of_unread(unread.len()), Vec::new());
    for line in unread.iter().filter(|_| !arguments.html) {
        shown::write(line, arguments.json, &mut out)?;
    }
    let mut written = Ok(());
    workers::run(inspectors, &domains, |inspection: Inspection| {
        bar.inc(1);
        summary.add(&inspection);
        if arguments.html {
            kept.push(inspection);
        } else if written.is_ok() {
            written = shown::write(&inspection, arguments.json, &mut out);
        }
        written.is_ok()
    })?;
    bar.finish_and_clear();
    written?;
    if arguments.html {
        page::write(&kept, &unread, &summary, &mut out)?;
    } else if !arguments.json && domains.len() + unread.len() > 1 {
        write!(out, "{summary}")?;
    }
    out.flush()?;
    Ok(!arguments.strict || summary.is_sound())
}

/// A bar on standard error, if that is a terminal and there is something to wait for.
fn progress(count: u64) -> ProgressBar {
    if count < 2 || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} domains, {eta} left");
    let bar = ProgressBar::new(count);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Arguments {
    fn reach(&self) -> Reach {
        match (self.no_connect, self.allow_private) {
            (true, _) => Reach::Nobody,
            (false, true) => Reach::Everybody,
            (false, false) => Reach::Public,
        }
    }

    /// Makes an inspector for each domain that is inspected at a time.
    fn inspectors(&self, domains: usize) -> Result<Vec<Inspector>, Box<dyn Error>> {
        let resolver = match self.zone {
            Some(_) => None,
            None => Some(self.resolver.resolver()?),
        };
        let zone = Answers::new(self.zone.as_deref())?.with_security(self.security);
        let mut inspectors = Vec::new();
        for _ in 0..usize::from(self.jobs).min(domains.max(1)) {
            let answers = match &resolver {
                Some(resolver) => zone.of_same_zone().with_resolver(resolver.clone()),
                None => zone.of_same_zone(),
            };
            inspectors.push(Inspector::new(answers, self.port, self.reach()));
        }
        if let Some(resolver) = resolver {
            resolver.warn("inspect");
        }
        Ok(inspectors)
    }
}
