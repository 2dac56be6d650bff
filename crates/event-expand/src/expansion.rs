//! An expansion that may have to wait.

use mail_types::exim::{LookupResult, Query, Value};

use crate::evaluate::{Evaluation, Halt};
use crate::stop::ExpandFailure;
use crate::template::Template;
use crate::tree::Tree;
use crate::tree::lookup::Lookup;
use crate::variables::Variables;
use crate::{Capabilities, HostCall, Limits};

/// What an expansion may do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// How much it may take.
    pub limits: Limits,
    /// What it may reach; nothing by default.
    pub capabilities: Capabilities,
    /// Names of lookups whose results are trusted, by default none: whoever can write what they find
    /// can then write queries and templates, too.
    pub trusted_lookups: Vec<&'static str>,
}

impl Options {
    /// Sets [`Self::limits`].
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets [`Self::capabilities`].
    #[must_use]
    pub fn with_capabilities(self, capabilities: Capabilities) -> Self {
        Self { capabilities, ..self }
    }

    /// Sets [`Self::trusted_lookups`].
    #[must_use]
    pub fn with_trusted_lookups(self, trusted_lookups: Vec<&'static str>) -> Self {
        Self { trusted_lookups, ..self }
    }
}

impl Options {
    pub(crate) const DEFAULT: Self = Self {
        limits: Limits::DEFAULT,
        capabilities: Capabilities::NONE,
        trusted_lookups: Vec::new(),
    };
}

/// An expansion under way: a machine that hands out requests and takes in what was found.
///
/// Each [`poll`](Self::poll) starts from the beginning of the template, and takes what is known
/// already from a journal: a lookup is made once, whatever follows it.
///
/// ```
/// use event_expand::{Ask, Expansion, Options, Progress, Template, Variables};
/// use mail_types::exim::{LookupResult, Trust, Value, Variable};
///
/// struct User(&'static [u8]);
/// impl Variables for User {
///     fn variable(&self, name: &str) -> Variable<'_> {
///         match name {
///             "local_part" => Value::new(self.0, Trust::Untrusted).into(),
///             _ => Variable::Unknown,
///         }
///     }
/// }
///
/// let text = "${lookup sqlite{SELECT home FROM users WHERE name='${quote_sqlite:$local_part}'}}";
/// let (template, options, user) = (text.parse::<Template>()?, Options::default(), User(b"o'hara"));
/// let mut expansion = Expansion::new(&template, &user, &options);
/// while let Progress::Request(request) = expansion.poll() {
///     let Ask::Lookup { query, .. } = &request.ask else { continue };
///     assert_eq!(query.segments().len(), 3);
///     expansion.handle_found(LookupResult::Value(b"/home/ohara".to_vec()));
/// }
/// assert_eq!(expansion.poll(), Progress::Done(Value::new(&b"/home/ohara"[..], Trust::Untrusted)));
///
/// // What comes from outside is refused where it is not quoted.
/// let template: Template = "${lookup sqlite{SELECT home FROM users WHERE name='$local_part'}}".parse()?;
/// let stopped = Expansion::new(&template, &user, &options).poll();
/// let Progress::Stopped(stop) = stopped else { unreachable!() };
/// assert_eq!(stop.to_string(), "byte 0: an untrusted value in the query: write ${quote_sqlite:…} around it");
/// # Ok::<(), event_expand::TemplateError>(())
/// ```
pub struct Expansion<'t> {
    template: &'t Template,
    variables: &'t dyn Variables,
    options: &'t Options,
    journal: Journal,
}

impl<'t> Expansion<'t> {
    /// Starts.
    #[must_use]
    pub fn new(template: &'t Template, variables: &'t dyn Variables, options: &'t Options) -> Self {
        Self { template, variables, options, journal: Journal::default() }
    }

    /// Goes as far as it can. It may be called at any time: until something was found it says the
    /// same again.
    #[must_use]
    pub fn poll(&mut self) -> Progress {
        self.template.resume(self.variables, self.options, &mut self.journal)
    }

    /// Takes what became of the request that was handed out last; one too many changes nothing.
    pub fn handle_found(&mut self, found: LookupResult) {
        self.journal.handle_found(found);
    }
}

impl Template {
    /// Expands it as far as what was found allows, from its beginning: so a program that waits for a
    /// lookup keeps nothing but the journal, and borrows its variables anew. The variables must say the
    /// same each time.
    ///
    /// ```
    /// use event_expand::{Journal, Options, Progress, Template, Variables};
    /// use mail_types::exim::{LookupResult, Variable};
    ///
    /// struct Nothing;
    /// impl Variables for Nothing {
    ///     fn variable(&self, _: &str) -> Variable<'_> {
    ///         Variable::Unknown
    ///     }
    /// }
    ///
    /// let template: Template = "${lookup sqlite{SELECT 1}{yes}{no}}".parse()?;
    /// let (options, mut journal) = (Options::default(), Journal::default());
    /// let value = loop {
    ///     match template.resume(&Nothing, &options, &mut journal) {
    ///         Progress::Request(_) => journal.handle_found(LookupResult::Nothing), // Wait here.
    ///         Progress::Done(value) => break value,
    ///         Progress::Stopped(stop) => panic!("{stop}"),
    ///     }
    /// };
    /// assert_eq!(value.as_bytes(), b"no");
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    #[must_use]
    pub fn resume(
        &self,
        variables: &dyn Variables,
        options: &Options,
        journal: &mut Journal,
    ) -> Progress {
        self.run(variables, options, journal, |evaluation, tree| {
            let trust = evaluation.sequence(tree, tree.root)?;
            Ok(Value::new(std::mem::take(&mut evaluation.out), trust))
        })
    }

    /// The same as [`resume`](Self::resume), with the template's own text kept apart from the values
    /// in it: for places where a value must not end a line, or leave its quotes.
    #[must_use]
    pub fn resume_segments(
        &self,
        variables: &dyn Variables,
        options: &Options,
        journal: &mut Journal,
    ) -> Progress<Query> {
        self.run(variables, options, journal, |evaluation, tree| evaluation.query(tree, tree.root))
    }

    /// Expands it where each request can be answered at once, as by blocking code.
    ///
    /// # Errors
    ///
    /// [`ExpandFailure`] as for [`Template::expand`], but for requests: `answer` has them.
    pub fn expand_with(
        &self,
        variables: &dyn Variables,
        options: &Options,
        mut answer: impl FnMut(&Request) -> LookupResult,
    ) -> Result<Value<'static>, ExpandFailure> {
        let mut journal = Journal::default();
        loop {
            match self.resume(variables, options, &mut journal) {
                Progress::Done(value) => return Ok(value),
                Progress::Stopped(stop) => return Err(stop),
                Progress::Request(request) => journal.handle_found(answer(&request)),
            }
        }
    }

    fn run<T>(
        &self,
        variables: &dyn Variables,
        options: &Options,
        journal: &mut Journal,
        evaluate: impl FnOnce(&mut Evaluation<'_>, &Tree) -> Result<T, Halt>,
    ) -> Progress<T> {
        let length = self.text().len();
        let mut evaluation = Evaluation::new(variables, options, &journal.found, length);
        let halt = evaluate(&mut evaluation, &self.tree);
        journal.awaiting = matches!(halt, Err(Halt::Waiting(_)));
        match halt {
            Ok(done) => Progress::Done(done),
            Err(Halt::Waiting(request)) => Progress::Request(*request),
            Err(Halt::Stop(stop)) => Progress::Stopped(*stop),
        }
    }
}

/// What was found so far for the requests of an expansion, in their order: no request that it answers is
/// made again.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Journal {
    found: Vec<LookupResult>,
    awaiting: bool,
}

impl Journal {
    /// Takes what became of the request that was handed out last; one too many changes nothing.
    pub fn handle_found(&mut self, found: LookupResult) {
        if std::mem::take(&mut self.awaiting) {
            self.found.push(found);
        }
    }

    /// Returns what was found, in the order of the requests.
    #[must_use]
    pub fn found(&self) -> &[LookupResult] {
        &self.found
    }
}

impl From<Vec<LookupResult>> for Journal {
    /// Starts with what was found before.
    fn from(found: Vec<LookupResult>) -> Self {
        Self { found, awaiting: false }
    }
}

impl std::fmt::Debug for Expansion<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expansion")
            .field("template", &self.template)
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

/// What becomes of an expansion next.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must treat all three")]
pub enum Progress<T = Value<'static>> {
    /// Do this, and hand in what was found.
    Request(Request),
    /// The text.
    Done(T),
    /// It has none.
    Stopped(ExpandFailure),
}

/// Something the program must do before the expansion can go on.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// Where it stands, in bytes from the start of the template; of the text being expanded, if that
    /// is one that `expand` or `sg` expands again.
    pub at: usize,
    /// What.
    pub ask: Ask,
}

/// What a [`Request`] asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Ask {
    /// A lookup.
    Lookup {
        /// Its type, with all that the template says of it.
        lookup: Lookup,
        /// The key, for a lookup that takes one.
        key: Option<Value<'static>>,
        /// The query, or the name of the file for a lookup with a key. Untrusted values are quoted
        /// for this lookup, and bear the mark; a name is trusted.
        query: Query,
    },
    /// Something else.
    Call {
        /// What.
        call: HostCall,
        /// Its strings, as it documents them.
        arguments: Vec<Value<'static>>,
    },
}
