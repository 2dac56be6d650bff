//! The first argument of `certextract`: a field and its modifiers.

use thiserror::Error;

/// A field, and the separator of its list.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Selector {
    pub(super) field: Field,
    pub(super) separator: char,
}

#[derive(Debug, Eq, PartialEq)]
pub(super) enum Field {
    Version,
    SerialNumber,
    Subject(NameForm),
    Issuer(NameForm),
    NotBefore {
        seconds: bool,
    },
    NotAfter {
        seconds: bool,
    },
    SigAlgorithm,
    Signature,
    SubjAltname(Option<AltName>),
    OcspUri,
    CrlUri,
    /// By its OID.
    Extension(String),
}

/// The form of a distinguished name.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum NameForm {
    Text,
    /// A list of its elements.
    Elements,
    /// A list of the values of this type.
    Values(String),
}

/// The type of an alternative name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AltName {
    Dns,
    Mail,
    Uri,
}

/// Checks a selector before a certificate is there.
///
/// # Errors
///
/// [`SelectorError`].
pub(crate) fn check(selector: &[u8]) -> Result<(), SelectorError> {
    Selector::parse(selector).map(|_| ())
}

impl Selector {
    pub(super) fn parse(text: &[u8]) -> Result<Self, SelectorError> {
        let text = str::from_utf8(text).map_err(|_| SelectorError::NotText)?.trim();
        let (name, modifiers) = match text.split_once(',') {
            Some((name, modifiers)) => (name, Some(modifiers)),
            None => (text, None),
        };
        let (word, separator) = modifiers.map(read).transpose()?.unwrap_or_default();
        let (field, is_list) = field(name, word, separator.is_some())?;
        if separator.is_some() && !is_list {
            return Err(SelectorError::NoList { field: name.to_owned() });
        }
        Ok(Self { field, separator: separator.unwrap_or('\n') })
    }
}

/// Returns a field, and whether it is a list.
fn field(name: &str, word: Option<&str>, separated: bool) -> Result<(Field, bool), SelectorError> {
    let form = || match word {
        Some(kind) => NameForm::Values(kind.to_owned()),
        None if separated => NameForm::Elements,
        None => NameForm::Text,
    };
    let seconds = word == Some("int");
    Ok(match (name, word) {
        ("version", None) => (Field::Version, false),
        ("serial_number", None) => (Field::SerialNumber, false),
        ("subject", _) => (Field::Subject(form()), true),
        ("issuer", _) => (Field::Issuer(form()), true),
        ("notbefore", None | Some("int")) => (Field::NotBefore { seconds }, false),
        ("notafter", None | Some("int")) => (Field::NotAfter { seconds }, false),
        ("sig_algorithm", None) => (Field::SigAlgorithm, false),
        ("signature", None) => (Field::Signature, false),
        ("subj_altname", None) => (Field::SubjAltname(None), true),
        ("subj_altname", Some("dns")) => (Field::SubjAltname(Some(AltName::Dns)), true),
        ("subj_altname", Some("mail")) => (Field::SubjAltname(Some(AltName::Mail)), true),
        ("subj_altname", Some("uri")) => (Field::SubjAltname(Some(AltName::Uri)), true),
        ("ocsp_uri", None) => (Field::OcspUri, true),
        ("crl_uri", None) => (Field::CrlUri, true),
        (oid, None) if is_oid(oid) => (Field::Extension(oid.to_owned()), false),
        (name, Some(word)) if NAMES.contains(&name) || is_oid(name) => {
            let (field, modifier) = (name.to_owned(), word.to_owned());
            return Err(SelectorError::Modifier { field, modifier });
        }
        _ => return Err(SelectorError::Field { field: name.to_owned() }),
    })
}

/// Reads modifiers: at most one word, and the separator of a list after `>`.
fn read(mut modifiers: &str) -> Result<(Option<&str>, Option<char>), SelectorError> {
    let (mut word, mut separator) = (None, None);
    loop {
        let end = match modifiers.strip_prefix('>').and_then(|rest| rest.chars().next()) {
            // The separator may be a comma.
            Some(character) => 1 + character.len_utf8(),
            None => modifiers.find(',').unwrap_or(modifiers.len()),
        };
        let (modifier, rest) = modifiers.split_at(end);
        let twice = match modifier.strip_prefix('>') {
            Some(character) => {
                let character = character.chars().next().ok_or(SelectorError::Separator)?;
                separator.replace(character).is_some()
            }
            None => word.replace(modifier.trim()).is_some(),
        };
        if twice {
            return Err(SelectorError::Twice { modifier: modifier.to_owned() });
        }
        match rest.strip_prefix(',') {
            Some(rest) => modifiers = rest,
            None if rest.is_empty() => return Ok((word, separator)),
            None => return Err(SelectorError::Separator),
        }
    }
}

fn is_oid(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.contains('.') && text.split('.').all(is_number)
}

/// The argument names no field.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum SelectorError {
    #[error("the field is not UTF-8")]
    NotText,
    #[error("{field:?} is not a field of a certificate")]
    Field { field: String },
    #[error("the field {field} has no modifier {modifier:?}")]
    Modifier { field: String, modifier: String },
    #[error("the field {field} is not a list: a separator has no effect")]
    NoList { field: String },
    #[error("{modifier:?}: only one word and one separator can modify a field")]
    Twice { modifier: String },
    #[error("> needs one separator, then a comma or the end")]
    Separator,
}

const NAMES: &[&str] = &[
    "version",
    "serial_number",
    "notbefore",
    "notafter",
    "sig_algorithm",
    "signature",
    "subj_altname",
    "ocsp_uri",
    "crl_uri",
];
