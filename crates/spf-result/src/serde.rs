//! Results, records and outcomes for the crate `serde`.

use ::serde::ser::SerializeStruct as _;
use ::serde::{Serialize, Serializer};

use crate::outcome::{Matched, Problem};
use crate::{Directive, MacroString, Record, SpfResult};

mail_types::serde_as_text!(MacroString, Record, SpfResult);

impl Serialize for Directive {
    /// Writes the term of the record.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl Serialize for Matched {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Matched", 3)?;
        fields.serialize_field("domain", self.domain())?;
        fields.serialize_field("record", &self.record())?;
        fields.serialize_field("directive", &self.directive())?;
        fields.end()
    }
}

impl Serialize for Problem {
    /// Writes a text for people.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
