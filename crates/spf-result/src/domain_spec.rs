//! The domain of a term, with its macros: RFC 7208 section 7.1.

use std::fmt;

use mail_types::dns::Name;

use crate::MacroString;
use crate::record::RecordError;
use crate::word::last_dot;

/// The domain of a term: `domain-spec`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct DomainSpec(DomainOrMacros);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum DomainOrMacros {
    /// A valid DNS name without macros.
    Fixed(Name),
    /// Any other text, such as a label that is too long: the result is checked after expansion.
    Macros(MacroString),
}

impl DomainSpec {
    /// Parses a domain at position `at` of its record, where `has_macros` tells whether it has a percent sign.
    pub(crate) fn parse(text: &[u8], at: usize, has_macros: bool) -> Result<Self, RecordError> {
        let ends = ends_in_top_label(text);
        if !has_macros && !ends {
            return Err(RecordError::Domain { at });
        }
        if !has_macros && let Ok(name) = Name::from_dotted(text) {
            return Ok(Self(DomainOrMacros::Fixed(name)));
        }
        let macros = |error| RecordError::from_macro(error, at);
        let parsed = MacroString::parse_for_domain(text).map_err(macros)?;
        if !ends && !parsed.ends_in_macro() {
            return Err(RecordError::Domain { at });
        }
        Ok(Self(DomainOrMacros::Macros(parsed)))
    }

    /// Returns the name, if the text is a valid name without macros.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        match &self.0 {
            DomainOrMacros::Fixed(name) => Some(name),
            DomainOrMacros::Macros(_) => None,
        }
    }

    /// Returns the macro string, if the text has macros or is not a valid name.
    ///
    /// ```
    /// use spf_result::Record;
    ///
    /// let record: Record = "v=spf1 redirect=_spf.example.com".parse()?;
    /// let domain = record.redirect().ok_or("no redirect")?;
    /// assert_eq!(domain.name().map(ToString::to_string).as_deref(), Some("_spf.example.com"));
    /// assert_eq!(domain.macros(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn macros(&self) -> Option<&MacroString> {
        match &self.0 {
            DomainOrMacros::Fixed(_) => None,
            DomainOrMacros::Macros(macros) => Some(macros),
        }
    }
}

impl fmt::Display for DomainSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            DomainOrMacros::Macros(macros) => write!(f, "{macros}"),
            DomainOrMacros::Fixed(name) => {
                // Without the escapes of the DNS: a record has none.
                for (i, label) in name.labels().enumerate() {
                    f.write_str(if i > 0 { "." } else { "" })?;
                    f.write_str(str::from_utf8(label).unwrap_or_default())?;
                }
                Ok(())
            }
        }
    }
}

/// `"." toplabel [ "." ]`: letters, digits and inner hyphens, and not digits alone.
fn ends_in_top_label(text: &[u8]) -> bool {
    let text = text.strip_suffix(b".").unwrap_or(text);
    let Some(dot) = last_dot(text) else { return false };
    let label = text.get(dot + 1..).unwrap_or_default();
    let (mut digits, mut valid) = (true, true);
    for c in label {
        digits &= c.is_ascii_digit();
        valid &= c.is_ascii_alphanumeric() || *c == b'-';
    }
    valid && !digits && !matches!(label, [b'-', ..] | [.., b'-'])
}
