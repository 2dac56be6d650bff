//! Types as text for the crate `serde`.

use std::error::Error;
use std::fmt;

use crate::dns::{DnsFailure, DnssecStatus, Name, RecordType};
use crate::results::AuthResult;
use crate::smtp::{Domain, EnhancedCode, Helo, MailHost, Mailbox, Reply, ReplyCode, ReversePath};

/// Implements `Serialize` and `Deserialize` of the crate `serde` for types, as the text that `Display` writes and
/// `FromStr` reads. A text that is not read is refused with its cause.
///
/// ```
/// use std::fmt;
/// use std::str::FromStr;
///
/// #[derive(Debug, PartialEq)]
/// struct Port(u16);
///
/// impl fmt::Display for Port {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         self.0.fmt(f)
///     }
/// }
///
/// impl FromStr for Port {
///     type Err = std::num::ParseIntError;
///
///     fn from_str(text: &str) -> Result<Self, Self::Err> {
///         text.parse().map(Self)
///     }
/// }
///
/// mail_types::serde_as_text!(Port);
///
/// assert_eq!(serde_json::to_string(&Port(25))?, "\"25\"");
/// let error = serde_json::from_str::<Port>("\"smtp\"").unwrap_err();
/// assert!(error.to_string().starts_with("invalid digit found in string"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! serde_as_text {
    ($($name:ty),+ $(,)?) => {$(
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(from)?;
                let read = text.parse::<Self>();
                read.map_err(|error| ::serde::de::Error::custom($crate::serde::Causes(&error)))
            }
        }
    )+};
}

/// An error with its causes, for an error of serde.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a text of an error")]
pub struct Causes<'e>(pub &'e dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

serde_as_text!(DnsFailure, DnssecStatus, Name, RecordType);
serde_as_text!(AuthResult);
serde_as_text!(Domain, EnhancedCode, Helo, MailHost, Mailbox, Reply, ReplyCode, ReversePath);
