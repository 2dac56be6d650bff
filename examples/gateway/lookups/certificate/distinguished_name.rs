//! Distinguished names as texts (RFC 4514).

use std::fmt::Write as _;

use x509_parser::asn1_rs::{Any, Tag, ToDer};
use x509_parser::x509::{AttributeTypeAndValue, RelativeDistinguishedName, X509Name};

use super::list;
use super::selector::NameForm;

/// Writes a name, or a list of some of it.
pub(super) fn select(name: &X509Name<'_>, form: NameForm, separator: char) -> Option<String> {
    let mut elements: Vec<_> = name.iter_rdn().collect();
    elements.reverse();
    match form {
        NameForm::Text => {
            let elements: Vec<_> = elements.into_iter().map(element).collect();
            (!elements.is_empty()).then(|| elements.join(","))
        }
        NameForm::Elements => {
            let elements: Vec<_> = elements.into_iter().map(|e| with_commas(&element(e))).collect();
            list(&elements, separator)
        }
        NameForm::Values(kind) => {
            let values = elements.into_iter().flat_map(RelativeDistinguishedName::iter);
            // Exim with GnuTLS has another name for addresses.
            let kind = if kind == "EMAIL" { "emailAddress" } else { &*kind };
            let values = values.filter(|value| label(value).eq_ignore_ascii_case(kind));
            let values: Vec<_> = values.map(|v| with_commas(&text(v))).collect();
            list(&values, separator)
        }
    }
}

/// Takes the backslash before a comma away, which would not quote it in a list of Exim.
fn with_commas(text: &str) -> String {
    text.replace("\\,", ",")
}

fn element(element: &RelativeDistinguishedName<'_>) -> String {
    let values = element.iter().map(|value| format!("{}={}", label(value), text(value)));
    values.collect::<Vec<_>>().join("+")
}

/// The type of an attribute: its short name, or its OID.
fn label(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let known = LABELS.iter().find(|(known, _)| *known == oid);
    known.map_or(oid, |(_, label)| (*label).to_owned())
}

/// The value of an attribute, escaped; that of an unknown type or an unknown string is in hexadecimal.
fn text(attribute: &AttributeTypeAndValue<'_>) -> String {
    let is_known = label(attribute).starts_with(|c: char| c.is_ascii_alphabetic());
    if let Some(characters) = characters(attribute.attr_value()).filter(|_| is_known) {
        return escaped(&characters);
    }
    let octets = attribute.attr_value().to_der_vec().unwrap_or_default();
    format!("#{}", data_encoding::HEXUPPER.encode(&octets))
}

fn characters(value: &Any<'_>) -> Option<String> {
    let octets = value.data;
    match value.tag() {
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString => String::from_utf8(octets.to_vec()).ok(),
        Tag::TeletexString => Some(octets.iter().map(|octet| char::from(*octet)).collect()),
        Tag::BmpString => {
            let units =
                octets.chunks(2).map(|unit| Some(u16::from_be_bytes(unit.try_into().ok()?)));
            String::from_utf16(&units.collect::<Option<Vec<_>>>()?).ok()
        }
        Tag::UniversalString => {
            let units =
                octets.chunks(4).map(|unit| Some(u32::from_be_bytes(unit.try_into().ok()?)));
            units.map(|unit| char::from_u32(unit?)).collect()
        }
        _ => None,
    }
}

/// Escapes a value (RFC 4514 section 2.4), control characters too.
fn escaped(value: &str) -> String {
    let (mut text, last) = (String::new(), value.chars().count().saturating_sub(1));
    for (at, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => text.extend(['\\', character]),
            ' ' if at == 0 || at == last => text.push_str("\\ "),
            '#' if at == 0 => text.push_str("\\#"),
            _ if character.is_control() => {
                for octet in character.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(text, "\\{octet:02X}"); // A string takes everything.
                }
            }
            _ => text.push(character),
        }
    }
    text
}

/// The types of RFC 4514 section 3, and other frequent ones by OpenSSL's names.
const LABELS: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.42", "GN"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];
