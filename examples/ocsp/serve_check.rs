//! What a mail server staples.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use examples::cases::shown::Done;
use ocsp_staple::Requirement;
use ocsp_staple::rustls::StapleVerifier;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::files;

#[derive(Args, Debug)]
pub(crate) struct Wanted {
    /// The server
    host: String,
    /// Its port
    #[arg(long, default_value_t = 25)]
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

const PATIENCE: Duration = Duration::from_secs(20);

impl Wanted {
    pub(crate) fn run(&self) -> Done {
        let provider = Arc::new(default_provider());
        let mut roots = RootCertStore::empty();
        for der in files::certificates(&self.ca)? {
            roots.add(CertificateDer::from(der))?;
        }
        let (anchors, algorithms) =
            (roots.roots.clone(), provider.signature_verification_algorithms);
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
        let mut stream = self.start_tls()?;
        let ended = client.complete_io(&mut stream);
        if let Some(stapled) = verifier.stapled() {
            println!("{stapled}");
        }
        ended?;
        Ok(())
    }

    /// Connects, and speaks SMTP up to TLS.
    fn start_tls(&self) -> Result<TcpStream, Box<dyn Error>> {
        let address = (self.host.as_str(), self.port).to_socket_addrs()?.next();
        let stream = TcpStream::connect_timeout(&address.ok_or("no address")?, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut lines = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        reply(&mut lines, "220")?;
        stream.write_all(b"EHLO localhost\r\n")?;
        reply(&mut lines, "250")?;
        stream.write_all(b"STARTTLS\r\n")?;
        reply(&mut lines, "220")?;
        Ok(stream)
    }
}

/// Reads a reply to its last line.
fn reply(lines: &mut impl BufRead, code: &str) -> Done {
    for _ in 0..200 {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        if !line.starts_with(code) {
            return Err(format!("the server says {:?} instead of {code}", line.trim_end()).into());
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
    Err("the server's reply does not end".into())
}
