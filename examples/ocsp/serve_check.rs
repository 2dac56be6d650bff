//! The check of a mail server's staple.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use examples::cases::mail_server::start_tls;
use examples::cases::shown::Done;
use ocsp_staple::Requirement;
use ocsp_staple::rustls::StapleVerifier;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::files;

#[derive(Args, Debug)]
pub(crate) struct Wanted {
    /// The server
    host: String,
    /// Its port
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// The name in its certificate, if it is another
    #[arg(long)]
    name: Option<String>,
    /// A file with the certificates of authorities that are trusted
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// Fails without a good staple
    #[arg(long)]
    require: bool,
}

impl Wanted {
    pub(crate) fn run(&self) -> Done {
        let provider = Arc::new(default_provider());
        let roots = files::authorities(&self.ca)?;
        let (anchors, algorithms) =
            (roots.roots.as_slice().into(), provider.signature_verification_algorithms);
        let inner =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let requirement = if self.require { Requirement::Require } else { Requirement::Request };
        let verifier = StapleVerifier::new(inner.build()?, anchors, algorithms);
        let verifier = Arc::new(verifier.with_requirement(requirement));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
            .with_no_client_auth();
        let name = self.name.clone().unwrap_or_else(|| self.host.clone());
        let mut client = ClientConnection::new(Arc::new(config), ServerName::try_from(name)?)?;
        let mut stream = start_tls(&self.host, self.port)
            .map_err(|error| format!("{} port {}: {error}", self.host, self.port))?;
        let ended = client.complete_io(&mut stream);
        if let Some(stapled) = verifier.stapled() {
            println!("{stapled}");
        }
        ended?;
        Ok(())
    }
}
