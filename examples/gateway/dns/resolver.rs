//! The name servers that are asked.

use std::path::Path;

use dane_tlsa::StubOptions;
use dane_tlsa::hickory::StubResolver;
use mail_types::hickory::{Resolver, ResolverError, ResolverSettings};

use super::options::DnsOptions;

/// The name servers, with their options.
#[derive(Clone, Debug)]
pub struct NameServers {
    pub(crate) settings: ResolverSettings,
    trust_ad: bool,
}

impl NameServers {
    /// Reads those of the options, or those of the system in `file`. Without a resolver there would be no SPF,
    /// DKIM or DMARC, and every forgery would be accepted: then the gateway does not start.
    ///
    /// # Errors
    ///
    /// The system's settings cannot be read.
    pub fn read(options: DnsOptions, file: &Path) -> Result<Self, ResolverError> {
        let settings = match options.server {
            Some(server) => ResolverSettings::of_server(server),
            None => ResolverSettings::of_system(file)?,
        };
        Ok(Self { settings, trust_ad: options.trust_ad })
    }

    /// Makes the resolver for mail, which learns from a validating server what is secure by DNSSEC.
    pub(crate) fn stub(&self) -> StubResolver {
        let options = StubOptions::default().with_trusted(self.trust_ad);
        StubResolver::of_settings(&self.settings, options)
    }

    /// Makes the resolver for the names of clients.
    pub(crate) fn resolver(self) -> Result<Resolver, ResolverError> {
        Resolver::new(self.settings)
    }
}
