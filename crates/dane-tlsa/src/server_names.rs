//! The names of a server's certificate, and whether one is the server's: RFC 7672 section 3.2.3.

use mail_types::dns::Name;

use crate::certificate::Certificate;
use crate::der::{self, DerError, Element};
use crate::uses::Uses;

/// How a certificate names the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Identity<'a> {
    /// By a DNS name among its alternative names.
    DnsId,
    /// By a common name, having no DNS name among the alternative ones.
    CommonName {
        /// The common name.
        text: &'a [u8],
        /// The name of the server that it is.
        reference: &'a Name,
    },
    /// Not at all.
    Other,
}

impl<'a> Identity<'a> {
    /// Finds one of these names in a certificate.
    pub(crate) fn of(
        certificate: &Certificate<'a>,
        uses: &Uses<'a>,
        references: &'a [Name],
    ) -> Result<Self, DerError> {
        let mut has_dns_id = false;
        if let Some(names) = uses.alternative_names {
            let mut reader = names.reader();
            while !reader.is_empty() {
                let name = reader.any("GeneralName")?;
                if name.tag != DNS_NAME {
                    continue;
                }
                has_dns_id = true;
                if references.iter().any(|reference| is_name_of(name.contents, reference)) {
                    return Ok(Self::DnsId);
                }
            }
        }
        if has_dns_id {
            return Ok(Self::Other);
        }
        let mut found = Self::Other;
        each_common_name(certificate, |text| {
            let reference = references.iter().find(|reference| is_name_of(text, reference));
            if let (Self::Other, Some(reference)) = (found, reference) {
                found = Self::CommonName { text, reference };
            }
        })?;
        Ok(found)
    }
}

/// Tells whether a name in a certificate is this name of a server. A wildcard is a whole first label,
/// and stands for one label.
fn is_name_of(presented: &[u8], reference: &Name) -> bool {
    match presented.strip_prefix(b"*.") {
        Some(rest) => reference
            .parent()
            .is_some_and(|parent| Name::from_dotted(rest).is_ok_and(|rest| rest == parent)),
        None => Name::from_dotted(presented).is_ok_and(|presented| presented == *reference),
    }
}

fn each_common_name<'a>(
    certificate: &Certificate<'a>,
    mut take: impl FnMut(&'a [u8]),
) -> Result<(), DerError> {
    let mut names = certificate.subject().reader();
    while !names.is_empty() {
        let mut set = names.read(der::SET, "RelativeDistinguishedName")?.reader();
        while !set.is_empty() {
            let mut pair = set.read(der::SEQUENCE, "AttributeTypeAndValue")?.reader();
            let kind = pair.read(der::OID, "AttributeType")?;
            let value = pair.any("AttributeValue")?;
            if kind.contents == COMMON_NAME && TEXTS.contains(&value.tag) {
                take(value.contents);
            }
        }
    }
    Ok(())
}

/// Tells whether the name constraints of an authority allow a common name, as they would a DNS name
/// among the alternative ones: webpki looks at the latter only.
pub(crate) fn allows(
    constraints: &Element<'_>,
    text: &[u8],
    reference: &Name,
) -> Result<bool, DerError> {
    let mut room = [0; Name::MAX_OCTETS];
    let server = reference.write_dotted(&mut room);
    let mut reader = constraints.reader();
    let permitted = reader.optional(der::context(0, true), "permittedSubtrees")?;
    let excluded = reader.optional(der::context(1, true), "excludedSubtrees")?;
    let mut is_permitted = None;
    each_dns_subtree(permitted, |subtree| {
        let is_within = is_below(text, subtree) && is_below(server, subtree);
        is_permitted = Some(is_permitted.unwrap_or(false) || is_within);
    })?;
    let mut is_excluded = false;
    each_dns_subtree(excluded, |subtree| {
        // A wildcard may stand for a name that is excluded.
        let expands = text.strip_prefix(b"*.").is_some_and(|rest| is_below(subtree, rest));
        is_excluded |= expands || is_below(text, subtree) || is_below(server, subtree);
    })?;
    Ok(is_permitted.unwrap_or(true) && !is_excluded)
}

fn each_dns_subtree(
    subtrees: Option<Element<'_>>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), DerError> {
    let Some(subtrees) = subtrees else { return Ok(()) };
    let mut reader = subtrees.reader();
    while !reader.is_empty() {
        let subtree = reader.read(der::SEQUENCE, "GeneralSubtree")?;
        let base = subtree.reader().any("base")?;
        if base.tag == DNS_NAME {
            take(base.contents);
        }
    }
    Ok(())
}

/// Tells whether a name is a subtree's, or below it; a dot before the subtree leaves it out itself.
fn is_below(name: &[u8], subtree: &[u8]) -> bool {
    let Some((rest, end)) = name.len().checked_sub(subtree.len()).map(|at| name.split_at(at))
    else {
        return false;
    };
    let is_whole = subtree.is_empty() || subtree.first() == Some(&b'.') && !rest.is_empty();
    end.eq_ignore_ascii_case(subtree) && (is_whole || rest.is_empty() || rest.ends_with(b"."))
}

/// The choice `dNSName` of a `GeneralName`.
const DNS_NAME: u8 = der::context(2, false);
/// `id-at-commonName`, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
/// The strings whose octets are those of ASCII: `UTF8String`, `PrintableString`, `TeletexString`,
/// `IA5String`.
const TEXTS: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];
