//! Comparing records with what a server sends.

use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dane_tlsa::mail_types::dns::{
    Answer, DEADLINE, DnssecStatus, Name, Question, RecordType, Records, Resolve, Zone,
};
use dane_tlsa::{Limits, RecordSet};
use examples::cases::certificates::{self, certificates};
use examples::cases::lines;
use examples::cases::resolver::ResolverArguments;
use examples::cases::server_chain;
use examples::cases::shown::{self, Shown as _, named, read_in};
use examples::cases::typed_name;
use rustls::pki_types::{CertificateDer, UnixTime};

use crate::case::{self, Case, Outcome, Subject};
use crate::make::Place;

#[derive(Args, Debug)]
pub(crate) struct Wanted {
    /// A record, as "3 1 1 ab..."; can be given several times. Without a record and a zone file the DNS is asked
    #[arg(long = "record", value_name = "RECORD", conflicts_with_all = ["zone", "resolver", "trust_ad", "validate", "trust_anchor"])]
    records: Vec<String>,
    /// A zone file with the records of the host
    #[arg(long, value_name = "FILE", requires = "host")]
    zone: Option<PathBuf>,
    #[command(flatten)]
    resolver: ResolverArguments,
    #[command(flatten)]
    place: Place,
    /// Another name that the certificate may have under usage 2, as the domain of the mail; the host is the
    /// first
    #[arg(long = "name", value_name = "NAME", value_parser = typed_name::host)]
    names: Vec<Name>,
    /// A file with the certificates that the server sends, its own first
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    chain: Option<PathBuf>,
    /// A server that is asked for its certificates: a name or an address, and its port if it is not --port
    #[arg(long, value_name = "HOST[:PORT]", requires = "host")]
    server: Option<String>,
    /// How TLS begins with the server
    #[arg(long, value_enum, default_value_t = Start::Smtp, requires = "server", conflicts_with = "chain")]
    starttls: Start,
    /// When, as 2026-12-01T00:00:00Z; without, now
    #[arg(long, value_parser = certificates::time)]
    time: Option<UnixTime>,
    /// Exits with 1 unless the verdict on each case is match
    #[arg(long)]
    strict: bool,
    /// Writes one JSON object for each case
    #[arg(long)]
    json: bool,
}

/// How TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Start {
    /// With STARTTLS in SMTP
    Smtp,
    /// At once
    None,
}

/// The longest line that is read, in octets.
const MAX_LINE: usize = 4 << 20;
const WANTED: &str =
    "a case a line, such as {\"tlsa\": [\"3 1 1 ab...\"], \"chain\": [\"MII...\"]}";

impl Wanted {
    /// Returns whether the exit status is that of success.
    pub(crate) fn run(&self) -> Result<bool, Box<dyn Error>> {
        let mut out = BufWriter::new(io::stdout().lock());
        if self.chain.is_some() || self.server.is_some() {
            let outcome = self.subject()?.outcome();
            shown::write(&outcome, self.json, &mut out)?;
            out.flush()?;
            return Ok(outcome.is_sound() || !self.strict);
        }
        if let Some(option) = self.of_arguments() {
            return Err(format!(
                "{option}: no certificates to check: give them with --chain or --server, or leave {option} \
                 out, and give cases on standard input"
            )
            .into());
        }
        let mut is_sound = true;
        lines::each(MAX_LINE, WANTED, &mut out, |line, out| {
            let outcome = match line.case::<Case>() {
                Ok(case) => case.outcome(),
                Err(no_case) => Outcome::wrong(&no_case.error, no_case.at),
            };
            is_sound &= outcome.is_sound();
            shown::write(&outcome.on_line(line.number), self.json, out)
        })?;
        Ok(is_sound || !self.strict)
    }

    /// Returns an option that has no meaning for cases from standard input.
    fn of_arguments(&self) -> Option<&'static str> {
        let others = [
            ("--record", !self.records.is_empty()),
            ("--zone", self.zone.is_some()),
            ("--host", self.place.host.is_some()),
            ("--name", !self.names.is_empty()),
            ("--time", self.time.is_some()),
        ];
        let mut others = others.into_iter();
        let other = others.find_map(|(option, is_given)| is_given.then_some(option));
        other.or_else(|| self.resolver.given())
    }

    fn subject(&self) -> Result<Subject, Box<dyn Error>> {
        let records = self.read_records()?;
        let now = self.time.unwrap_or_else(UnixTime::now);
        let host = self.place.host.iter();
        let names: Vec<_> = host.chain(&self.names).cloned().collect();
        let chain = match (&self.chain, &self.server) {
            (Some(path), _) => certificates(path)?.into_iter().map(CertificateDer::from).collect(),
            (None, Some(server)) => {
                let port = self.place.port;
                let is_smtp = self.starttls == Start::Smtp;
                let sent = server_chain::sent(server, port, is_smtp, &records, &names);
                sent.map_err(|error| format!("--server {server}: {error}"))?.chain
            }
            (None, None) => Vec::new(),
        };
        Ok(Subject { records, chain, names, now })
    }

    fn read_records(&self) -> Result<RecordSet, Box<dyn Error>> {
        let name = self.place.name()?;
        if let (None, [], Some(name)) = (&self.zone, &self.records[..], &name) {
            return self.ask(name);
        }
        if self.records.is_empty() && name.is_none() {
            return Err("no TLSA records to compare the certificates with: give them with --record, or name the \
                        server with --host, whose records are looked up in the DNS or in the file of --zone"
                .into());
        }
        let (Some(path), Some(name)) = (&self.zone, name) else {
            return case::records(&self.records).map_err(|error| format!("--record{error}").into());
        };
        let text = named(path, fs::read_to_string(path))?;
        let zone = Zone::parse(&text).map_err(|error| format!("{error}: {}", error.error));
        let zone = read_in(path, zone)?;
        match zone.answer(&Question::new(name.clone(), RecordType::Tlsa)) {
            Answer::Records { records: Records::Tlsa(wires), .. } => {
                read_in(path, RecordSet::from_wire(&wires, &Limits::default()))
            }
            _ => Err(format!("{}: no TLSA record of {name}", path.display()).into()),
        }
    }

    /// Asks the DNS for the records.
    fn ask(&self, name: &Name) -> Result<RecordSet, Box<dyn Error>> {
        let resolver = self.resolver.resolver()?;
        let question = Question::new(name.clone(), RecordType::Tlsa);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (_, answer) = runtime.block_on(resolver.answer(question, DEADLINE));
        resolver.warn("tlsa");
        match answer {
            Answer::Records { records: Records::Tlsa(wires), security, .. } => {
                if security != DnssecStatus::Secure {
                    let _ = writeln!(
                        io::stderr(),
                        "tlsa: the records of {name} are {security}: they authenticate nothing"
                    );
                }
                Ok(RecordSet::from_wire(&wires, &Limits::default())?)
            }
            Answer::Failed(failure) => {
                Err(format!("the DNS lookup of {name} TLSA failed: {failure}").into())
            }
            _ => Err(format!(
                "no TLSA record of {name} in the DNS; give others with --record or --zone"
            )
            .into()),
        }
    }
}
