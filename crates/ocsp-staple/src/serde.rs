//! Times for the crate `serde`, as RFC 3339 has them.

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
