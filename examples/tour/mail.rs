//! A message, signed by DKIM: RFC 6376, with the key of RFC 8463.

use data_encoding::BASE64;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::Done;

/// The signer of a domain.
pub(crate) struct Signer {
    domain: &'static str,
    key: Ed25519KeyPair,
}

impl Signer {
    /// Makes a key for a domain.
    pub(crate) fn new(domain: &'static str) -> Done<Self> {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        let key = key.map_err(|_| "no random numbers")?;
        let key = Ed25519KeyPair::from_pkcs8(key.as_ref()).map_err(|error| error.to_string())?;
        Ok(Self { domain, key })
    }

    /// Returns the record of the key, for `SELECTOR._domainkey.DOMAIN`.
    pub(crate) fn record(&self) -> String {
        let key = BASE64.encode(self.key.public_key().as_ref());
        format!("v=DKIM1; k=ed25519; p={key}")
    }

    /// Puts a signature of From, Subject and the body before a message.
    pub(crate) fn sign(&self, message: &Message) -> String {
        let body_hash = BASE64.encode(digest(&SHA256, message.body.as_bytes()).as_ref());
        let tags = format!(
            "v=1; a=ed25519-sha256; c=relaxed/simple; d={}; s={SELECTOR}; h=from:subject; bh={body_hash}; b=",
            self.domain
        );
        // The canonical form of these fields, which have no white space to remove.
        let signed = format!(
            "from:{}\r\nsubject:{}\r\ndkim-signature:{tags}",
            message.from, message.subject
        );
        let hash = digest(&SHA256, signed.as_bytes());
        let signature = BASE64.encode(self.key.sign(hash.as_ref()).as_ref());
        format!("DKIM-Signature: {tags}{signature}\r\n{}", message.text())
    }
}

/// A message of one author.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) from: &'static str,
    pub(crate) subject: &'static str,
    /// Lines that end in CRLF, and are not empty at the end.
    pub(crate) body: String,
}

impl Message {
    /// Returns the whole text, without a signature.
    pub(crate) fn text(&self) -> String {
        format!("From: {}\r\nSubject: {}\r\n\r\n{}", self.from, self.subject, self.body)
    }
}

/// The selector of the key.
pub(crate) const SELECTOR: &str = "tour";
