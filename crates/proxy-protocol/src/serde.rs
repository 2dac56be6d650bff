//! Headers and their outcomes for the crate `serde`.

use std::fmt;

use ::serde::de::{Error as _, SeqAccess, Visitor};
use ::serde::ser::SerializeStruct as _;
use ::serde::{Deserializer, Serialize, Serializer};

use crate::{
    Address, Endpoints, Header, HeaderOutcome, ProxyInfo, Tlv, Tlvs, Transport, UnixAddress,
};

/// Reads the name of a UNIX socket.
pub(crate) fn unix_name<'de, D: Deserializer<'de>>(from: D) -> Result<Box<[u8]>, D::Error> {
    from.deserialize_seq(ReadName)
}

/// Reads octets as far as an address has room.
struct ReadName;

impl<'de> Visitor<'de> for ReadName {
    type Value = Box<[u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the octets of a name")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Box<[u8]>, A::Error> {
        let (mut address, mut length) = ([0; UnixAddress::LEN], 0);
        while let Some(octet) = list.next_element()? {
            let Some(place) = address.get_mut(length) else {
                return Err(A::Error::invalid_length(length + 1, &"at most 108 octets"));
            };
            *place = octet;
            length += 1;
        }
        let name = UnixAddress::new(&address).name();
        if name.len() == length {
            Ok(name.into())
        } else {
            Err(A::Error::custom("the name of the UNIX socket goes on behind its end"))
        }
    }
}

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
