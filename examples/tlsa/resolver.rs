//! The resolver that the DNS is asked through.

use std::error::Error;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use clap::Args;
use dane_tlsa::hickory::StubResolver;
use dane_tlsa::{DnssecState, StubOptions};
use mail_types::hickory::ResolverSettings;

#[derive(Args, Debug)]
pub(crate) struct ResolverArguments {
    /// The resolver to ask, with its port if that is not 53; without, those of /etc/resolv.conf
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = address, conflicts_with = "zone")]
    resolver: Option<SocketAddr>,
    /// Believes what the resolver says of DNSSEC, though it is on another host
    #[arg(long, conflicts_with = "zone")]
    trust_ad: bool,
}

impl ResolverArguments {
    pub(crate) fn resolver(&self) -> Result<StubResolver, Box<dyn Error>> {
        let options = StubOptions::default().with_trusted(self.trust_ad);
        if let Some(server) = self.resolver {
            return Ok(StubResolver::new(&[server], options));
        }
        let settings = ResolverSettings::of_system(Path::new(ResolverSettings::SYSTEM))?;
        Ok(StubResolver::of_settings(&settings, options))
    }
}

/// Tells on standard error which servers cannot make an answer secure, and why.
pub(crate) fn warn(resolver: &StubResolver) {
    for (server, state) in resolver.servers() {
        if state != DnssecState::Available {
            let _ = writeln!(std::io::stderr(), "tlsa: DNSSEC of {server}: {state}");
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let host = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>();
    let address = text.parse().or_else(|_| host(text).map(|ip| SocketAddr::new(ip, 53)));
    address.map_err(|_| "neither an IP address nor an IP address and a port".to_owned())
}
