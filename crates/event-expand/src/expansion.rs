//! Expansions that may have to wait for the program.

use mail_types::exim::{LookupResult, Query, Value};

use crate::answered::Answered;
use crate::evaluate::answered_query::LookupPlace;
use crate::evaluate::{Evaluation, Halt};
use crate::stop::ExpandFailure;
use crate::template::Template;
use crate::tree::Tree;
use crate::tree::lookup::Lookup;
use crate::variables::Variables;
use crate::{Capabilities, HostCall, Limits};

/// The limits and permissions of an expansion.
///
/// ```
/// use event_expand::{Capabilities, Limits, Options};
///
/// let options = Options::default()
///     .with_limits(Limits::default().with_output(1000))
///     .with_capabilities(Capabilities::default())
///     .with_trusted_lookups(vec!["lsearch"]);
/// assert_eq!((options.limits.output, options.trusted_lookups.len()), (1000, 1));
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The limits.
    pub limits: Limits,
    /// The permitted resources; none by default.
    pub capabilities: Capabilities,
    /// The names of lookups whose results are trusted, none by default: a person who can change
    /// these results can then write queries and templates too.
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

/// A running expansion: a machine that returns requests and takes their results.
///
/// Each [`poll`](Self::poll) starts from the beginning of the template, with the results so far in
/// a journal: a lookup is made only once.
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
/// // An unquoted value from outside is refused.
/// let template: Template = "${lookup sqlite{SELECT home FROM users WHERE name='$local_part'}}".parse()?;
/// let stopped = Expansion::new(&template, &user, &options).poll();
/// let Progress::Stopped(stop) = stopped else { unreachable!() };
/// assert_eq!(stop.to_string(), "byte 0: untrusted value in the query: use ${quote_sqlite:…}");
/// # Ok::<(), event_expand::TemplateError>(())
/// ```
pub struct Expansion<'t> {
    template: &'t Template,
    variables: &'t dyn Variables,
    options: &'t Options,
    journal: Journal,
}

impl<'t> Expansion<'t> {
    /// Starts an expansion.
    #[must_use]
    pub fn new(template: &'t Template, variables: &'t dyn Variables, options: &'t Options) -> Self {
        Self { template, variables, options, journal: Journal::default() }
    }

    /// Continues as far as possible. Until the result of a request is handed in, it returns the
    /// same request.
    #[must_use]
    pub fn poll(&mut self) -> Progress {
        self.template.resume(self.variables, self.options, &mut self.journal)
    }

    /// Takes the result of the last request; an extra result changes nothing.
    pub fn handle_found(&mut self, found: impl Into<Answered>) {
        self.journal.handle_found(found);
    }
}

impl Template {
    /// Expands the template as far as the results so far allow, from its beginning: a program that
    /// waits for a lookup keeps only the journal, and borrows its variables again. The variables
    /// must have the same values each time.
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

    /// The same as [`resume`](Self::resume), with the template's text and the values in separate
    /// segments: for a place where a value must not end a line or a quoted string.
    #[must_use]
    pub fn resume_segments(
        &self,
        variables: &dyn Variables,
        options: &Options,
        journal: &mut Journal,
    ) -> Progress<Query> {
        self.run(variables, options, journal, |evaluation, tree| evaluation.query(tree, tree.root))
    }

    /// Expands the template with a function that answers each request at once, as in blocking code.
    ///
    /// # Errors
    ///
    /// The same as of [`Template::expand`], except
    /// [`ExpandError::Request`](crate::ExpandError::Request): `answer` takes the requests.
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
    /// let template: Template = "home: ${lookup sqlite{SELECT 1}}".parse()?;
    /// let options = Options::default();
    /// let value = template.expand_with(&Nothing, &options, |_| LookupResult::Value(b"/home".to_vec()))?;
    /// assert_eq!(value.as_bytes(), b"home: /home");
    ///
    /// // The same with the text of the template and the values apart.
    /// let mut journal = Journal::default();
    /// assert!(matches!(template.resume_segments(&Nothing, &options, &mut journal), Progress::Request(_)));
    /// journal.handle_found(LookupResult::Value(b"/home".to_vec()));
    /// let Progress::Done(query) = template.resume_segments(&Nothing, &options, &mut journal) else { unreachable!() };
    /// assert_eq!((query.segments().len(), journal.found().len()), (2, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        let mut evaluation = Evaluation::new(variables, options, journal, length);
        let halt = evaluate(&mut evaluation, &self.tree);
        let place = evaluation.place.take();
        journal.awaiting = matches!(halt, Err(Halt::Waiting(_)));
        if journal.awaiting {
            journal.places.resize(journal.found.len(), None);
            journal.places.push(place);
        }
        match halt {
            Ok(done) => Progress::Done(done),
            Err(Halt::Waiting(request)) => Progress::Request(*request),
            Err(Halt::Stop(stop)) => Progress::Stopped(*stop),
        }
    }
}

/// The results of an expansion's requests so far, in order: an answered request is not made again.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Journal {
    pub(crate) found: Vec<Answered>,
    /// The places of the lookups whose queries need not be written again to come to these results.
    pub(crate) places: Vec<Option<LookupPlace>>,
    awaiting: bool,
}

impl Journal {
    /// Takes the result of the last request; an extra result changes nothing.
    pub fn handle_found(&mut self, found: impl Into<Answered>) {
        if std::mem::take(&mut self.awaiting) {
            self.found.push(found.into());
        }
    }

    /// Returns the results, in the order of the requests.
    #[must_use]
    pub fn found(&self) -> &[Answered] {
        &self.found
    }
}

impl From<Vec<Answered>> for Journal {
    /// Starts with earlier results.
    fn from(found: Vec<Answered>) -> Self {
        Self { found, places: Vec::new(), awaiting: false }
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

/// The next step of an expansion.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must handle all three")]
pub enum Progress<T = Value<'static>> {
    /// Answer this request, and hand in the result.
    Request(Request),
    /// The expanded text.
    Done(T),
    /// The expansion has failed.
    Stopped(ExpandFailure),
}

/// A request that the program must answer before the expansion continues.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The position in bytes from the start of the template, or of the text that `expand` or `sg`
    /// expands again.
    pub at: usize,
    /// The request.
    pub ask: Ask,
}

/// The kind of a [`Request`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Ask {
    /// A lookup.
    Lookup {
        /// Its type, with its modifiers and options.
        lookup: Lookup,
        /// The key, for a lookup with a key.
        key: Option<Value<'static>>,
        /// The query, or the name of the file for a lookup with a key. Untrusted values are quoted
        /// for this lookup and marked; those for `redis` may be unquoted, since each stays in its word. A name
        /// is trusted.
        query: Query,
    },
    /// Another request.
    Call {
        /// Its kind.
        call: HostCall,
        /// Its arguments, as documented for the kind.
        arguments: Vec<Value<'static>>,
    },
}
