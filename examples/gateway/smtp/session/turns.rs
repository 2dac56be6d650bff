//! Fairness: a client that sends many commands at once must not starve other connections.

use super::Session;
use crate::gateway::smtp::framing::InputLine;

impl Session {
    /// Consumes a line; `None`, once, when other connections are to run first.
    pub(super) fn next_line(&mut self) -> Option<InputLine> {
        let many = self.counts.at_once >= AT_ONCE;
        if many || (self.counts.at_once > 0 && self.output.len() >= OUTPUT) {
            self.counts.at_once = 0;
            return None;
        }
        let line = self.input.take_line(MAX_LINE);
        let taken = u32::from(line != InputLine::Incomplete);
        self.counts.at_once += taken;
        self.counts.commands = self.counts.commands.saturating_add(taken);
        Some(line)
    }

    /// Tells whether the client has sent more commands than most messages need, and no message yet. Such
    /// a client waits longer at each turn.
    pub(crate) fn is_long_winded(&self) -> bool {
        self.counts.commands > MANY
    }
}

/// The longest command line, in octets with its CRLF: RFC 5321 section 4.5.3.1.4 has 512, and each
/// extension adds to that.
const MAX_LINE: usize = 4096;
/// The number of commands of one client before other connections run.
const AT_ONCE: u32 = 16;
/// The number of commands without a message before each turn is longer.
const MANY: u32 = 100;
/// The octets of replies that may be collected until then.
const OUTPUT: usize = 8192;
