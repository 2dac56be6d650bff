//! Digests, with the feature `hash`.

use crate::evaluate::function::{Part, Problem};

#[cfg(feature = "hash")]
mod with_hash {
    use data_encoding::{Encoding, HEXLOWER, HEXUPPER};
    use hmac::digest::Digest;
    use hmac::{Hmac, KeyInit, Mac};

    use super::{Part, Problem};

    #[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
    pub(crate) fn md5(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
        push::<md5::Md5>(out, part, &HEXLOWER);
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
    pub(crate) fn sha1(out: &mut Vec<u8>, part: Part) -> Result<(), Problem> {
        push::<sha1::Sha1>(out, part, &HEXUPPER);
        Ok(())
    }

    pub(crate) fn sha2(
        out: &mut Vec<u8>,
        argument: Option<&str>,
        part: Part,
    ) -> Result<(), Problem> {
        match argument.unwrap_or("256") {
            "256" => push::<sha2::Sha256>(out, part, &HEXUPPER),
            "384" => push::<sha2::Sha384>(out, part, &HEXUPPER),
            "512" => push::<sha2::Sha512>(out, part, &HEXUPPER),
            _ => return Err("256, 384 or 512 after sha2_".into()),
        }
        Ok(())
    }

    pub(crate) fn sha3(
        out: &mut Vec<u8>,
        argument: Option<&str>,
        part: Part,
    ) -> Result<(), Problem> {
        match argument.unwrap_or("256") {
            "224" => push::<sha3::Sha3_224>(out, part, &HEXUPPER),
            "256" => push::<sha3::Sha3_256>(out, part, &HEXUPPER),
            "384" => push::<sha3::Sha3_384>(out, part, &HEXUPPER),
            "512" => push::<sha3::Sha3_512>(out, part, &HEXUPPER),
            _ => return Err("224, 256, 384 or 512 after sha3_".into()),
        }
        Ok(())
    }

    pub(crate) fn hmac(
        out: &mut Vec<u8>,
        algorithm: Part,
        key: Part,
        text: Part,
    ) -> Result<(), Problem> {
        let of = |part: Part| out.get(part).unwrap_or_default();
        let digest = match of(algorithm) {
            b"md5" => mac(Hmac::<md5::Md5>::new_from_slice(of(key)).ok(), of(text)),
            b"sha1" => mac(Hmac::<sha1::Sha1>::new_from_slice(of(key)).ok(), of(text)),
            _ => return Err("md5 or sha1".into()),
        };
        out.extend_from_slice(digest.unwrap_or_default().as_bytes());
        Ok(())
    }

    fn mac(mac: Option<impl Mac>, text: &[u8]) -> Option<String> {
        let mut mac = mac?;
        mac.update(text);
        Some(HEXLOWER.encode(&mac.finalize().into_bytes()))
    }

    fn push<D: Digest>(out: &mut Vec<u8>, part: Part, encoding: &Encoding) {
        let digest = D::digest(out.get(part).unwrap_or_default());
        let start = out.len();
        out.resize(start + encoding.encode_len(digest.len()), 0);
        if let Some(room) = out.get_mut(start..) {
            encoding.encode_mut(&digest, room);
        }
    }
}

#[cfg(feature = "hash")]
pub(crate) use with_hash::{hmac, md5, sha1, sha2, sha3};

#[cfg(not(feature = "hash"))]
mod without_hash {
    use super::{Part, Problem};

    const NEEDED: Problem = Problem::Feature("hash");

    pub(crate) fn md5(_: &mut Vec<u8>, _: Part) -> Result<(), Problem> {
        Err(NEEDED)
    }

    pub(crate) fn sha1(_: &mut Vec<u8>, _: Part) -> Result<(), Problem> {
        Err(NEEDED)
    }

    pub(crate) fn sha2(_: &mut Vec<u8>, _: Option<&str>, _: Part) -> Result<(), Problem> {
        Err(NEEDED)
    }

    pub(crate) fn sha3(_: &mut Vec<u8>, _: Option<&str>, _: Part) -> Result<(), Problem> {
        Err(NEEDED)
    }

    pub(crate) fn hmac(_: &mut Vec<u8>, _: Part, _: Part, _: Part) -> Result<(), Problem> {
        Err(NEEDED)
    }
}

#[cfg(not(feature = "hash"))]
pub(crate) use without_hash::{hmac, md5, sha1, sha2, sha3};
