//! How much an expansion may take.

/// How much a template, and an expansion of it, may take. Reaching a limit is a typed error; where
/// Exim goes on until its memory or its stack ends, this crate does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of a template, and of each text that `${expand:` or `${sg` expand. By default
    /// 65 536. More are [`TemplateError::TooLong`](crate::TemplateError::TooLong).
    pub template: usize,
    /// How deep items, operators, conditions and parentheses may stand in each other, texts that are
    /// expanded again counted in. By default 64. More are
    /// [`TemplateError::TooDeep`](crate::TemplateError::TooDeep) or
    /// [`ExpandError::TooDeep`](crate::ExpandError::TooDeep).
    pub depth: usize,
    /// The most bytes that may be alive: the output, and the arguments being computed. By default
    /// 1 048 576. More are [`ExpandError::TooLong`](crate::ExpandError::TooLong).
    pub output: usize,
    /// The most steps: nodes and conditions expanded, items of lists, 64 bytes put out or matched;
    /// a pattern that the template does not give whole is 100. By default
    /// 100 000. More are [`ExpandError::TooManySteps`](crate::ExpandError::TooManySteps).
    pub steps: usize,
    /// The most items of one list. By default 10 000. More are
    /// [`ExpandError::TooManyItems`](crate::ExpandError::TooManyItems).
    pub items: usize,
    /// How often a match of a regular expression may go back and try otherwise, where it has
    /// look-around or back-references; others never do. By default 100 000. More are
    /// [`ExpandError::RegexWork`](crate::ExpandError::RegexWork).
    pub regex_backtracks: usize,
    /// The most bytes that a compiled regular expression may take. By default 1 048 576. Then the
    /// expression is [`ExpandError::Regex`](crate::ExpandError::Regex).
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
