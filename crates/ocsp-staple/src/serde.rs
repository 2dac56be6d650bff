//! Proofs for the crate `serde`, with times as RFC 3339 has them.

use ::serde::Deserialize;
use rustls_pki_types::UnixTime;

use crate::{CertificateStatus, Proof, Signer};

/// A proof whose times may not fit each other: a server that believed them would staple for too long.
/// An end before `this_update` is one that fits: within the skew of the clocks, the certificate of the
/// signer or of the server may end before the time of the responder.
#[derive(Deserialize)]
pub(crate) struct StoredProof {
    status: CertificateStatus,
    #[serde(with = "time")]
    this_update: UnixTime,
    #[serde(default, with = "optional_time")]
    next_update: Option<UnixTime>,
    #[serde(with = "time")]
    produced_at: UnixTime,
    #[serde(with = "time")]
    until: UnixTime,
    signer: Signer,
    has_nonce: bool,
}

impl TryFrom<StoredProof> for Proof {
    type Error = &'static str;

    fn try_from(stored: StoredProof) -> Result<Self, &'static str> {
        let StoredProof { status, this_update, next_update, produced_at, until, signer, has_nonce } =
            stored;
        if next_update.is_some_and(|next| next < this_update) {
            return Err("next_update is before this_update");
        }
        if next_update.is_some_and(|next| until > next) {
            return Err("until is after next_update");
        }
        if let Signer::Delegated { until: end, .. } = signer
            && until > end
        {
            return Err("until is after the end of the signer's certificate");
        }
        Ok(Self { status, this_update, next_update, produced_at, until, signer, has_nonce })
    }
}

/// A time such as `2026-06-15T12:00:00Z`.
pub(crate) mod time {
    use std::borrow::Cow;

    use ::serde::de::Error as _;
    use ::serde::{Deserialize, Deserializer, Serializer};
    use der::DateTime;
    use rustls_pki_types::UnixTime;

    use crate::time::Written;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
    pub(crate) fn serialize<S: Serializer>(time: &UnixTime, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Written(*time))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UnixTime, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        let time: DateTime =
            text.parse().map_err(|_| D::Error::custom("not a time of RFC 3339 in UTC"))?;
        Ok(UnixTime::since_unix_epoch(time.unix_duration()))
    }
}

/// The same, or nothing.
pub(crate) mod optional_time {
    use ::serde::{Deserialize, Deserializer, Serialize, Serializer};
    use rustls_pki_types::UnixTime;

    #[derive(Deserialize, Serialize)]
    struct Time(#[serde(with = "super::time")] UnixTime);

    #[expect(clippy::ref_option, reason = "serde hands it so")]
    pub(crate) fn serialize<S: Serializer>(
        time: &Option<UnixTime>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Time).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<UnixTime>, D::Error> {
        Ok(Option::<Time>::deserialize(from)?.map(|time| time.0))
    }
}
