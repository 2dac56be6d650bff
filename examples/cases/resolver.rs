//! The resolver that the DNS is asked through.

use std::error::Error;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use dane_tlsa::hickory::StubResolver;
use dane_tlsa::mail_types::dns::{Question, Resolve, Resolving};
use dane_tlsa::{DnssecState, StubOptions};
use mail_types::hickory::ResolverSettings;

/// The choice of the resolver.
#[derive(Args, Clone, Debug)]
pub struct ResolverArguments {
    /// The resolver to ask, with its port if that is not 53; without, those of /etc/resolv.conf
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = address, conflicts_with = "zone")]
    resolver: Option<SocketAddr>,
    /// Believes what the resolver says of DNSSEC, though it is on another host
    #[arg(long, conflicts_with = "zone")]
    trust_ad: bool,
    /// Validates by DNSSEC itself, so that the resolver need not be trusted; needs the feature dnssec-ring
    #[arg(long, conflicts_with_all = ["zone", "trust_ad"])]
    validate: bool,
    /// The keys to validate by, as DNSKEY records; without, those of the root
    // With a choice that excludes --validate, clap would no longer ask for it.
    #[arg(long, value_name = "FILE", requires = "validate", conflicts_with_all = ["zone", "trust_ad"])]
    trust_anchor: Option<PathBuf>,
}

/// The resolver that was chosen.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a resolver has none")]
pub struct Asked {
    resolver: Arc<dyn Resolve>,
    /// The same, if its servers must validate.
    stub: Option<StubResolver>,
}

impl ResolverArguments {
    /// Returns the first of the options that is given.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        if self.resolver.is_some() {
            return Some("--resolver");
        }
        if self.validate {
            return Some("--validate");
        }
        self.trust_ad.then_some("--trust-ad")
    }

    /// Tells whether another resolver than that of the configuration was chosen.
    #[must_use]
    pub fn is_chosen(&self) -> bool {
        self.resolver.is_some() || self.validate
    }

    /// Tells whether a resolver on another host is believed about DNSSEC.
    #[must_use]
    pub fn trusts_ad(&self) -> bool {
        self.trust_ad
    }

    /// Makes the resolver.
    ///
    /// # Errors
    ///
    /// The file of the system's name servers, or of the keys, that cannot be read.
    pub fn resolver(&self) -> Result<Asked, Box<dyn Error>> {
        let system = || ResolverSettings::of_system(Path::new(ResolverSettings::SYSTEM));
        if self.validate {
            let servers = match self.resolver {
                Some(server) => vec![server],
                None => system()?.addresses(),
            };
            let resolver = validating(&servers, self.trust_anchor.as_deref())?;
            return Ok(Asked { resolver, stub: None });
        }
        let options = StubOptions::default().with_trusted(self.trust_ad);
        let stub = match self.resolver {
            Some(server) => StubResolver::new(&[server], options),
            None => StubResolver::of_settings(&system()?, options),
        };
        Ok(Asked { resolver: Arc::new(stub.clone()), stub: Some(stub) })
    }
}

#[cfg(feature = "dnssec-ring")]
fn validating(
    servers: &[SocketAddr],
    anchor: Option<&Path>,
) -> Result<Arc<dyn Resolve>, Box<dyn Error>> {
    use dane_tlsa::hickory::{TrustAnchors, ValidatingResolver};

    let anchors = match anchor {
        Some(file) => {
            let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
            let anchors = TrustAnchors::from_file(file).map_err(|error| failed(&error))?;
            if anchors.is_empty() {
                return Err(failed(&"no DNSKEY record").into());
            }
            anchors
        }
        None => TrustAnchors::default(),
    };
    let patience = StubOptions::default().patience;
    Ok(Arc::new(ValidatingResolver::new(servers, Arc::new(anchors), patience)))
}

#[cfg(not(feature = "dnssec-ring"))]
fn validating(_: &[SocketAddr], _: Option<&Path>) -> Result<Arc<dyn Resolve>, Box<dyn Error>> {
    Err("--validate: built without the feature dnssec-ring".into())
}

impl Asked {
    /// Tells on standard error which servers cannot make an answer secure, and why.
    pub fn warn(&self, program: &str) {
        for (server, state) in self.stub.iter().flat_map(StubResolver::servers) {
            if state != DnssecState::Available {
                let _ = writeln!(std::io::stderr(), "{program}: DNSSEC of {server}: {state}");
            }
        }
    }
}

impl Resolve for Asked {
    fn answer(&self, question: Question, time: std::time::Duration) -> Resolving<'_> {
        self.resolver.answer(question, time)
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let host = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>();
    let address = text.parse().or_else(|_| host(text).map(|ip| SocketAddr::new(ip, 53)));
    address.map_err(|_| "neither an IP address nor an IP address and a port".to_owned())
}
