//! Texts beside a configuration, expanded as those in its rules.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use event_expand::{ExpandFailure, Variables};
use mail_types::exim::{Value, Variable};
use mail_types::hickory::ResolverError;
use thiserror::Error;

use super::expander_session::{GivenHost, GivenSession, noted};
use super::tables::Tables;
use super::{Common, ConfigError, ConfigOptions, InvalidConfig, OptionLines, dns, option_lines};
use crate::gateway::dns::resolver::NameServers;
use crate::gateway::lookups::engines::{Engines, EnginesError};
use crate::gateway::lookups::macros::Macros;
use crate::gateway::policy::context::Context;
use crate::gateway::policy::given::Given;
use crate::gateway::policy::named_rules::NamedRules;
use crate::gateway::policy::place::Place;
use crate::gateway::policy::services::Services;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::text::{Stopped, Text};
use crate::gateway::policy::variable::{NamesAt, is_argument};
use crate::gateway::telemetry::log;

/// A configuration for texts beside it. Its rules are not checked, but for the lists that a text calls; its other
/// options may be there, and have no effect.
pub struct Expander {
    /// The text of the configuration.
    text: String,
    macros: Macros,
    common: Common,
    /// Without lists of rules.
    services: Services,
    place: Place,
}

impl Expander {
    /// Reads a configuration for texts at this place; `resolv_conf` is the file of name servers.
    ///
    /// # Errors
    ///
    /// [`ExpanderError`].
    pub fn new(text: &str, place: Place, resolv_conf: &Path) -> Result<Self, ExpanderError> {
        let located = |error| InvalidConfig::from(OptionLines::of(text).locate(error));
        Self::read(text, place, resolv_conf).map_err(located)?
    }

    fn read(
        text: &str,
        place: Place,
        resolv_conf: &Path,
    ) -> Result<Result<Self, ExpanderError>, ConfigError> {
        let Tables { macros, callable, options, .. } = Tables::read(text)?;
        let options = option_lines::read(options)?;
        let common = Common::read(&options, callable, None)?;
        let services = services(&common, &options, resolv_conf);
        let text = text.to_owned();
        Ok(services.map(|services| Self { text, macros, common, services, place }))
    }

    /// Finds a variable that texts do not have: one of another stage, a header field (`h_NAME`) where there is no
    /// message, an argument of a list of rules, which its call gives, or what stands for no certificate.
    #[must_use]
    pub fn unknown<'g>(&self, given: &'g Given) -> Option<&'g str> {
        let names = NamesAt(self.place);
        let is_known = |name: &str| match name.strip_prefix("h_") {
            Some(_) => {
                matches!(self.place, Place::Session(stage) if Stage::CONTENT.contains(&stage))
            }
            None => !is_argument(name) && names.variable(name) != Variable::Unknown,
        };
        given.values().map(|(name, _)| name).find(|name| {
            !is_known(name)
                || given.certificate(name).is_some() && names.certificate(name).is_none()
        })
    }

    /// Expands the macros of a text.
    ///
    /// # Errors
    ///
    /// [`Unexpanded`] for a macro without an end.
    pub fn put_macros(&self, text: &str) -> Result<String, Unexpanded> {
        self.macros.put_into(text).map_err(|error| Unexpanded::new(&error, None))
    }

    /// Expands a text, with these variables before those of a session.
    pub async fn expand(&self, text: &str, given: &Given) -> Expansion {
        let mut log = Vec::new();
        let outcome = self.try_expand(text, given, &mut log).await;
        Expansion { outcome, log }
    }

    async fn try_expand(
        &self,
        text: &str,
        given: &Given,
        log: &mut Vec<String>,
    ) -> Result<Value<'static>, Unexpanded> {
        let text = Text::parse(text, self.place, &self.common.language)
            .map_err(|error| Unexpanded::new(&error, error.at()))?;
        let Place::Session(stage) = self.place else {
            let host = self.common.host.as_str();
            let mut outgoing = GivenHost::new(given, host, &*self.services.lookups);
            let expanded = text.expand_or_stop(&mut outgoing).await;
            *log = outgoing.take_log();
            return expanded.map_err(|stopped| Unexpanded::of(&stopped));
        };
        let named = NamedRules::of_texts(&self.text, &self.macros, &self.common.home())
            .map_err(|error| Unexpanded { why: log::chain(&error), at: None, forced: false })?;
        let services = Services { named: Arc::new(named), ..self.services.clone() };
        let session = GivenSession::read(given, stage).map_err(|why| Unexpanded {
            why,
            at: None,
            forced: false,
        })?;
        let mut notes = noted(given, stage);
        let mut context = Context {
            stage,
            now: Instant::now(),
            host: self.common.host.as_str(),
            client: session.client.as_ref(),
            greeting: session.greeting.as_ref(),
            event: None,
            given: Some(given),
            transaction: session.transaction.as_ref(),
            recipient: session.recipient.as_ref(),
            recipient_number: (stage == Stage::Prdr).then_some(0),
            command: b"",
            message: b"",
            state: &mut notes,
            services: &services,
            patience: None,
        };
        let expanded = text.expand_or_stop(&mut context).await;
        *log = notes.take_log();
        expanded.map_err(|stopped| Unexpanded::of(&stopped))
    }
}

impl fmt::Debug for Expander {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expander").field("place", &self.place).finish_non_exhaustive()
    }
}

fn services(
    common: &Common,
    options: &ConfigOptions,
    resolv_conf: &Path,
) -> Result<Services, ExpanderError> {
    let resolver = NameServers::read(dns(options), resolv_conf)?.stub();
    Ok(Services {
        rates: Arc::default(),
        lookups: Arc::new(Engines::new(&common.lookups)?),
        resolver: Arc::new(resolver),
        named: Arc::default(),
        message_body_visible: Services::MESSAGE_BODY_VISIBLE,
        metrics: Arc::default(),
    })
}

/// An expansion.
#[derive(Debug)]
pub struct Expansion {
    /// The text.
    pub outcome: Result<Value<'static>, Unexpanded>,
    /// The lines for the log.
    pub log: Vec<String>,
}

/// The reason why a text has no expansion.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{why}")]
pub struct Unexpanded {
    why: String,
    /// The position of the fault in bytes, if it has one.
    pub at: Option<usize>,
    /// Whether the text says `fail`.
    pub forced: bool,
}

impl Unexpanded {
    fn new(error: &dyn fmt::Display, at: Option<usize>) -> Self {
        Self { why: error.to_string(), at, forced: false }
    }

    fn of(stopped: &Stopped) -> Self {
        let forced = matches!(stopped.stop, ExpandFailure::Forced { .. });
        Self { why: stopped.to_string(), at: Some(stopped.stop.at()), forced }
    }
}

/// The reason why a configuration has no texts.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExpanderError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    /// Lookups cannot be made.
    #[error(transparent)]
    Engines(#[from] EnginesError),
    /// The name servers cannot be read.
    #[error("dns_resolver")]
    Resolver(#[from] ResolverError),
}
