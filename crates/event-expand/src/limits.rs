//! Limits of templates and expansions.

/// Limits of a template and its expansion. A reached limit is a typed error; Exim continues until
/// it runs out of memory or stack.
///
/// ```
/// use event_expand::{Limits, Template};
///
/// let limits = Limits::default()
///     .with_template(20)
///     .with_depth(4)
///     .with_output(100)
///     .with_steps(1000)
///     .with_items(10)
///     .with_regex_backtracks(1000)
///     .with_regex_size(10_000)
///     .with_requests(2);
/// assert_eq!((limits.steps, limits.requests), (1000, 2));
/// assert!(Template::parse_within(b"$local_part", &limits).is_ok());
/// assert!(Template::parse_within(b"a template that is too long", &limits).is_err());
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of a template, and of each text that `${expand:` or `${sg` expands. By
    /// default 65 536. More are [`TemplateError::TooLong`](crate::TemplateError::TooLong).
    pub template: usize,
    /// The depth of nested items, operators, conditions and parentheses, those of texts that are
    /// expanded again included. By default 64. More are
    /// [`TemplateError::TooDeep`](crate::TemplateError::TooDeep) or
    /// [`ExpandError::TooDeep`](crate::ExpandError::TooDeep).
    pub depth: usize,
    /// The most bytes in memory: the output, and the arguments under computation. By default 1 048
    /// 576. More are [`ExpandError::TooLong`](crate::ExpandError::TooLong).
    pub output: usize,
    /// The most steps: expanded nodes and conditions, list items, each 64 bytes written or matched,
    /// and each 1024 steps of a search for a regular expression; one compiled during the expansion
    /// counts 100, and more if it is large. By default 100 000. More are
    /// [`ExpandError::TooManySteps`](crate::ExpandError::TooManySteps).
    pub steps: usize,
    /// The most items of one list. By default 10 000. More are
    /// [`ExpandError::TooManyItems`](crate::ExpandError::TooManyItems).
    pub items: usize,
    /// The most backtracks in a search for a regular expression with back-references, conditions on
    /// groups, `\K` or `\G`. A search for any other remembers what has failed, if that fits in 8
    /// MiB, and takes time in proportion to the expression and its subject, or to the square of the subject with an
    /// atomic or possessive part, a look-around, or a lazy repetition of a part that can be empty. At most 4096
    /// choices are open at a time, and 20 more for each backtrack of this limit; each takes 20 bytes.
    /// By default 100 000. More are [`ExpandError::RegexWork`](crate::ExpandError::RegexWork).
    pub regex_backtracks: usize,
    /// The most bytes of a compiled regular expression. By default 1 048 576. More are
    /// [`ExpandError::Regex`](crate::ExpandError::Regex).
    pub regex_size: usize,
    /// The most lookups and other requests of one expansion. By default 32. More are
    /// [`ExpandError::TooManyRequests`](crate::ExpandError::TooManyRequests).
    pub requests: usize,
}

impl Limits {
    /// Sets [`Self::template`].
    #[must_use]
    pub fn with_template(self, template: usize) -> Self {
        Self { template, ..self }
    }

    /// Sets [`Self::depth`].
    #[must_use]
    pub fn with_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    /// Sets [`Self::output`].
    #[must_use]
    pub fn with_output(self, output: usize) -> Self {
        Self { output, ..self }
    }

    /// Sets [`Self::steps`].
    #[must_use]
    pub fn with_steps(self, steps: usize) -> Self {
        Self { steps, ..self }
    }

    /// Sets [`Self::items`].
    #[must_use]
    pub fn with_items(self, items: usize) -> Self {
        Self { items, ..self }
    }

    /// Sets [`Self::regex_backtracks`].
    #[must_use]
    pub fn with_regex_backtracks(self, regex_backtracks: usize) -> Self {
        Self { regex_backtracks, ..self }
    }

    /// Sets [`Self::regex_size`].
    #[must_use]
    pub fn with_regex_size(self, regex_size: usize) -> Self {
        Self { regex_size, ..self }
    }

    /// Sets [`Self::requests`].
    #[must_use]
    pub fn with_requests(self, requests: usize) -> Self {
        Self { requests, ..self }
    }
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        template: 65_536,
        depth: 64,
        output: 1_048_576,
        steps: 100_000,
        items: 10_000,
        regex_backtracks: 100_000,
        regex_size: 1_048_576,
        requests: 32,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
