//! Strings beside a gateway's configuration.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use examples::cases::shown::{named, read_in};
use examples::gateway::config::expander::{Expander, Expansion};
use examples::gateway::policy::given::Given;
use examples::gateway::policy::place::Place;
use examples::gateway::telemetry::log;
use mail_types::hickory::ResolverSettings;
use tokio::runtime::Runtime;

use crate::case::Case;

/// A configuration, with the variables of the command line.
#[derive(Debug)]
pub(crate) struct Configured {
    expander: Expander,
    given: Given,
    runtime: Runtime,
}

impl Configured {
    pub(crate) fn new(file: &Path, place: Place, given: Given) -> Result<Self, Box<dyn Error>> {
        // TLS to Redis uses the installed provider. It fails only where one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let text = named(file, fs::read_to_string(file))?;
        let expander = Expander::new(&text, place, Path::new(ResolverSettings::SYSTEM));
        let expander = read_in(file, expander.map_err(|error| log::chain(&error)))?;
        if let Some(name) = expander.unknown(&given) {
            return Err(format!("{name}: strings at this --place have no such variable").into());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { expander, given, runtime })
    }

    /// Expands the macros of a string.
    pub(crate) fn put_macros(&self, text: &[u8]) -> Result<Vec<u8>, Box<Case>> {
        let wrong = "a configuration is UTF-8, and this is not";
        let text =
            str::from_utf8(text).map_err(|error| Case::wrong(&wrong, Some(error.valid_up_to())))?;
        let text = self.expander.put_macros(text);
        Ok(text.map_err(|error| Case::wrong(&error, error.at))?.into_bytes())
    }

    /// Expands a string as it would be in a rule. Lines for the log go to standard error.
    pub(crate) fn expand(&self, text: &[u8]) -> Case {
        let text = String::from_utf8_lossy(text);
        let expanding = self.expander.expand(&text, &self.given);
        let Expansion { outcome, log } = self.runtime.block_on(expanding);
        for line in log {
            let _ = writeln!(io::stderr(), "expand: log: {line}");
        }
        match outcome {
            Ok(value) => Case::value(&value),
            Err(error) if error.forced => Case::forced(error.at),
            Err(error) => Case::wrong(&error, error.at),
        }
    }
}
