//! An authority of the tests' own: certificates and responses, signed with Ed25519 or another key.

use std::time::Duration;

use der::DateTime;
use ocsp_staple::IssuerHash;
use ocsp_staple::rustls_pki_types::UnixTime;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

pub(crate) struct Authority {
    name: &'static str,
    key: Box<dyn Key>,
}

/// A key that signs.
pub(crate) trait Key {
    /// The contents of `subjectPublicKey`.
    fn public(&self) -> Vec<u8>;
    fn sign(&self, message: &[u8]) -> Vec<u8>;
    /// The DER of the key's `AlgorithmIdentifier`, and of its signatures'.
    fn algorithms(&self) -> [Vec<u8>; 2];
}

impl Key for Ed25519KeyPair {
    fn public(&self) -> Vec<u8> {
        self.public_key().as_ref().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign(message).as_ref().to_vec()
    }

    fn algorithms(&self) -> [Vec<u8>; 2] {
        [tlv(0x30, &[b"\x06\x03\x2b\x65\x70"]), tlv(0x30, &[b"\x06\x03\x2b\x65\x70"])]
    }
}

/// What a certificate is for: its extensions, each as its DER.
pub(crate) struct Wanted<'a> {
    pub(crate) serial: u8,
    pub(crate) name: &'static str,
    pub(crate) validity: (UnixTime, UnixTime),
    pub(crate) extensions: &'a [Vec<u8>],
}

/// What a response says.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) serial: u8,
    /// The DER of `certStatus`.
    pub(crate) status: Vec<u8>,
    pub(crate) this_update: UnixTime,
    pub(crate) next_update: Option<UnixTime>,
    pub(crate) produced_at: UnixTime,
    /// The DER of `responseExtensions`, or nothing.
    pub(crate) extensions: Vec<u8>,
    /// By which digest the certificate is named.
    pub(crate) hash: IssuerHash,
    /// Whether the signer is named by its name, not its key.
    pub(crate) by_name: bool,
    /// The answers before this one.
    pub(crate) others: Vec<Self>,
}

impl Said {
    pub(crate) fn new(status: &[u8], this_update: UnixTime, next_update: UnixTime) -> Self {
        let (status, next_update) = (status.to_vec(), Some(next_update));
        let (serial, produced_at) = (1, this_update);
        let (extensions, hash, by_name, others) = (Vec::new(), IssuerHash::Sha1, false, Vec::new());
        Self {
            serial,
            status,
            this_update,
            next_update,
            produced_at,
            extensions,
            hash,
            by_name,
            others,
        }
    }
}

pub(crate) const GOOD: &[u8] = &[0x80, 0];

impl Authority {
    pub(crate) fn new(name: &'static str, seed: u8) -> Self {
        Self::of(name, Box::new(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()))
    }

    pub(crate) fn of(name: &'static str, key: Box<dyn Key>) -> Self {
        Self { name, key }
    }

    /// Issues a certificate for the key of another.
    pub(crate) fn issue(&self, subject: &Self, wanted: &Wanted<'_>) -> Vec<u8> {
        let (from, until) = wanted.validity;
        let extensions: Vec<_> = wanted.extensions.iter().map(Vec::as_slice).collect();
        let extensions = match extensions.as_slice() {
            [] => Vec::new(),
            extensions => tlv(0xa3, &[&tlv(0x30, extensions)]),
        };
        let [key_algorithm, _] = subject.key.algorithms();
        let [_, algorithm] = self.key.algorithms();
        let tbs = tlv(
            0x30,
            &[
                &tlv(0xa0, &[&tlv(0x02, &[&[2]])]),
                &tlv(0x02, &[&[wanted.serial]]),
                &algorithm,
                &name(self.name),
                &tlv(0x30, &[&generalized(from), &generalized(until)]),
                &name(wanted.name),
                &tlv(0x30, &[&key_algorithm, &bits(&subject.key.public())]),
                &extensions,
            ],
        );
        let signature = bits(&self.key.sign(&tbs));
        tlv(0x30, &[&tbs, &algorithm, &signature])
    }

    /// Responds for a certificate of an issuer, with the certificate of itself, if there is one.
    pub(crate) fn respond(
        &self,
        issuer: &Self,
        said: &Said,
        certificate: Option<&[u8]>,
    ) -> Vec<u8> {
        let answers = said.others.iter().chain([said]);
        let answers: Vec<_> = answers.map(|said| single(issuer, said)).collect();
        let answers: Vec<_> = answers.iter().map(Vec::as_slice).collect();
        let [_, algorithm] = self.key.algorithms();
        let responder = if said.by_name {
            tlv(0xa1, &[&name(self.name)])
        } else {
            tlv(0xa2, &[&tlv(0x04, &[&Sha1::digest(self.key.public())])])
        };
        let produced = generalized(said.produced_at);
        let tbs = tlv(0x30, &[&responder, &produced, &tlv(0x30, &answers), &said.extensions]);
        let signature = bits(&self.key.sign(&tbs));
        let certificates = certificate.map(|der| tlv(0xa0, &[&tlv(0x30, &[der])]));
        let basic = tlv(0x30, &[&tbs, &algorithm, &signature, &certificates.unwrap_or_default()]);
        let kind = b"\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
        let bytes = tlv(0x30, &[kind, &tlv(0x04, &[&basic])]);
        tlv(0x30, &[b"\x0a\x01\x00", &tlv(0xa0, &[&bytes])])
    }
}

/// The answer for one certificate.
fn single(issuer: &Authority, said: &Said) -> Vec<u8> {
    let is_sha1 = said.hash == IssuerHash::Sha1;
    let digest = |octets: &[u8]| {
        if is_sha1 { Sha1::digest(octets).to_vec() } else { Sha256::digest(octets).to_vec() }
    };
    let algorithm: &[u8] = if is_sha1 {
        b"\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00"
    } else {
        b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
    };
    let cert_id = tlv(
        0x30,
        &[
            &tlv(0x30, &[algorithm]),
            &tlv(0x04, &[&digest(&name(issuer.name))]),
            &tlv(0x04, &[&digest(&issuer.key.public())]),
            &tlv(0x02, &[&[said.serial]]),
        ],
    );
    let next = said.next_update.map(|next| tlv(0xa0, &[&generalized(next)])).unwrap_or_default();
    tlv(0x30, &[&cert_id, &said.status, &generalized(said.this_update), &next])
}

/// An extension, of its identifier's contents.
pub(crate) fn extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x06, &[oid]), &tlv(0x04, &[value])])
}

/// Writes an element of DER.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = u16::try_from(contents.len()).unwrap();
    let [high, low] = length.to_be_bytes();
    let header = match length {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header, contents].concat()
}

pub(crate) fn later(time: UnixTime, by: Duration) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(time.as_secs()) + by)
}

pub(crate) fn generalized(time: UnixTime) -> Vec<u8> {
    let time = DateTime::from_unix_duration(Duration::from_secs(time.as_secs())).unwrap();
    let digits: String = time.to_string().chars().filter(char::is_ascii_digit).collect();
    tlv(0x18, &[digits.as_bytes(), b"Z"])
}

fn name(text: &str) -> Vec<u8> {
    let attribute = tlv(0x30, &[b"\x06\x03\x55\x04\x03", &tlv(0x0c, &[text.as_bytes()])]);
    tlv(0x30, &[&tlv(0x31, &[&attribute])])
}

fn bits(octets: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], octets])
}
