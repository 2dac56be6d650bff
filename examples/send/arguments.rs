//! The arguments.

use std::error::Error;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Parser};
use dane_tlsa::StubOptions;
use dane_tlsa::hickory::StubResolver;
use examples::gateway::config::Config;
use examples::gateway::delivery::sender::{Envelope, SenderSettings};
use mail_types::dns::{DnssecStatus, Zone};
use mail_types::hickory::ResolverSettings;
use mail_types::smtp::{Mailbox, ReversePath};

/// Sends the message on standard input to its recipients, by the MX records of their domains.
///
/// It tries once: a recipient whose mail is deferred is reported, and nothing is kept. It is no queue.
/// The exit status is 0 if every recipient has the message, 75 if mail for one was deferred, 69 if mail for one
/// was refused, and 2 if nothing was tried.
#[derive(Debug, Parser)]
#[command(name = "send", group = ArgGroup::new("dns").args(["zone", "resolver"]))]
pub(crate) struct Arguments {
    /// The recipients
    #[arg(required = true, value_name = "RECIPIENT")]
    recipients: Vec<Mailbox>,
    /// The sender, for the reverse-path; without it the path is empty
    #[arg(short, long, value_name = "ADDRESS")]
    from: Option<Mailbox>,
    /// A configuration of the gateway: its table [remote_smtp] holds here too
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The next hop, as route_data has it: mx.example.com:25, [2001:db8::1]:25, example.com/MX; without it the
    /// domains of the recipients
    #[arg(long, value_name = "ROUTE")]
    route: Option<String>,
    /// The port of the servers
    #[arg(long, default_value_t = 25, conflicts_with = "route")]
    port: u16,
    /// The name of this host in EHLO; without it the configuration's or the system's
    #[arg(long, value_name = "NAME")]
    helo: Option<String>,
    /// A master file that answers all questions to the DNS
    #[arg(long, value_name = "FILE")]
    zone: Option<PathBuf>,
    /// The DNSSEC status of the answers from the master file: secure, insecure or indeterminate
    #[arg(long, value_name = "STATUS", default_value_t = DnssecStatus::Secure, requires = "zone")]
    security: DnssecStatus,
    /// The resolver to ask, with its port if that is not 53
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = address)]
    resolver: Option<SocketAddr>,
    /// Believes the resolver about DNSSEC, though it is on another host
    #[arg(long, requires = "resolver")]
    trust_ad: bool,
    /// How long everything may take, in seconds
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    timeout: u64,
    /// Requires authenticated TLS on the whole way (REQUIRETLS, RFC 8689)
    #[arg(long)]
    require_tls: bool,
    /// Shows the hosts and how mail to each is secured, and sends nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Shows every question to the DNS, and every answer
    #[arg(long, requires = "dry_run")]
    pub(crate) trace: bool,
    /// Writes one JSON object for each recipient, or with --dry-run for each domain
    #[arg(long)]
    pub(crate) json: bool,
}
