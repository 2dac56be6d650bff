//! When others have their turn: a client that sends many commands at once must not starve them.

use super::Session;
use crate::gateway::smtp::framing::InputLine;

impl Session {
    /// Takes a line off; `None`, once, after so many that others are to have their turn.
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

    /// Tells whether the client has sent more commands than most messages need, and no message yet: at
    /// each turn it waits longer than others, however its commands are answered.
    pub(crate) fn is_long_winded(&self) -> bool {
        self.counts.commands > MANY
    }
}

/// The longest command line, in octets with its CRLF: RFC 5321 section 4.5.3.1.4 has 512, and each
/// extension adds to that.
const MAX_LINE: usize = 4096;
/// How many commands of one client are done before others have their turn,
const AT_ONCE: u32 = 16;
/// how many of them may bring a message before each turn is a longer one,
const MANY: u32 = 100;
/// and how many octets of replies may wait until then.
const OUTPUT: usize = 8192;
