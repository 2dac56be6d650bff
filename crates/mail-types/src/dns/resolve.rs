//! Answers from a resolver, and sessions that wait for them without a runtime.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::dns::{Answer, Inquiry, InquiryStep, Question, Session};

/// A source of DNS answers for [`run`]: hickory's resolver, a cache, or a zone in a test.
pub trait Resolve: Send + Sync {
    /// Answers a question. After `time` without an answer the result is
    /// [`DnsFailure::Timeout`](crate::dns::DnsFailure::Timeout).
    fn answer(&self, question: Question, time: Duration) -> Resolving<'_>;
}

impl fmt::Debug for dyn Resolve + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolve")
    }
}

/// A question on its way to its answer.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = (Question, Answer)> + Send + 'a>>;

/// The time limit of a session in [`run`]: RFC 7208 section 4.6.4 demands at least 20 seconds.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Runs a session to its end. Independent questions are asked concurrently; a question without an
/// answer after [`DEADLINE`] has failed.
///
/// [`run_cached`] takes another time limit, and a cache.
pub async fn run<I: Inquiry>(session: &mut Session<I>, resolver: &dyn Resolve) -> I::Verdict {
    run_cached(session, resolver, DEADLINE, &|_| None).await
}

/// Runs a session to its end as [`run`] does, within `time`; a question in `cache` is not sent.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use mail_types::dns::{Answer, DnsFailure, Inquiry, InquiryStep, Known, Question, Resolve, Session, run_cached};
///
/// /// Takes kept answers first, and asks the resolver for the rest, for at most five seconds.
/// async fn verdict<I: Inquiry>(inquiry: I, resolver: &dyn Resolve, kept: &[(Question, Arc<Answer>)]) -> I::Verdict {
///     let find = |question: &Question| kept.iter().find(|(q, _)| q == question).map(|(_, answer)| Arc::clone(answer));
///     run_cached(&mut Session::new(inquiry, Vec::new(), 20), resolver, Duration::from_secs(5), &find).await
/// }
///
/// // The same step by step, for a program with a loop of its own.
/// # use mail_types::dns::{RecordType, Unanswered};
/// # struct Exists;
/// # impl Inquiry for Exists {
/// #     type Verdict = bool;
/// #     fn evaluate(&mut self, known: &mut Known<'_>) -> Result<bool, Unanswered> {
/// #         let name = "example.com".parse().unwrap_or_else(|_| mail_types::dns::Name::root());
/// #         Ok(matches!(*known.ask(&name, RecordType::A)?, Answer::Absent { .. }))
/// #     }
/// # }
/// let mut session = Session::new(Exists, Vec::new(), 20);
/// let kept = |_: &Question| None::<Arc<Answer>>;
/// assert!(matches!(session.poll_cached(&kept), InquiryStep::Ask(_)));
/// session.handle_timeout();
/// assert!(matches!(session.poll_cached(&kept), InquiryStep::Done(false)));
/// ```
pub async fn run_cached<I: Inquiry>(
    session: &mut Session<I>,
    resolver: &dyn Resolve,
    time: Duration,
    cache: &(dyn Fn(&Question) -> Option<Arc<Answer>> + Sync),
) -> I::Verdict {
    let start = Instant::now();
    let mut flight: Vec<Resolving<'_>> = Vec::new();
    loop {
        match session.poll_cached(cache) {
            InquiryStep::Done(verdict) => return verdict,
            InquiryStep::Ask(question) => {
                let time = session.time_of_question(time.saturating_sub(start.elapsed()));
                flight.push(resolver.answer(question, time));
            }
            InquiryStep::Wait => match answered(&mut flight).await {
                Some((question, answer)) if start.elapsed() < time => {
                    session.handle_answer(&question, answer);
                }
                _ => session.handle_timeout(),
            },
        }
    }
}

/// Waits for the first answer; `None` if nothing was asked.
async fn answered(flight: &mut Vec<Resolving<'_>>) -> Option<(Question, Answer)> {
    poll_fn(|context| {
        for at in 0..flight.len() {
            let asked = flight.get_mut(at).map(|asked| asked.as_mut().poll(context));
            if let Some(Poll::Ready(answered)) = asked {
                drop(flight.swap_remove(at));
                return Poll::Ready(Some(answered));
            }
        }
        if flight.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}
