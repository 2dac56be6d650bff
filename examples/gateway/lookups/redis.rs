//! Lookups in Redis, by the crate `redis-lookup`.

#[cfg(feature = "redis")]
use std::collections::HashMap;
#[cfg(feature = "redis")]
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use event_expand::Lookup;
use mail_types::exim::{Query, Segment, Trust};
#[cfg(feature = "redis")]
use redis_lookup::redis::{Client, StartError};
use redis_lookup::{Command, CommandError, Options, Servers, ServersError};
#[cfg(feature = "redis")]
use redis_lookup::{DeferReason, LookupOutcome};
use thiserror::Error;

/// The settings of `redis` lookups.
#[derive(Clone, Debug, Default)]
pub struct RedisSettings {
    /// `redis_servers`.
    pub servers: Servers,
    /// The permission to write, the mode and the limits.
    pub options: Options,
    /// The deadline of one lookup.
    pub timeout: Duration,
}

impl RedisSettings {
    /// Checks a query before its expansion, as far as its text is known.
    ///
    /// # Errors
    ///
    /// [`RedisError`] for a query that is invalid with any value.
    pub(crate) fn check(&self, lookup: &Lookup, query: &Query) -> Result<(), RedisError> {
        self.pick(servers(lookup))?;
        let command = match Command::new_with(query, &self.options) {
            Ok(command) => command,
            Err(error) if is_open(&error, query) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.pick(command.servers()).map(|_| ())
    }

    /// Returns the servers of a lookup with `servers=`.
    fn pick(&self, list: Option<&[u8]>) -> Result<Option<Servers>, RedisError> {
        let Some(list) = list else { return Ok(None) };
        let list = str::from_utf8(list).map_err(|_| RedisError::NotUtf8)?;
        Ok(Some(self.servers.pick(list)?))
    }
}

/// The list of `servers=` in the options of a lookup.
pub(crate) fn servers(lookup: &Lookup) -> Option<&[u8]> {
    lookup.options.as_deref().and_then(|options| options.strip_prefix(b"servers="))
}

/// Tells whether an error may vanish with the expansion: an unquoted value that may be trusted may become
/// text of the query.
fn is_open(error: &CommandError, query: &Query) -> bool {
    let is_open = |segment: Segment<'_>| {
        matches!(segment, Segment::Value { quoted: None, trust: Trust::Trusted, .. })
    };
    match error {
        CommandError::CommandWord { segment } | CommandError::ServersWord { segment } => {
            query.segments().nth(*segment).is_some_and(is_open)
        }
        CommandError::Empty | CommandError::Backslash { .. } | CommandError::Quote => {
            query.segments().any(is_open)
        }
        _ => false,
    }
}

/// The clients of `redis` lookups.
#[cfg(feature = "redis")]
#[derive(Debug)]
pub struct Redis {
    settings: RedisSettings,
    client: Client,
    /// Clients for the lists of `servers=`. The number is limited, since these are texts of the configuration.
    picked: Mutex<HashMap<Vec<u8>, Client>>,
}

#[cfg(feature = "redis")]
impl Redis {
    /// Makes the client of the configured servers, without a connection yet.
    ///
    /// # Errors
    ///
    /// [`StartError`] if TLS cannot be set up.
    pub fn new(settings: &RedisSettings) -> Result<Self, StartError> {
        let client = Client::new(&settings.servers, &settings.options, settings.timeout)?;
        Ok(Self { settings: settings.clone(), client, picked: Mutex::default() })
    }

    /// Makes a lookup, within this time and `redis_timeout`. `list` or the query selects servers; the default is all.
    ///
    /// # Errors
    ///
    /// [`RedisError`] if the lookup is deferred.
    pub async fn look_up(
        &self,
        list: Option<&[u8]>,
        query: &Query,
        time: Duration,
    ) -> Result<LookupOutcome, RedisError> {
        let command = Command::new_with(query, &self.settings.options)?;
        let client = match list.or(command.servers()) {
            None => self.client.clone(),
            Some(list) => self.picked(list)?,
        };
        match client.look_up(&command, time.min(self.settings.timeout)).await {
            LookupOutcome::Deferred(reason) => Err(RedisError::Deferred(reason)),
            outcome => Ok(outcome),
        }
    }

    fn picked(&self, list: &[u8]) -> Result<Client, RedisError> {
        let mut picked = self.picked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = picked.get(list) {
            return Ok(client.clone());
        }
        let servers = self.settings.pick(Some(list))?.unwrap_or_default();
        let client = Client::new(&servers, &self.settings.options, self.settings.timeout);
        let client = client.map_err(|error| RedisError::Start(Arc::new(error)))?;
        picked.insert(list.to_vec(), client.clone());
        Ok(client)
    }
}

/// The cause of a deferred lookup in Redis.
#[derive(Debug, Error)]
pub enum RedisError {
    /// The query is not an allowed command.
    #[error("query refused: {0}")]
    Command(#[from] CommandError),
    /// The list of `servers=` is invalid.
    #[error("servers=: {0}")]
    Servers(#[from] ServersError),
    /// The list of `servers=` is not UTF-8.
    #[error("servers= is not UTF-8")]
    NotUtf8,
    /// The answer is unknown for now.
    #[cfg(feature = "redis")]
    #[error("{0}")]
    Deferred(DeferReason),
    /// TLS cannot be set up for a server of `servers=`.
    #[cfg(feature = "redis")]
    #[error("servers=: {0}")]
    Start(Arc<StartError>),
}
