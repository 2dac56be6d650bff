//! The language of configured texts: their lookups, and the named lists.
//!
//! ```toml
//! [domainlist]
//! hosted = "example.com : *.example.net"
//! [hostlist]
//! relays = "<\n ${lookup sqlite{SELECT address FROM relays}}"
//! ```
//!
//! Lists of domains, hosts, addresses and local parts are in the tables `domainlist`, `hostlist`,
//! `addresslist` and `localpartlist`; `local_domains` and `relay_to_domains` are named lists of domains
//! too. A list of a rule includes one of its type as `+name` or `!+name`; a text uses named lists without
//! a `$` as `${listnamed:name}`, and in `match_domain` and similar conditions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use event_expand::{
    HeaderForm, HostCall, ListKind, Lookup, MatchList, Need, Options, Template, TemplateError,
    Variables,
};
use mail_types::exim::{ByteList, Trust, Variable};
use thiserror::Error;

#[cfg(feature = "gateway")]
use super::certificate;
#[cfg(feature = "gateway")]
use super::engines::check_query;
use super::language_error::LanguageError;
use super::redis::RedisSettings;
#[cfg(feature = "gateway")]
use super::unquoted;
#[cfg(feature = "gateway")]
use crate::gateway::telemetry::log;

/// The language that all texts of a configuration share.
#[derive(Debug, Default)]
pub(crate) struct Language {
    pub(crate) options: Options,
    /// The available lookups.
    pub(crate) engines: Available,
    pub(crate) lists: NamedLists,
    /// Checks the files of lookups and lists, for `--check`.
    files: Option<FileCheck>,
    /// The parsed named lists without an expansion.
    known: BTreeMap<(ListKind, String), Arc<MatchList>>,
    /// What the texts that were parsed look things up in.
    uses: Mutex<BTreeSet<Source>>,
    /// The names of the lists of rules that texts can call.
    acls: BTreeSet<String>,
    /// The calls of the texts that were parsed.
    calls: Mutex<BTreeSet<Call>>,
}

/// A call of a list of rules.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Call {
    /// The name of the list, unless it is expanded.
    pub(crate) name: Option<String>,
    /// The place of the call.
    pub(crate) place: &'static str,
    /// Whether the condition `acl` of a rule calls it, not a text.
    pub(crate) by_condition: bool,
}

/// What a lookup or a list of a text looks things up in.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Source {
    /// A file of `lookup_directories`.
    File,
    Pgsql,
    Redis,
    /// The database of `sqlite_dbfile`.
    Sqlite,
}

impl Source {
    const ALL: [Self; 4] = [Self::File, Self::Pgsql, Self::Redis, Self::Sqlite];

    fn of(lookup: &Lookup) -> Option<Self> {
        match lookup.name {
            "sqlite" if file_option(lookup).is_some() => Some(Self::File),
            "sqlite" => Some(Self::Sqlite),
            "pgsql" => Some(Self::Pgsql),
            "redis" => Some(Self::Redis),
            _ => lookup.is_file().then_some(Self::File),
        }
    }
}

impl Language {
    /// Makes the language, and parses the named lists without an expansion. Their errors are reported by
    /// the check of all lists.
    pub(crate) fn new(options: Options, engines: Available, lists: NamedLists) -> Self {
        let known = lists.all().filter_map(|(kind, name, text)| {
            let template = template(text, &options).ok()?;
            let items = ByteList::new(template.literal()?);
            let list = MatchList::read(items, Trust::Trusted, kind, &options.limits).ok()?;
            Some(((kind, name.to_owned()), Arc::new(list)))
        });
        let known = known.collect();
        Self { options, engines, lists, known, ..Self::default() }
    }

    /// Sets the names of the lists of rules that texts can call.
    pub(crate) fn calling(self, acls: BTreeSet<String>) -> Self {
        Self { acls, ..self }
    }

    /// Takes note that a text calls a list of rules.
    pub(crate) fn note_call(&self, call: Call) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).insert(call);
    }

    /// Tells whether there is a list of rules of this name.
    pub(crate) fn has_acl(&self, name: &str) -> bool {
        self.acls.contains(name)
    }

    /// Takes the calls that were noted.
    pub(crate) fn take_calls(&self) -> BTreeSet<Call> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Checks the file of each lookup and list while its text is parsed.
    pub(crate) fn checking(self, files: FileCheck) -> Self {
        Self { files: Some(files), ..self }
    }

    /// Tells whether a text that was parsed looks things up there, or may do so.
    pub(crate) fn uses(&self, source: Source) -> bool {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).contains(&source)
    }

    /// Tells whether a text has this variable.
    pub(crate) fn mentions(&self, text: &str, variable: &str) -> bool {
        text.contains(variable)
            && template(text, &self.options)
                .is_ok_and(|template| template.names().any(|name| name == variable))
    }

    /// Takes note that a text may look things up there.
    pub(crate) fn note(&self, sources: impl IntoIterator<Item = Source>) {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).extend(sources);
    }

    /// Returns a named list without an expansion.
    pub(crate) fn known_list(&self, kind: ListKind, name: &str) -> Option<Arc<MatchList>> {
        self.known.get(&(kind, name.to_owned())).cloned()
    }

    /// Checks the items of a list before the start.
    pub(crate) fn check_list(&self, list: &MatchList) -> Result<(), LanguageError> {
        list.check(&self.options.limits)?;
        for (item, kind, name) in list.named_lists() {
            if self.lists.get(kind, name).is_none() {
                let (kind, name) = (kind.table(), name.to_owned());
                return Err(LanguageError::UnknownList { item, kind, name });
            }
        }
        list.needs().into_iter().try_for_each(|need| self.check_need(0, need, None))
    }

    /// Parses a text with these variables and header fields, and checks its lookups. An untrusted
    /// variable of `names` always has an untrusted value. [`Template::check`] finds unknown variables.
    pub(crate) fn parse(
        &self,
        text: &str,
        names: &dyn Variables,
    ) -> Result<Template, LanguageError> {
        let template = template(text, &self.options)?;
        for (at, need) in template.needs() {
            self.check_need(at, need, Some(names))?;
        }
        #[cfg(feature = "gateway")]
        if let Some(unquoted) = unquoted::find(text, &template, |name| is_untrusted(names, name)) {
            return Err(unquoted.into());
        }
        #[cfg(feature = "gateway")]
        if let Some((at, need)) = template.refused_needs(|name| is_untrusted(names, name)).next() {
            return Err(match need {
                Need::Lookup { lookup, .. } => {
                    LanguageError::UntrustedFile { at, name: lookup.name }
                }
                _ => LanguageError::UntrustedAcl { at },
            });
        }
        #[cfg(feature = "gateway")]
        for (at, lookup, query) in template.queries(|name| is_untrusted(names, name)) {
            let checked = match lookup.name {
                "redis" => {
                    self.engines.redis.check(lookup, &query).map_err(|error| log::chain(&error))
                }
                _ => check_query(lookup, &query).map_err(|error| log::chain(&error)),
            };
            let name = lookup.name;
            checked.map_err(|why| LanguageError::Query { at, name, why })?;
        }
        Ok(template)
    }

    #[cfg_attr(
        not(feature = "gateway"),
        expect(unused_variables, reason = "certificates need their reader")
    )]
    fn check_need(
        &self,
        at: usize,
        need: Need<'_>,
        names: Option<&dyn Variables>,
    ) -> Result<(), LanguageError> {
        match (need, names) {
            (Need::Lookup { lookup, file }, _) => {
                self.engines.check(lookup).map_err(|missing| LanguageError::Lookup {
                    at,
                    name: lookup.name,
                    missing,
                })?;
                self.note(Source::of(lookup));
                file.or(file_option(lookup)).map_or(Ok(()), |file| self.open(at, file))
            }
            (Need::ListFile(_), _) if !self.engines.files => Err(LanguageError::ListFile { at }),
            (Need::ListFile(file), _) => {
                self.note([Source::File]);
                self.open(at, file)
            }
            (Need::Again, _) => {
                self.note(Source::ALL);
                Ok(())
            }
            (Need::CertExtract { field, variable }, Some(names)) => {
                let variable = variable.and_then(|variable| str::from_utf8(variable).ok());
                variable.filter(|name| names.certificate(name).is_some()).ok_or_else(|| {
                    let variable = variable.unwrap_or_default().to_owned();
                    LanguageError::NoCertificate { at, variable }
                })?;
                #[cfg(feature = "gateway")]
                if let Some(field) = field {
                    certificate::check(field).map_err(|error| LanguageError::Certificate {
                        at,
                        why: error.to_string(),
                    })?;
                }
                Ok(())
            }
            // Where lists can be called, they have arguments.
            (Need::Acl(name), Some(names)) if names.variable("acl_narg") != Variable::Unknown => {
                let name = name.map(|name| String::from_utf8_lossy(name).into_owned());
                match name.filter(|name| !self.has_acl(name)) {
                    Some(name) => Err(LanguageError::NoAcl { at, name }),
                    None => Ok(()),
                }
            }
            (Need::Acl(_), _) => Err(LanguageError::Call { at, call: HostCall::Acl }),
            (Need::Call(HostCall::RandInt), _) => Ok(()),
            (Need::Call(call), _) => Err(LanguageError::Call { at, call }),
            (Need::Header(name), Some(names)) => match names.header(name, HeaderForm::Raw) {
                Variable::Unknown => Err(LanguageError::NoHeader { at }),
                Variable::Unset | Variable::Value(_) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn open(&self, at: usize, file: &[u8]) -> Result<(), LanguageError> {
        let Some(FileCheck(check)) = &self.files else { return Ok(()) };
        let name = || String::from_utf8_lossy(file).into_owned();
        check(file).map_err(|why| LanguageError::File { at, file: name(), why })
    }
}

/// The available lookups.
#[derive(Debug, Default)]
pub(crate) struct Available {
    /// Whether `lookup_directories` lists a folder.
    pub(crate) files: bool,
    /// Whether `pgsql_servers` lists a server.
    pub(crate) pgsql_servers: bool,
    /// The servers, commands and replies of `redis`.
    pub(crate) redis: RedisSettings,
}

/// The lookups.
pub(crate) const LOOKUPS: [&str; 6] =
    ["iplsearch", "lsearch", "nwildlsearch", "pgsql", "redis", "sqlite"];

impl Available {
    fn check(&self, lookup: &Lookup) -> Result<(), Missing> {
        let options = lookup.options.as_deref().unwrap_or_default();
        match lookup.name {
            "sqlite" if options.starts_with(b"file=") && !self.files => Err(Missing::Folders),
            "sqlite" if options.starts_with(b"file=/") => Ok(()),
            "pgsql" if !cfg!(feature = "pgsql") => Err(Missing::Feature { feature: "pgsql" }),
            "pgsql" if !self.pgsql_servers => Err(Missing::Servers { option: "pgsql_servers" }),
            "redis" if !cfg!(feature = "redis") => Err(Missing::Feature { feature: "redis" }),
            "redis" if self.redis.servers.is_empty() => {
                Err(Missing::Servers { option: "redis_servers" })
            }
            "redis" if options.starts_with(b"servers=") => Ok(()),
            "lsearch" | "iplsearch" | "nwildlsearch" if !self.files => Err(Missing::Folders),
            name if LOOKUPS.contains(&name) => {
                // Results are never cached here, so that this option has no effect.
                if matches!(options, b"" | b"cache=no_rd") { Ok(()) } else { Err(Missing::Option) }
            }
            _ => Err(Missing::Engine),
        }
    }
}

/// The file of `sqlite,file=`.
fn file_option(lookup: &Lookup) -> Option<&[u8]> {
    lookup.options.as_deref().and_then(|text| text.strip_prefix(b"file="))
}

/// Checks that a file of a text can be opened.
pub(crate) struct FileCheck(pub(crate) Box<Opens>);

/// Opens a file by its name, or returns the error.
type Opens = dyn Fn(&[u8]) -> Result<(), String> + Send + Sync;

impl std::fmt::Debug for FileCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileCheck")
    }
}

/// The reason why a lookup is not available.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum Missing {
    #[error("this lookup of Exim is not supported here")]
    Engine,
    #[error("not compiled in; build with --features {feature}")]
    Feature { feature: &'static str },
    #[error("{option} names no server")]
    Servers { option: &'static str },
    #[error("lookup_directories is empty, so that it may read no file")]
    Folders,
    #[error("unsupported option after the comma")]
    Option,
}

/// The named lists, as texts.
#[derive(Debug, Default)]
pub(crate) struct NamedLists(BTreeMap<(ListKind, String), String>);

impl NamedLists {
    /// Adds a list, unless its name is taken.
    pub(crate) fn add(&mut self, kind: ListKind, name: &str, text: &str) {
        self.0.entry((kind, name.to_owned())).or_insert_with(|| text.to_owned());
    }

    pub(crate) fn get(&self, kind: ListKind, name: &str) -> Option<&str> {
        self.0.get(&(kind, name.to_owned())).map(String::as_str)
    }

    /// Returns all lists.
    pub(crate) fn all(&self) -> impl Iterator<Item = (ListKind, &str, &str)> {
        self.0.iter().map(|((kind, name), text)| (*kind, name.as_str(), text.as_str()))
    }
}

/// Tells whether the value of a variable is always untrusted.
pub(crate) fn is_untrusted(names: &dyn Variables, name: &str) -> bool {
    matches!(names.variable(name), Variable::Value(value) if value.trust() == Trust::Untrusted)
}

/// Parses a text.
fn template(text: &str, options: &Options) -> Result<Template, TemplateError> {
    let mut limits = options.limits;
    if !text.contains('$') {
        // A long list without an expansion.
        limits.template = limits.template.max(text.len());
    }
    Template::parse_within(text.as_bytes(), &limits)
}
