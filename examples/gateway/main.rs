//! An SMTP edge server put together from the crates: it takes mail, from behind a proxy or not, and
//! keeps it in a Maildir or hands it to a next hop.
//!
//! `cargo run --release --example gateway` needs nothing: it listens on 127.0.0.1:2525, makes its
//! own certificate, and keeps everything under `./gateway-data`. `--config FILE` names a TOML file
//! with Exim's option names, `--check` only checks it.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use mail_types::hickory::ResolverSettings;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tracing::{error, warn};

use examples::gateway::config::{Config, InvalidConfig, help, opening, print_config};
use examples::gateway::dns::resolver::NameServers;
use examples::gateway::server::{Gateway, Reload};
use examples::gateway::telemetry::log;

/// An SMTP gateway
#[derive(Debug, Parser)]
#[command(name = "gateway", version = support(), after_long_help = help())]
struct Arguments {
    /// A TOML file with Exim's option names; without it all options have their defaults
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the configuration and exit
    #[arg(long)]
    check: bool,
    /// Write a configuration with each option, its default and its meaning, and exit
    #[arg(long, exclusive = true)]
    print_config: bool,
    /// The file of name servers, as in resolv.conf(5), unless the configuration has one [default: /etc/resolv.conf]
    #[arg(long, value_name = "FILE")]
    resolv_conf: Option<PathBuf>,
}

impl Arguments {
    /// Returns the file of name servers. That of the system may be absent, but not one that is named.
    fn resolv_conf(&self) -> io::Result<PathBuf> {
        let Some(file) = &self.resolv_conf else { return Ok(ResolverSettings::SYSTEM.into()) };
        let named = |error| format!("--resolv-conf {}: {error}", file.display());
        fs::read(file).map_err(|error| io::Error::new(error.kind(), named(error)))?;
        Ok(file.clone())
    }
}

/// Makes the text of `--version`; the argument is the lookups of features.
macro_rules! support {
    ($lookups:literal) => {
        concat!(
            env!("CARGO_PKG_VERSION"),
            "\nSupport for: PROXY TLS DANE OCSP PRDR SPF DKIM DMARC Events\n",
            "Lookups: iplsearch lsearch nwildlsearch sqlite",
            $lookups,
        )
    };
}

fn main() -> ExitCode {
    // TLS to Redis uses the installed provider. It fails only where one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    if arguments.print_config {
        return written(&print_config());
    }
    let filter = match log::filter() {
        Ok(filter) => filter,
        Err(error) => {
            eprintln!("gateway: {error}");
            return ExitCode::from(2);
        }
    };
    let file = arguments.config.as_deref();
    let resolv_conf = match arguments.resolv_conf() {
        Ok(file) => file,
        Err(error) => {
            eprintln!("gateway: {error}");
            return ExitCode::from(2);
        }
    };
    let config = match opening::read(file, &resolv_conf) {
        Ok((_, warnings)) if arguments.check => {
            // At a start the log has them.
            let file = file.map(|file| format!("{}: ", file.display())).unwrap_or_default();
            for warning in warnings {
                eprintln!("gateway: {file}warning: {warning}");
            }
            println!("the configuration is valid");
            return ExitCode::SUCCESS;
        }
        Ok((config, _)) => config,
        Err(error) => {
            tell_faults(file, &error);
            return ExitCode::from(2);
        }
    };
    let servers = match NameServers::read(config.dns, &resolv_conf) {
        Ok(servers) => servers,
        Err(error) => {
            eprintln!("gateway: dns_resolver: {}", log::chain(&error));
            return ExitCode::from(2);
        }
    };
    log::start(config.log_format, filter);
    tell(&config.warnings);
    let run =
        |runtime: Runtime| runtime.block_on(run(arguments.config, resolv_conf, config, servers));
    match runtime().map_err(Into::into).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{}", log::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// Writes the faults of a configuration, if there is a file of it, in the order of their lines.
fn tell_faults(file: Option<&Path>, error: &InvalidConfig) {
    let file = file.map(|file| format!("{}: ", file.display())).unwrap_or_default();
    let mut faults = [&[log::chain(error)], error.others()].concat();
    faults.sort_by_key(|fault| line_of(fault).unwrap_or(usize::MAX));
    for fault in faults {
        eprintln!("gateway: {file}{fault}");
    }
}

/// Returns the line of a fault, with which its text begins.
fn line_of(fault: &str) -> Option<usize> {
    fault.strip_prefix("line ")?.split(':').next()?.parse().ok()
}

/// Writes the warnings of a configuration into the log.
fn tell(warnings: &[String]) {
    for warning in warnings {
        warn!("{warning}");
    }
}

/// Writes a text; a reader that has enough of it is no error.
fn written(text: &str) -> ExitCode {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("gateway: standard output: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// The version and the built-in parts, as in `exim -d`.
fn support() -> &'static str {
    match (cfg!(feature = "pgsql"), cfg!(feature = "redis")) {
        (false, false) => support!(""),
        (true, false) => support!(" pgsql"),
        (false, true) => support!(" redis"),
        (true, true) => support!(" pgsql redis"),
    }
}

/// One thread for each core but one, which the store's own threads use. On two cores a second thread
/// was measured to be slower where nothing is kept, and to make no difference where mail is.
fn runtime() -> io::Result<Runtime> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(cores.saturating_sub(1).max(1)).enable_all().build()
}

async fn run(
    file: Option<PathBuf>,
    resolv_conf: PathBuf,
    config: Config,
    servers: NameServers,
) -> Result<(), Box<dyn Error>> {
    raise_file_limit();
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hang_up = signal(SignalKind::hangup())?;
    let (log_format, dns) = (config.log_format, config.dns);
    let gateway = Gateway::new(config.server, servers)?;
    let listeners = gateway.listen().await?;
    let (want, wanted) = mpsc::channel(1);
    tokio::spawn(async move {
        // A full channel means that a reload is pending already.
        while hang_up.recv().await.is_some() {
            let _ = want.try_send(());
        }
    });
    let configure = move || {
        let config = opening::read_again(file.as_deref(), &resolv_conf)?;
        for (option, differs) in [
            ("log_format", config.log_format != log_format),
            ("dns_resolver", config.dns.server() != dns.server()),
            ("dns_trust_ad", config.dns.trusts_ad() != dns.trusts_ad()),
        ] {
            if differs {
                warn!("{option}: a change takes effect at the next start only");
            }
        }
        tell(&config.warnings);
        Ok(config.server)
    };
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    gateway.serve(listeners, Reload::new(wanted, configure), stop).await;
    Ok(())
}

/// Lets the process have as many connections as the system allows it.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Where that is not allowed, the limit stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
