//! Options and limits of lookups.

/// The options of lookups, with their [`Limits`].
///
/// ```
/// use redis_lookup::{Limits, Mode, Options};
///
/// let options = Options::default()
///     .with_writes(true)
///     .with_mode(Mode::Exim)
///     .with_limits(Limits::default().with_reply(65_536));
/// assert_eq!(options.limits.reply, 65_536);
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The reading of commands and replies.
    pub mode: Mode,
    /// Allows commands that change data. Off by default.
    pub writes: bool,
    /// Allows these commands too, such as `CONFIG GET`, or `BF.EXISTS` of a module. They are treated as commands that
    /// change data: never sent twice and never cached. Empty by default. Commands that change or block the
    /// shared connection stay refused.
    pub commands: Vec<String>,
    /// The limits of commands and replies.
    pub limits: Limits,
}

impl Options {
    /// Sets [`Self::mode`].
    #[must_use]
    pub fn with_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Sets [`Self::writes`].
    #[must_use]
    pub fn with_writes(self, writes: bool) -> Self {
        Self { writes, ..self }
    }

    /// Sets [`Self::commands`].
    #[must_use]
    pub fn with_commands(self, commands: Vec<String>) -> Self {
        Self { commands, ..self }
    }

    /// Sets [`Self::limits`].
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

/// The reading of commands and replies.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Mode {
    /// A missing value is not found, an empty one is found, a number is a number; the front page has the
    /// whole table.
    #[default]
    Plain,
    /// As in Exim, for configurations that rely on it: a number is `true` or `false`, a missing value is
    /// found and empty, an empty one is not found. In a command a `"` is an ordinary octet.
    Exim,
}

/// Limits of commands and replies.
///
/// ```
/// use redis_lookup::{Limits, Options};
///
/// let limits = Limits::default().with_command(1000).with_words(10).with_elements(100).with_depth(2);
/// let options = Options::default().with_commands(vec!["BF.EXISTS".into()]).with_limits(limits);
/// assert_eq!((options.limits.words, options.limits.depth), (10, 2));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum length of a command's words together, in octets. By default 1 MiB.
    pub command: usize,
    /// The maximum number of words of a command. By default 10 000.
    pub words: usize,
    /// The maximum length of a result, in octets. By default 1 MiB. A longer one is deferred, since a part of a
    /// list is another list.
    pub reply: usize,
    /// The maximum number of elements of a result, nested ones included. By default 10 000. More are deferred.
    pub elements: usize,
    /// The maximum depth of nested arrays. By default 8. Deeper ones are deferred.
    pub depth: usize,
}

impl Limits {
    /// Sets [`Self::command`].
    #[must_use]
    pub fn with_command(self, command: usize) -> Self {
        Self { command, ..self }
    }

    /// Sets [`Self::words`].
    #[must_use]
    pub fn with_words(self, words: usize) -> Self {
        Self { words, ..self }
    }

    /// Sets [`Self::reply`].
    #[must_use]
    pub fn with_reply(self, reply: usize) -> Self {
        Self { reply, ..self }
    }

    /// Sets [`Self::elements`].
    #[must_use]
    pub fn with_elements(self, elements: usize) -> Self {
        Self { elements, ..self }
    }

    /// Sets [`Self::depth`].
    #[must_use]
    pub fn with_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { command: 1 << 20, words: 10_000, reply: 1 << 20, elements: 10_000, depth: 8 }
    }
}
