//! Signs a canonical text that the test provides, independent of the verifier.

use data_encoding::BASE64;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

/// The record of the key that [`sign`] signs with: RFC 8463 appendix A.2.
pub(crate) const ED25519: &str =
    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// Signs by the key of RFC 8463 or, with `a=rsa-sha256`, by that of `data/dkim-rsa-2048.der`.
///
/// `tags` has all but `bh=` and `b=`, in the form that `relaxed` makes of it; `header` and `body` are
/// what is hashed. Returns the field with its line end.
pub(crate) fn sign(tags: &str, header: &str, body: &str) -> String {
    let hash = BASE64.encode(digest(&SHA256, body.as_bytes()).as_ref());
    let tags = format!("{tags}; bh={hash}; b=");
    let relaxed = tags.contains("c=relaxed");
    let name = if relaxed { "dkim-signature:" } else { "DKIM-Signature: " };
    let signed = format!("{header}{name}{tags}");
    let signature = if tags.contains("a=rsa-sha256") {
        let key = RsaKeyPair::from_der(include_bytes!("data/dkim-rsa-2048.der")).unwrap();
        let mut signature = vec![0; key.public().modulus_len()];
        let random = SystemRandom::new();
        key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
        signature
    } else {
        let key = Ed25519KeyPair::from_seed_and_public_key(&octets(SECRET), &octets(PUBLIC));
        let hash = digest(&SHA256, signed.as_bytes());
        key.unwrap().sign(hash.as_ref()).as_ref().to_vec()
    };
    format!("DKIM-Signature: {tags}{}\r\n", BASE64.encode(&signature))
}

fn octets(hex: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

/// The keys of RFC 8032 section 7.1, test 1, which are those of RFC 8463.
const SECRET: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
