//! Records, verdicts and reports for the crate `serde`.

use std::borrow::Cow;

use ::serde::de::Error as _;
use ::serde::ser::SerializeStruct as _;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};
use mail_types::results::AuthResult;
use mail_types::serde::Causes;

use crate::{Alignment, FailureOptions, Policy, Record, ReportUri, Verdict};

mail_types::serde_as_text!(Policy, ReportUri);

#[cfg(feature = "reports")]
mail_types::serde_as_text!(crate::ReportId);

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Record {
    /// Reads a record as leniently as [`Record::parse`].
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        Self::parse(text.as_bytes()).map_err(|error| D::Error::custom(Causes(&error)))
    }
}

impl Serialize for FailureOptions {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FailureOptions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        let options = Self::parse(text.as_bytes());
        options.ok_or_else(|| D::Error::custom("invalid tag fo: not 0, 1, d and s between colons"))
    }
}

impl Serialize for Alignment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::SameOrganization => to.serialize_str(SAME_ORGANIZATION),
            other => to.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for Alignment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        Ok(match &*text {
            "absent" => Self::Absent,
            "different" => Self::Different,
            "unknown" => Self::Unknown,
            SAME_ORGANIZATION => Self::SameOrganization,
            "same" => Self::Same,
            word => match word.parse() {
                Ok(AuthResult::Pass) | Err(_) => {
                    return Err(D::Error::custom("not the word of an alignment"));
                }
                Ok(result) => Self::NotPassed(result),
            },
        })
    }
}

const SAME_ORGANIZATION: &str = "same_organization";

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Verdict", 12)?;
        fields.serialize_field("result", &self.result)?;
        fields.serialize_field("status", &self.status())?;
        fields.serialize_field("author", &self.author)?;
        fields.serialize_field("fault", &self.fault)?;
        fields.serialize_field("org_domain", &self.org_domain)?;
        fields.serialize_field("policy_domain", &self.policy_domain)?;
        fields.serialize_field("policy", &self.policy)?;
        fields.serialize_field("disposition", &self.disposition)?;
        fields.serialize_field("pending", &self.pending)?;
        fields.serialize_field("spf", &self.spf)?;
        fields.serialize_field("dkim", &self.dkim)?;
        fields.serialize_field("record", &self.record())?;
        fields.end()
    }
}
