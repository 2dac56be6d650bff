//! The language of the texts of rules: what they may reach, and the named lists of a configuration.
//!
//! ```toml
//! [domainlist]
//! hosted = "example.com : *.example.net"
//! [hostlist]
//! relays = "<\n ${lookup sqlite{SELECT address FROM relays}}"
//! ```
//!
//! Lists of domains, hosts, addresses and local parts are in the tables `domainlist`, `hostlist`,
//! `addresslist` and `localpartlist`. `local_domains` and `relay_to_domains` are lists of domains that
//! are there anyway. A list of a rule has one of its own kind as `+name`, also `!+name`; a text has
//! them as `${listnamed:name}` and in `match_domain` and the like, if they have no `$` themselves.

use std::collections::BTreeMap;

use event_expand::{Call, ListKind, Lookup, Need, Options, Template, TemplateError};
use thiserror::Error;

use super::place::Place;

/// What all texts of a configuration have in common.
#[derive(Debug, Default)]
pub(crate) struct Language {
    pub(crate) options: Options,
    /// The lookups that can be made, and why others cannot.
    pub(crate) engines: Available,
    pub(crate) lists: NamedLists,
}

impl Language {
    /// Parses a text that stands at this place, or may stand anywhere, and checks what can be seen of
    /// what it asks for.
    pub(crate) fn parse(
        &self,
        text: &str,
        place: Option<Place>,
    ) -> Result<Template, LanguageError> {
        let mut limits = self.options.limits;
        if !text.contains('$') {
            // A long list, of which nothing is to be expanded.
            limits.template = limits.template.max(text.len());
        }
        let template = Template::parse_within(text.as_bytes(), &limits)?;
        for (at, need) in template.needs() {
            match (need, place) {
                (Need::Lookup(lookup), _) => self
                    .engines
                    .check(lookup)
                    .map_err(|missing| LanguageError::Lookup { at, name: lookup.name, missing })?,
                (Need::Call(call), _) => return Err(LanguageError::Call { at, call }),
                (Need::Header(_), Some(place)) if !Place::CONTENT.contains(&place) => {
                    return Err(LanguageError::NoHeader { at, place });
                }
                _ => {}
            }
        }
        Ok(template)
    }
}

/// Which lookups can be made.
#[derive(Debug, Default)]
pub(crate) struct Available {
    /// Whether there are folders that files may be read in.
    pub(crate) files: bool,
    /// Whether there are servers of `PostgreSQL`.
    pub(crate) pgsql_servers: bool,
}

impl Available {
    fn check(&self, lookup: &Lookup) -> Result<(), Missing> {
        let options = lookup.options.as_deref().unwrap_or_default();
        match lookup.name {
            "sqlite" if options.starts_with(b"file=") && !self.files => Err(Missing::Folders),
            "sqlite" if options.starts_with(b"file=/") => Ok(()),
            "pgsql" if !cfg!(feature = "pgsql") => Err(Missing::Feature { feature: "pgsql" }),
            "pgsql" if !self.pgsql_servers => Err(Missing::Servers),
            "lsearch" | "iplsearch" | "nwildlsearch" if !self.files => Err(Missing::Folders),
            "sqlite" | "pgsql" | "lsearch" | "iplsearch" | "nwildlsearch" => {
                // Nothing is cached here, so that this asks for what is so anyway.
                if matches!(options, b"" | b"cache=no_rd") { Ok(()) } else { Err(Missing::Option) }
            }
            _ => Err(Missing::Engine),
        }
    }
}

/// Why a lookup cannot be made here.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum Missing {
    #[error("there is no such lookup here")]
    Engine,
    #[error("build with --features {feature} for it")]
    Feature { feature: &'static str },
    #[error("pgsql_servers names nobody to ask")]
    Servers,
    #[error("lookup_directories names no folder that it may read in")]
    Folders,
    #[error("it does not take what stands behind its comma")]
    Option,
}

/// The named lists, as texts.
#[derive(Debug, Default)]
pub(crate) struct NamedLists(BTreeMap<(&'static str, String), String>);

impl NamedLists {
    /// The tables that have them.
    pub(crate) const TABLES: [(&'static str, ListKind); 4] = [
        ("addresslist", ListKind::Address),
        ("domainlist", ListKind::Domain),
        ("hostlist", ListKind::Host),
        ("localpartlist", ListKind::LocalPart),
    ];

    /// Puts a list in, unless there is one of this name already.
    pub(crate) fn add(&mut self, table: &'static str, name: &str, text: &str) {
        self.0.entry((table, name.to_owned())).or_insert_with(|| text.to_owned());
    }

    pub(super) fn get(&self, kind: ListKind, name: &str) -> Option<&str> {
        let (table, _) = Self::TABLES.iter().find(|(_, known)| *known == kind)?;
        self.0.get(&(*table, name.to_owned())).map(String::as_str)
    }

    /// Goes through all of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (ListKind, &str, &str)> {
        self.0.iter().filter_map(|((table, name), text)| {
            let (_, kind) = Self::TABLES.iter().find(|(known, _)| known == table)?;
            Some((*kind, name.as_str(), text.as_str()))
        })
    }
}

/// Why a text is not one of rules. Positions are in bytes, with macros put in and lines joined.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum LanguageError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("byte {at}: the lookup {name}: {missing}")]
    Lookup { at: usize, name: &'static str, missing: Missing },
    #[error("byte {at}: {} is not to be had here", call.as_str())]
    Call { at: usize, call: Call },
    #[error("byte {at}: there are no header fields yet at {}", place.option())]
    NoHeader { at: usize, place: Place },
}
