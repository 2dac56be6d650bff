//! Whoever answers questions to the DNS, and sessions that ask them.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use mail_types::dns::{Answer, Inquiry, Question, Session, Step};

/// Answers questions to the DNS.
pub trait Resolve: Send + Sync {
    /// Answers a question; what is not known after this time has failed.
    fn answer(&self, question: Question, time: Duration) -> Resolving<'_>;
}

/// A question under way.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = (Question, Answer)> + Send + 'a>>;

/// Runs a session to its end, within this time. Questions that do not depend on each other are asked at
/// the same time.
pub(crate) async fn run<I: Inquiry>(
    session: &mut Session<I>,
    resolver: &dyn Resolve,
    time: Duration,
) -> I::Verdict {
    let start = Instant::now();
    let mut flight: Vec<Resolving<'_>> = Vec::new();
    loop {
        match session.poll() {
            Step::Done(verdict) => return verdict,
            Step::Ask(question) => {
                let left = time.saturating_sub(start.elapsed());
                flight.push(resolver.answer(question, left));
            }
            Step::Wait => match answered(&mut flight).await {
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
