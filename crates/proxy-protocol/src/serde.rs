//! Headers and their outcomes for the crate `serde`.

use ::serde::ser::SerializeStruct as _;
use ::serde::{Serialize, Serializer};

use crate::{Address, Endpoints, Header, HeaderOutcome, ProxyInfo, Tlv, Tlvs, Transport};

/// An outcome as fields.
#[derive(Serialize)]
struct WrittenOutcome<'a> {
    /// The word of [`HeaderOutcome::as_str`].
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'a Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<Transport>,
    /// A text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Serialize for HeaderOutcome {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (source, destination, transport) = match self {
            Self::Proxied { source, destination, transport } => {
                (Some(source), Some(destination), Some(*transport))
            }
            Self::Local | Self::Unknown | Self::Failed(_) => (None, None, None),
        };
        let reason = self.failure().map(|failure| failure.to_string());
        let outcome = self.as_str();
        WrittenOutcome { outcome, source, destination, transport, reason }.serialize(to)
    }
}

impl Serialize for Endpoints<'_> {
    /// Writes the same as their [`HeaderOutcome`].
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        HeaderOutcome::from(*self).serialize(to)
    }
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Header", 3)?;
        fields.serialize_field("version", &self.version)?;
        fields.serialize_field("endpoints", &self.endpoints)?;
        fields.serialize_field("tlvs", &self.tlvs)?;
        fields.end()
    }
}

impl Serialize for Tlvs<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

impl Serialize for Tlv<'_> {
    /// Writes the number of the type, and the octets of the value.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Tlv", 2)?;
        fields.serialize_field("kind", &self.kind.get())?;
        fields.serialize_field("value", self.value)?;
        fields.end()
    }
}

impl Serialize for ProxyInfo {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("ProxyInfo", 3)?;
        fields.serialize_field("peer", &self.peer())?;
        fields.serialize_field("client", &self.client())?;
        fields.serialize_field("header", &self.outcome())?;
        fields.end()
    }
}
