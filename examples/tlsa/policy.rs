//! How mail to a next hop is secured.

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::mem;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use dane_tlsa::Policy;
use dane_tlsa::mail_types::dns::{DnssecStatus, Zone};
use examples::cases::answers::Answers;
use examples::cases::dns::{self, DnsEntry};
use examples::cases::lines;
use examples::cases::output::{OutputArguments, Recorder};
use examples::cases::resolver::{Asked, ResolverArguments};
use examples::cases::shown::{self, Shown as _};
use examples::cases::trace::TraceLine;

use crate::next_hop::{Case, InsecureMxMode, Kind, Mode, MtaStsMode, Outcome};

#[derive(Args, Debug)]
pub(crate) struct Wanted {
    /// The domain of a recipient, a relay, or an address
    #[arg(value_name = "NEXT_HOP")]
    next_hop: Option<String>,
    /// The kind of the next hop
    #[arg(long, value_enum, default_value_t = Kind::Domain, requires = "next_hop")]
    kind: Kind,
    /// A host of the kind hosts; the first is tried first
    #[arg(long = "host", value_name = "NAME", requires = "next_hop")]
    hosts: Vec<String>,
    /// The port of the servers
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..), requires = "next_hop")]
    port: u16,
    /// Whether DANE is required
    #[arg(long, value_enum, default_value_t = Mode::Try, requires = "next_hop")]
    mode: Mode,
    /// The treatment of hosts from MX records without DNSSEC
    #[arg(long, value_enum, default_value_t = InsecureMxMode::Off, requires = "next_hop")]
    insecure_mx: InsecureMxMode,
    /// The MTA-STS policy of the domain
    #[arg(long, value_enum, default_value_t = MtaStsMode::None, requires = "next_hop")]
    mta_sts: MtaStsMode,
    /// The hosts whose TLSA records are looked up, as a list of Exim's [default: all]
    #[arg(long, value_name = "LIST", requires = "next_hop")]
    hosts_try_dane: Option<String>,
    /// The hosts that get mail only if DANE authenticates them, as a list of Exim's [default: none]
    #[arg(long, value_name = "LIST", requires = "next_hop")]
    hosts_require_dane: Option<String>,
    /// Answers all questions to the DNS from a master file. Without it a resolver is asked; a resolver on another host
    /// is believed about DNSSEC only with --trust-ad
    #[arg(long, value_name = "FILE")]
    zone: Option<PathBuf>,
    /// The DNSSEC status of the answers from the master file: secure, insecure or indeterminate
    #[arg(long, value_name = "STATUS", default_value_t = DnssecStatus::Secure, requires = "zone",
        conflicts_with_all = ["resolver", "trust_ad", "validate"])]
    security: DnssecStatus,
    #[command(flatten)]
    resolver: ResolverArguments,
    /// Exits with 1 if a case could not be read, or has no host that can be tried
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    output: OutputArguments,
}

/// The longest line that is read, in octets.
const MAX_LINE: usize = 4 << 20;
const WANTED: &str = "a case a line, such as {\"next_hop\": \"example.com\"}";
/// How long the resolver may take for a case.
const TIME: Duration = Duration::from_secs(20);

impl Wanted {
    /// Returns whether the exit status is that of success.
    pub(crate) fn run(&self) -> Result<bool, Box<dyn Error>> {
        let mut out = BufWriter::new(io::stdout().lock());
        let answers = Answers::new(self.zone.as_deref())?.with_security(self.security);
        let recorder = self.output.recorder()?;
        let mut run = Run { wanted: self, answers, resolver: None, recorder };
        if let Some(next_hop) = &self.next_hop {
            let case = Case {
                next_hop: next_hop.clone(),
                kind: self.kind,
                hosts: self.hosts.clone(),
                port: self.port,
                mode: self.mode,
                insecure_mx: self.insecure_mx,
                mta_sts: self.mta_sts,
                hosts_try_dane: self.hosts_try_dane.clone(),
                hosts_require_dane: self.hosts_require_dane.clone(),
                dns: None,
            };
            let policy = case.policy()?;
            let outcome = run.decide(case, &policy, None)?;
            shown::write(&outcome, self.output.json, &mut out)?;
            out.flush()?;
            return Ok(outcome.is_sound() || !self.strict);
        }
        let mut is_sound = true;
        lines::each(MAX_LINE, WANTED, &mut out, |line, out| {
            let outcome = match line.case::<Case>() {
                Ok(case) => run.outcome(case)?,
                Err(no_case) => Outcome::wrong(&no_case.error, no_case.at),
            };
            is_sound &= outcome.is_sound();
            shown::write(&outcome.on_line(line.number), self.output.json, out)
        })?;
        Ok(is_sound || !self.strict)
    }
}

struct Run<'a> {
    wanted: &'a Wanted,
    answers: Answers,
    /// It is made once a case has no answers of its own.
    resolver: Option<Asked>,
    recorder: Recorder,
}

impl Run<'_> {
    fn outcome(&mut self, case: Case) -> Result<Outcome, Box<dyn Error>> {
        let own = match case.dns.as_deref().map(dns::zone).transpose() {
            Ok(own) => own,
            Err(error) => return Ok(Outcome::wrong(&error, 0)),
        };
        match case.policy() {
            Ok(policy) => self.decide(case, &policy, own.as_ref()),
            Err(error) => Ok(Outcome::wrong(&error.to_string(), 0)),
        }
    }

    /// Decides by the case's own answers, if it has them.
    fn decide(
        &mut self,
        mut case: Case,
        policy: &Policy,
        own: Option<&Zone>,
    ) -> Result<Outcome, Box<dyn Error>> {
        let mut session = policy.session();
        if self.wanted.output.trace || self.wanted.output.record.is_some() {
            session = session.traced();
        }
        let asks = own.is_none() && self.wanted.zone.is_none();
        if asks && self.resolver.is_none() {
            let resolver = self.wanted.resolver.resolver()?;
            self.answers = mem::take(&mut self.answers).with_resolver(resolver.clone());
            self.resolver = Some(resolver);
        }
        let decision = self.answers.run(&mut session, own, TIME)?;
        if let Some(resolver) = self.resolver.as_ref().filter(|_| asks) {
            resolver.warn("tlsa");
        }
        case.dns = Some(DnsEntry::record(session.answers()));
        self.recorder.write(&case)?;
        let trace = if self.wanted.output.trace { session.trace() } else { &[] };
        let trace = trace.iter().map(TraceLine::new).collect();
        Ok(Outcome::new(policy, &decision).with_trace(trace))
    }
}
