//! The DNS questions of a protocol on the way to its verdict, and the machine that asks them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::dns::{Answer, DnsFailure, Name, Question, RecordType};

/// A protocol that needs the DNS for its verdict, as plain code over the known answers.
///
/// A [`Session`] runs it, and runs it again from the beginning after a missing answer has come.
/// Nothing is suspended: recursion is plain recursion, and the last run is the whole evaluation,
/// with its trace.
pub trait Inquiry {
    /// The result; a "no" of the protocol is a verdict, not an error.
    type Verdict;

    /// Computes the verdict from the known answers, from the beginning each time.
    ///
    /// With the same answers it must ask the same questions in the same order and return the same
    /// verdict: counters start anew.
    ///
    /// # Errors
    ///
    /// [`Unanswered`], passed on from [`Known::ask`] by `?`.
    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Self::Verdict, Unanswered>;
}

/// An answer is still missing. Only [`Known::ask`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unanswered;

/// The known answers during one run of [`Inquiry::evaluate`].
pub struct Known<'s> {
    answers: &'s mut Answers,
    cache: &'s dyn Fn(&Question) -> Option<Arc<Answer>>,
    trace: Option<&'s mut Vec<Note>>,
    depth: usize,
}

impl Known<'_> {
    /// Returns the answer, or queues the question. Ask all independent questions before the first
    /// `?`.
    ///
    /// After the session's limit of questions, or its deadline, the answer is [`Answer::Failed`].
    ///
    /// # Errors
    ///
    /// [`Unanswered`] until the answer has come.
    pub fn ask(&mut self, name: &Name, kind: RecordType) -> Result<Arc<Answer>, Unanswered> {
        let answer = self.answers.find(name, kind, self.cache, self.trace.is_some())?;
        let answered = || Noted::Answer {
            question: Question::new(name.clone(), kind),
            answer: Arc::clone(&answer),
        };
        self.push(answered);
        Ok(answer)
    }

    /// Tells whether the session is traced.
    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.trace.is_some()
    }

    /// Adds a line to the trace; `text` is called only in a traced session.
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        self.push(|| Noted::Text(text()));
    }

    /// Does `work` one level deeper in the trace: an include, a host of an MX, a step of a tree
    /// walk.
    pub fn within<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        let done = work(self);
        self.depth -= 1;
        done
    }

    fn push(&mut self, noted: impl FnOnce() -> Noted) {
        if let Some(trace) = &mut self.trace {
            trace.push(Note { depth: self.depth, noted: noted() });
        }
    }
}

impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("answers", &self.answers).finish_non_exhaustive()
    }
}

/// A line of a trace.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Note {
    /// The depth in the tree; the root is 0.
    pub depth: usize,
    /// The content of the line.
    pub noted: Noted,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A width panics beyond a u16.
        (0..self.depth).try_for_each(|_| f.write_str("  "))?;
        write!(f, "{}", self.noted)
    }
}

/// The content of a [`Note`]. Its text may come from the DNS, but has no control characters.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Noted {
    /// A step of the evaluation and its result.
    Text(String),
    /// A question and its answer.
    Answer {
        /// The question.
        question: Question,
        /// Its answer.
        answer: Arc<Answer>,
    },
}

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (question, answer) = match self {
            Self::Text(text) => return write!(f, "{}", Shown(text)),
            Self::Answer { question, answer } => (question, &**answer),
        };
        write!(f, "{question} -> ")?;
        match answer {
            Answer::Failed(failure) => write!(f, "failed: {failure}"),
            Answer::Absent { exists: true, .. } => f.write_str("no such record"),
            Answer::Absent { exists: false, .. } => f.write_str("no such name"),
            Answer::Records { records, canonical, .. } => {
                if *canonical != question.name {
                    write!(f, "{canonical}: ")?;
                }
                let records = records.presentation();
                f.write_str(&records.join(" | "))
            }
        }
    }
}

/// The next action for the driver of a [`Session`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver must handle all three")]
pub enum InquiryStep<V> {
    /// Ask this question; [`Session::poll`] may return more before its answer is in.
    Ask(Question),
    /// Wait for an answer to an open question, or call [`Session::handle_timeout`].
    Wait,
    /// The verdict; later answers are ignored.
    Done(V),
}

/// A running [`Inquiry`]: one machine for every protocol.
///
/// Call [`poll`](Self::poll) until it returns [`InquiryStep::Wait`], then hand in at least one answer, and
/// repeat. It ends after at most `limit` questions. No order of calls panics. A driver that reaches
/// [`InquiryStep::Wait`] without an open question calls [`handle_timeout`](Self::handle_timeout): that
/// always ends the session.
///
/// ```
/// use std::sync::Arc;
///
/// use mail_types::dns::{Answer, DnsFailure, Inquiry, RecordType, Known, Name, Question, Session, InquiryStep, Unanswered};
///
/// struct HasText(Name);
///
/// impl Inquiry for HasText {
///     type Verdict = bool;
///
///     fn evaluate(&mut self, known: &mut Known<'_>) -> Result<bool, Unanswered> {
///         Ok(known.ask(&self.0, RecordType::Txt)?.texts().is_some())
///     }
/// }
///
/// let mut session = Session::new(HasText("example.com".parse()?), Vec::new(), 10);
/// let InquiryStep::Ask(question) = session.poll() else { unreachable!() };
/// assert!(matches!(session.poll(), InquiryStep::Wait));
/// session.handle_answer(&question, Answer::Failed(DnsFailure::Timeout));
/// assert!(matches!(session.poll(), InquiryStep::Done(false)));
/// # Ok::<(), mail_types::dns::NameError>(())
/// ```
#[derive(Debug)]
pub struct Session<I> {
    inquiry: I,
    answers: Answers,
    trace: Option<Vec<Note>>,
    news: bool,
    share: u32,
}

impl<I: Inquiry> Session<I> {
    /// Starts with answers that are already known: from an earlier session for the same message, or
    /// from a recorded case. Each question is asked at most once, and at most `limit` questions are
    /// asked.
    #[must_use]
    pub fn new(inquiry: I, known: Vec<(Question, Arc<Answer>)>, limit: usize) -> Self {
        let answers = Answers {
            held: known,
            wanted: Vec::new(),
            asked: Vec::new(),
            room: limit,
            beyond: DnsFailure::OverLimit,
        };
        Self { inquiry, answers, trace: None, news: true, share: 1 }
    }

    /// Records a trace of the last run, and keeps the answers of a cache: see
    /// [`trace`](Self::trace) and [`answers`](Self::answers).
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.trace = Some(Vec::new());
        self
    }

    /// Gives each question at most one part in `share` of the time that is left, so that a silent
    /// name leaves time for the questions after it; by default a question may use all the time.
    #[must_use]
    pub fn with_share(self, share: u32) -> Self {
        Self { share: share.max(1), ..self }
    }

    /// Returns the most time for a question, given the time that is left for the session.
    #[must_use]
    pub fn time_of_question(&self, left: Duration) -> Duration {
        left / self.share
    }

    /// Runs the session to its end with answers of a function, such as a `Zone` or a blocking
    /// resolver. The function returns [`Answer::Failed`] if it has no answer.
    ///
    /// ```
    /// use mail_types::dns::{Answer, DnsFailure, Inquiry, RecordType, Known, Name, Session, Unanswered};
    ///
    /// struct Exists(Name);
    ///
    /// impl Inquiry for Exists {
    ///     type Verdict = bool;
    ///
    ///     fn evaluate(&mut self, known: &mut Known<'_>) -> Result<bool, Unanswered> {
    ///         Ok(matches!(*known.ask(&self.0, RecordType::A)?, Answer::Records { .. }))
    ///     }
    /// }
    ///
    /// let mut session = Session::new(Exists("example.com".parse()?), Vec::new(), 1);
    /// assert!(!session.run(|_question| Answer::Failed(DnsFailure::ServFail)));
    /// # Ok::<(), mail_types::dns::NameError>(())
    /// ```
    pub fn run<A: Into<Arc<Answer>>>(
        &mut self,
        mut answer: impl FnMut(&Question) -> A,
    ) -> I::Verdict {
        loop {
            match self.poll() {
                InquiryStep::Done(verdict) => return verdict,
                InquiryStep::Ask(question) => {
                    let answer = answer(&question);
                    self.handle_answer(&question, answer);
                }
                InquiryStep::Wait => self.handle_timeout(),
            }
        }
    }

    /// Returns the next action, without a cache; see [`poll_cached`](Self::poll_cached).
    #[must_use = "a question is returned only once"]
    pub fn poll(&mut self) -> InquiryStep<I::Verdict> {
        self.poll_cached(&|_| None)
    }

    /// Returns the next action; runs the inquiry only if an answer has come since the last run. An
    /// answer from `cache` needs no further run: with a warm cache a single run is enough.
    #[must_use = "a question is returned only once"]
    pub fn poll_cached(
        &mut self,
        cache: &dyn Fn(&Question) -> Option<Arc<Answer>>,
    ) -> InquiryStep<I::Verdict> {
        if self.news && self.answers.wanted.is_empty() {
            self.news = false;
            let mut trace = self.trace.as_mut();
            if let Some(trace) = &mut trace {
                trace.clear();
            }
            let mut known = Known { answers: &mut self.answers, cache, trace, depth: 0 };
            if let Ok(verdict) = self.inquiry.evaluate(&mut known) {
                return InquiryStep::Done(verdict);
            }
        }
        self.answers.next_wanted().map_or(InquiryStep::Wait, InquiryStep::Ask)
    }

    /// Takes an answer; an answer without its question, or a second one, changes nothing.
    pub fn handle_answer(&mut self, question: &Question, answer: impl Into<Arc<Answer>>) {
        let asked = &mut self.answers.asked;
        let Some(at) = asked.iter().position(|asked| asked == question) else { return };
        self.answers.held.push((asked.swap_remove(at), answer.into()));
        self.news = true;
    }

    /// Ends the session's time: every open and every later question has failed with
    /// [`DnsFailure::Timeout`].
    pub fn handle_timeout(&mut self) {
        self.answers.time_out();
        self.news = true;
    }

    /// Returns the answers known at the start and received since; in a [traced](Self::traced)
    /// session those from the cache too. Passed to [`new`](Self::new), they replay the session.
    #[must_use]
    pub fn answers(&self) -> &[(Question, Arc<Answer>)] {
        &self.answers.held
    }

    /// Returns the tree of the last run, complete after the verdict; empty if not traced.
    #[must_use]
    pub fn trace(&self) -> &[Note] {
        self.trace.as_deref().unwrap_or_default()
    }
}

#[derive(Debug)]
struct Answers {
    held: Vec<(Question, Arc<Answer>)>,
    /// The questions to ask, the next one last.
    wanted: Vec<Question>,
    asked: Vec<Question>,
    /// The number of questions that may still be asked.
    room: usize,
    /// The failure of every question that may not be asked any more.
    beyond: DnsFailure,
}

impl Answers {
    fn find(
        &mut self,
        name: &Name,
        kind: RecordType,
        cache: &dyn Fn(&Question) -> Option<Arc<Answer>>,
        keep: bool,
    ) -> Result<Arc<Answer>, Unanswered> {
        let held = self.held.iter().find(|(q, _)| q.kind == kind && q.name == *name);
        if let Some((_, answer)) = held {
            return Ok(Arc::clone(answer));
        }
        let question = Question::new(name.clone(), kind);
        if self.asked.contains(&question) || self.wanted.contains(&question) {
            return Err(Unanswered);
        }
        if let Some(answer) = cache(&question) {
            if keep {
                self.held.push((question, Arc::clone(&answer)));
            }
            return Ok(answer);
        }
        if self.wanted.len() >= self.room {
            let answer = Arc::new(Answer::Failed(self.beyond));
            self.held.push((question, Arc::clone(&answer)));
            return Ok(answer);
        }
        self.wanted.insert(0, question);
        Err(Unanswered)
    }

    fn next_wanted(&mut self) -> Option<Question> {
        let question = self.wanted.pop()?;
        self.room = self.room.saturating_sub(1);
        self.asked.push(question.clone());
        Some(question)
    }

    fn time_out(&mut self) {
        let timeout = Arc::new(Answer::Failed(DnsFailure::Timeout));
        let late = self.asked.drain(..).chain(self.wanted.drain(..));
        self.held.extend(late.map(|question| (question, Arc::clone(&timeout))));
        (self.room, self.beyond) = (0, DnsFailure::Timeout);
    }
}

/// A text without control characters.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            if c.is_control() { write!(f, "{}", c.escape_unicode()) } else { write!(f, "{c}") }
        })
    }
}
