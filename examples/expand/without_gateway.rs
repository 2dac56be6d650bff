//! In place of a configuration, where the gateway is not compiled in.

use std::error::Error;
use std::path::Path;

use examples::gateway::policy::given::Given;
use examples::gateway::policy::place::Place;

use crate::case::Case;

/// A configuration, which this build cannot read.
#[derive(Debug)]
pub(crate) enum Configured {}

impl Configured {
    pub(crate) fn new(_: &Path, _: Place, _: Given) -> Result<Self, Box<dyn Error>> {
        Err("--config: built without the feature gateway".into())
    }

    pub(crate) fn put_macros(&self, _: &[u8]) -> Result<Vec<u8>, Box<Case>> {
        match *self {}
    }

    pub(crate) fn expand(&self, _: &[u8]) -> Case {
        match *self {}
    }
}
