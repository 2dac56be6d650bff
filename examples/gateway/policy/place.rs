//! The places of texts in a configuration, each with its variables.

use super::stage::Stage;

/// The place of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// In a rule or an option, for a client at this stage.
    Session(Stage),
    /// In an option for the hosts to which mail goes.
    Outgoing,
}

impl Place {
    /// Returns its name in errors.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Session(stage) => stage.option(),
            Self::Outgoing => "a connection to another host",
        }
    }
}

impl From<Stage> for Place {
    fn from(stage: Stage) -> Self {
        Self::Session(stage)
    }
}
