//! The arguments.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use examples::cases::resolver::ResolverArguments;
use examples::cases::shown::read_text;
use examples::cases::typed_name::mailbox;
use examples::gateway::config::Config;
use examples::gateway::delivery::sender::{Envelope, SenderError, SenderOptions, SenderSettings};
use mail_types::dns::{DnssecStatus, Resolve, Zone};
use mail_types::hickory::ResolverSettings;
use mail_types::smtp::{Mailbox, ReversePath};

/// Sends the message on standard input to its recipients, by the MX records of their domains.
///
/// It tries once: a recipient whose mail is deferred is reported, and nothing is kept. It is no queue.
/// The exit status is 0 if every recipient has the message, 75 if mail for one was deferred, 69 if mail for one
/// was refused, and 2 if nothing was tried.
#[derive(Debug, Parser)]
#[command(name = "send")]
#[expect(clippy::doc_markdown, reason = "it is the text of --help")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Arguments {
    /// The recipients
    #[arg(required = true, value_name = "RECIPIENT", value_parser = mailbox)]
    recipients: Vec<Mailbox>,
    /// The sender, for the reverse-path; without it the path is empty
    #[arg(short, long, value_name = "ADDRESS", value_parser = mailbox)]
    from: Option<Mailbox>,
    /// A configuration of the gateway: its table [remote_smtp] holds here too
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The next hop, as route_data has it: mx.example.com:25, [2001:db8::1]:25, example.com/MX; without it the
    /// domains of the recipients
    #[arg(long, value_name = "ROUTE")]
    route: Option<String>,
    /// The port of the servers
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..), conflicts_with = "route")]
    port: u16,
    /// The name of this host in EHLO; without it the configuration's or the system's
    #[arg(long, value_name = "NAME")]
    helo: Option<String>,
    /// A master file that answers all questions to the DNS
    #[arg(long, value_name = "FILE")]
    zone: Option<PathBuf>,
    /// The DNSSEC status of the answers from the master file: secure, insecure or indeterminate
    #[arg(long, value_name = "STATUS", default_value_t = DnssecStatus::Secure, requires = "zone",
        conflicts_with_all = ["resolver", "trust_ad", "validate"])]
    security: DnssecStatus,
    #[command(flatten)]
    resolver: ResolverArguments,
    /// How long everything may take, in seconds
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// Requires authenticated TLS on the whole way (REQUIRETLS, RFC 8689); of a message without a sender it is only
    /// asked for
    #[arg(long)]
    require_tls: bool,
    /// Shows the hosts and how mail to each is secured, and sends nothing; a message on standard input, if that is no
    /// terminal, may waive TLS or need extensions. The exit status is 75 or 69 if no host could be tried
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Shows every question to the DNS, and every answer
    #[arg(long, requires = "dry_run")]
    pub(crate) trace: bool,
    /// Writes one JSON object for each recipient, or with --dry-run for each domain
    #[arg(long)]
    pub(crate) json: bool,
}

impl Arguments {
    /// Reads the configuration, and finds the resolver.
    pub(crate) fn settings(&self) -> Result<SenderSettings, Box<dyn Error>> {
        let octets = self.config.as_ref().map(fs::read).transpose();
        let octets = octets.map_err(|error| format!("{}: {error}", self.shown_config()))?;
        let mut options = Config::decode(octets.unwrap_or_default())
            .and_then(|text| Config::for_sender(&text))
            .map_err(|error| format!("{}: {error}", self.shown_config()))?;
        if let Some(helo) = &self.helo {
            let helo = helo.parse().map_err(|error| format!("--helo {helo}: {error}"))?;
            options = options.with_helo(helo);
        }
        Ok(SenderSettings {
            resolver: self.resolver(&options)?,
            options,
            route: self.route.clone(),
            port: self.port,
            timeout: Duration::from_secs(self.timeout),
        })
    }

    /// Puts the argument before its error.
    pub(crate) fn named(&self, error: &SenderError) -> String {
        match (error, &self.route) {
            (SenderError::RouteData(_), Some(route)) => format!("--route {route}: {error}"),
            _ => error.to_string(),
        }
    }

    /// Warns of an option that requires less than its name says.
    pub(crate) fn warn(&self) {
        if self.require_tls && self.from.is_none() {
            let _ = writeln!(
                io::stderr(),
                "send: --require-tls without --from: the message is a bounce, which goes to hosts without REQUIRETLS \
                 too (RFC 8689 section 5); to require authenticated TLS give the sender with --from"
            );
        }
    }

    pub(crate) fn envelope(&self) -> Envelope {
        let sender = self.from.clone().map_or(ReversePath::Null, ReversePath::Mailbox);
        let (recipients, require_tls) = (self.recipients.clone(), self.require_tls);
        Envelope { sender, recipients, require_tls }
    }

    /// The resolver: a master file, a server, the configuration's, or the system's.
    fn resolver(&self, options: &SenderOptions) -> Result<Arc<dyn Resolve>, Box<dyn Error>> {
        if let Some(file) = &self.zone {
            let text = read_text(file)?;
            let zone = Zone::parse(&text)
                .map_err(|error| format!("{}: {error}: {}", file.display(), error.error))?;
            return Ok(Arc::new(zone.with_security(self.security)));
        }
        if self.resolver.is_chosen() {
            return Ok(Arc::new(self.resolver.resolver()?));
        }
        let system = Path::new(ResolverSettings::SYSTEM);
        Ok(options.resolver(system, self.resolver.trusts_ad())?)
    }

    fn shown_config(&self) -> String {
        self.config.as_deref().unwrap_or(Path::new("the defaults")).display().to_string()
    }
}
