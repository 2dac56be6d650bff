//! Certificates and keys in files, and the records of them.

use std::error::Error;
use std::path::Path;

use clap::Args;
use dane_tlsa::{Certificate, MatchingType, Selector, TlsaRecord, Usage};
use examples::cases::certificates::{certificates_in, is_pem, read};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};

/// Which record is made.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// 3 for the server's own certificate or key, 2 for the trust anchor that has issued it
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=3))]
    usage: u8,
    /// 1 for the key, 0 for the whole certificate; without it, 1 with usage 3 and 0 with usage 2
    ///
    /// A record of the whole certificate ends with the certificate, and automatic renewal breaks it. That of
    /// a trust anchor holds the limits that its certificate sets for whom it issues (RFC 7672 3.1.2).
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=1))]
    selector: Option<u8>,
    /// 1 for SHA-256, 2 for SHA-512, 0 for the certificate or key itself
    ///
    /// All clients know SHA-256, so that 1 is the default (RFC 7671 5.1). Some clients do
    /// not know SHA-512, which Exim's text of 2014 recommends; it makes the record no safer. A record of the
    /// certificate or key itself is long.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    matching: u8,
}

impl Kind {
    pub(crate) fn is_anchor(self) -> bool {
        Usage::new(self.usage) == Usage::DANE_TA
    }

    fn selector(self) -> Selector {
        let default = if self.is_anchor() { Selector::CERT } else { Selector::SPKI };
        self.selector.map_or(default, Selector::new)
    }

    /// Makes the record of a file: a certificate, a chain, a public or a private key, in PEM or DER. Of a
    /// chain it is that of the first certificate, or with usage 2 that of the last.
    pub(crate) fn record_of(self, path: &Path) -> Result<TlsaRecord, Box<dyn Error>> {
        let bytes = read(path)?;
        let made = self.record(&bytes);
        Ok(made.map_err(|error| format!("{}: {error}", path.display()))?)
    }

    fn record(self, bytes: &[u8]) -> Result<TlsaRecord, Box<dyn Error>> {
        let (usage, matching_type) = (Usage::new(self.usage), MatchingType::new(self.matching));
        if let Some(key) = key_in(bytes)? {
            if self.selector() != Selector::SPKI {
                return Err("a key has no certificate: give --selector 1".into());
            }
            return Ok(TlsaRecord::of_key(&key, usage, matching_type)?);
        }
        let chain = certificates_in(bytes)?;
        let der = if self.is_anchor() { chain.last() } else { chain.first() };
        let certificate = Certificate::parse(der.ok_or("no certificate")?)?;
        Ok(TlsaRecord::of_certificate(&certificate, usage, self.selector(), matching_type)?)
    }
}

/// Returns the key of a file that has no certificate, as the DER of `SubjectPublicKeyInfo`.
fn key_in(bytes: &[u8]) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    let (public, private) = if is_pem(bytes) {
        if std::str::from_utf8(bytes).is_ok_and(|text| text.contains("-----BEGIN CERTIFICATE-----"))
        {
            return Ok(None);
        }
        let public = SubjectPublicKeyInfoDer::from_pem_slice(bytes).ok();
        (public.map(|key| key.to_vec()), PrivateKeyDer::from_pem_slice(bytes).ok())
    } else {
        let is_key = TlsaRecord::of_key(bytes, Usage::DANE_EE, MatchingType::FULL).is_ok();
        let private = PrivateKeyDer::try_from(bytes).ok().map(|key| key.clone_key());
        (is_key.then(|| bytes.to_vec()), private)
    };
    match (public, private) {
        (Some(key), _) => Ok(Some(key)),
        (None, Some(private)) => {
            let key = any_supported_type(&private)?;
            let key =
                key.public_key().ok_or("the public key cannot be had from this private key")?;
            Ok(Some(key.to_vec()))
        }
        (None, None) if is_pem(bytes) => Err("no PEM block with a certificate or a key".into()),
        (None, None) => Ok(None),
    }
}
