//! Quotes values for lookups, for a value that becomes part of a text.

use crate::evaluate::function::Part;
use crate::operators::text::each;
use crate::tree::lookup;

/// The quoting of a lookup.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoting {
    /// The lookup.
    pub(crate) lookup: &'static str,
    style: Style,
}

#[derive(Clone, Copy, Debug)]
enum Style {
    /// No special characters.
    Plain,
    /// RFC 4515 and then RFC 3986.
    Ldap,
    /// RFC 4514 and then RFC 3986.
    LdapName,
    MySql,
    NisPlus,
    Pgsql,
    Redis,
    Sqlite,
}

impl Quoting {
    /// Finds the quoting by the name after `quote_`: a lookup, for `ldap` with an optional `_dn`.
    pub(crate) fn find(name: &str) -> Option<Self> {
        if name == "ldap_dn" {
            return Some(Self { lookup: "ldap", style: Style::LdapName });
        }
        let lookup = lookup::known(name.as_bytes())?;
        let style = match lookup {
            "ldap" | "ldapdn" | "ldapm" => Style::Ldap,
            "mysql" => Style::MySql,
            "nisplus" => Style::NisPlus,
            "pgsql" => Style::Pgsql,
            "redis" => Style::Redis,
            "ibase" | "oracle" | "sqlite" => Style::Sqlite,
            _ => Style::Plain,
        };
        Some(Self { lookup, style })
    }

    /// Returns the name after `quote_`.
    pub(crate) fn name(self) -> &'static str {
        if let Style::LdapName = self.style { "ldap_dn" } else { self.lookup }
    }

    /// Writes a part with the escapes of this lookup.
    pub(crate) fn write(self, out: &mut Vec<u8>, part: Part) {
        if let Style::Ldap | Style::LdapName = self.style {
            return write_ldap(out, part, matches!(self.style, Style::LdapName));
        }
        each(out, part, |out, byte| match (self.style, byte) {
            (Style::Sqlite | Style::Pgsql, b'\'') => out.extend_from_slice(b"''"),
            (Style::NisPlus, b'"') => out.extend_from_slice(b"\"\""),
            (Style::MySql | Style::Pgsql, b'\n') => out.extend_from_slice(b"\\n"),
            (Style::MySql | Style::Pgsql, b'\r') => out.extend_from_slice(b"\\r"),
            (Style::MySql | Style::Pgsql, b'\t') => out.extend_from_slice(b"\\t"),
            (Style::MySql | Style::Pgsql, 8) => out.extend_from_slice(b"\\b"),
            (Style::MySql, b'\'' | b'"' | b'\\') | (Style::Pgsql, b'"' | b'\\') => {
                out.extend([b'\\', byte]);
            }
            (Style::Redis, b'\\' | b' ' | b'\t'..=b'\r') => out.extend([b'\\', byte]),
            _ => out.push(byte),
        });
    }
}

fn write_ldap(out: &mut Vec<u8>, part: Part, name: bool) {
    let text = crate::evaluate::function::copy(out, part);
    // RFC 4514 section 2.4, as Exim has it: blanks at both ends, and # at the start, each of several.
    let begin = text.iter().position(|byte| !b" #".contains(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    for (place, byte) in text.iter().copied().enumerate() {
        let at_end = place < begin || place >= end;
        match byte {
            b'\\' | b'*' | b'(' | b')' if !name => {
                out.extend_from_slice(format!("%5C{byte:02X}").as_bytes());
            }
            _ if name && (b",+\"\\<>;".contains(&byte) || (at_end && b" #".contains(&byte))) => {
                out.extend_from_slice(b"%5C");
                push_percent(out, byte);
            }
            byte => push_percent(out, byte),
        }
    }
}

fn push_percent(out: &mut Vec<u8>, byte: u8) {
    if byte.is_ascii_alphanumeric() || b"!$'()*+-._".contains(&byte) {
        out.push(byte);
    } else {
        out.extend_from_slice(format!("%{byte:02X}").as_bytes());
    }
}
