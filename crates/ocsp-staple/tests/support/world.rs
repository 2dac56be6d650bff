//! An issuer that answers for a certificate which begins now.

use std::time::Duration;

use ocsp_staple::rustls_pki_types::UnixTime;
use ocsp_staple::{Certificate, Check, Issuer, Schedule};

use crate::authority::{Authority, Said, Wanted, extension, later, tlv};
use crate::vector_time::now;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) struct World {
    issuer: Authority,
    issuer_der: Vec<u8>,
    leaf_der: Vec<u8>,
}

impl World {
    pub(crate) fn new(valid: Duration) -> Self {
        let access = tlv(
            0x30,
            &[&tlv(0x30, &[b"\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01", &tlv(0x86, &[RESPONDER])])],
        );
        Self::with_extensions(valid, &[extension(b"\x2b\x06\x01\x05\x05\x07\x01\x01", &access)])
    }

    pub(crate) fn with_extensions(valid: Duration, extensions: &[Vec<u8>]) -> Self {
        let (issuer, server) = (Authority::new("Issuer", 1), Authority::new("mx.example", 3));
        let wanted = |serial, name, extensions| Wanted {
            serial,
            name,
            validity: (now(), later(now(), valid)),
            extensions,
        };
        let issuer_der = issuer.issue(&issuer, &wanted(9, "Issuer", &[]));
        let leaf_der = issuer.issue(&server, &wanted(1, "mx.example", extensions));
        Self { issuer, issuer_der, leaf_der }
    }

    pub(crate) fn run<T>(&self, test: impl FnOnce(&Check<'_>, Schedule) -> T) -> T {
        let leaf = Certificate::parse(&self.leaf_der).unwrap();
        let issuer = Certificate::parse(&self.issuer_der).unwrap();
        let issuers = [Issuer::from(&issuer)];
        let check = Check::new(&leaf, issuers, webpki::ALL_VERIFICATION_ALGS).unwrap();
        test(&check, Schedule::new(&leaf, now()))
    }

    pub(crate) fn respond(&self, status: &[u8], this: UnixTime, valid: Duration) -> Vec<u8> {
        self.issuer.respond(&self.issuer, &Said::new(status, this, later(this, valid)), None)
    }
}

const RESPONDER: &[u8] = b"http://ocsp.example/ca";

pub(crate) fn after(by: Duration) -> UnixTime {
    later(now(), by)
}
