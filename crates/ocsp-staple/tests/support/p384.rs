//! An authority with a key on P-384, which signs with SHA-384.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

use crate::authority::{Authority, Key, tlv};

struct P384(EcdsaKeyPair);

pub(crate) fn p384(name: &'static str) -> Authority {
    let (kind, random) = (&ECDSA_P384_SHA384_ASN1_SIGNING, SystemRandom::new());
    let private = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(kind, private.as_ref(), &random).unwrap();
    Authority::of(name, Box::new(P384(key)))
}

impl Key for P384 {
    fn public(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    /// RFC 5480 section 2.1.1, RFC 5758 section 3.2.
    fn algorithms(&self) -> [Vec<u8>; 2] {
        let curve = b"\x06\x05\x2b\x81\x04\x00\x22";
        let key = tlv(0x30, &[b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", curve]);
        [key, tlv(0x30, &[b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"])]
    }
}
