//! Sessions: their questions, the order of them, and the end after any order of calls.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, Inquiry, InquiryStep, Known, Name, Noted, Question,
    RecordType, Records, Session, Texts, Unanswered,
};

/// Follows a chain of names, each named by the text of the one before, and asks for the addresses
/// of both families at each.
struct Chain {
    first: Name,
    runs: Cell<usize>,
}

impl Inquiry for Chain {
    type Verdict = Vec<Answer>;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Vec<Answer>, Unanswered> {
        self.runs.set(self.runs.get() + 1);
        let (mut name, mut seen) = (self.first.clone(), Vec::new());
        loop {
            let asked = [known.ask(&name, RecordType::A), known.ask(&name, RecordType::Aaaa)];
            for answer in asked {
                seen.push((*answer?).clone());
            }
            known.note(|| format!("at {name}\r\n"));
            let text = known.within(|known| known.ask(&name, RecordType::Txt))?;
            seen.push((*text).clone());
            let next =
                text.texts().and_then(|texts| std::str::from_utf8(texts.iter().next()?).ok());
            let Some(Ok(next)) = next.map(str::parse) else { return Ok(seen) };
            name = next;
        }
    }
}

fn chain() -> Chain {
    Chain { first: name("a.example"), runs: Cell::new(0) }
}

fn name(text: &str) -> Name {
    text.parse().unwrap_or_else(|_| Name::root())
}

fn text(text: &str) -> Answer {
    let records = Records::Txt(Texts::new([text.as_bytes()]));
    let canonical = name("a.example");
    Answer::Records { records, canonical, security: DnssecStatus::Secure, ttl: 60 }
}

const NOTHING: Answer = Answer::Absent { exists: true, security: DnssecStatus::Insecure, ttl: 60 };

/// The verdict with a fixed answer for all texts and no other data, and the questions.
fn verdict_and_questions(session: &mut Session<Chain>, texts: &str) -> (Vec<Answer>, Vec<String>) {
    let mut asked = Vec::new();
    let mut flight = Vec::new();
    loop {
        match session.poll() {
            InquiryStep::Ask(question) => {
                asked.push(question.to_string());
                flight.push(question);
            }
            InquiryStep::Done(verdict) => return (verdict, asked),
            InquiryStep::Wait => {
                let Some(question) = flight.pop() else {
                    session.handle_timeout();
                    continue;
                };
                let answer = if question.kind == RecordType::Txt { text(texts) } else { NOTHING };
                session.handle_answer(&question, answer);
            }
        }
    }
}

#[test]
fn what_can_go_out_together_does() {
    let mut session = Session::new(chain(), Vec::new(), 10);
    let asked: Vec<_> = std::iter::from_fn(|| match session.poll() {
        InquiryStep::Ask(question) => Some(question.to_string()),
        _ => None,
    })
    .collect();
    assert_eq!(asked, ["a.example A", "a.example AAAA"]);
}

#[test]
fn a_question_has_its_share_of_the_time() {
    let left = Duration::from_secs(9);
    let time =
        |share| Session::new(chain(), Vec::new(), 9).with_share(share).time_of_question(left);
    assert_eq!([0, 1, 3].map(time), [left, left, left / 3]);
    assert_eq!(Session::new(chain(), Vec::new(), 9).time_of_question(left), left);
}

#[test]
fn the_limit_of_questions_is_kept() {
    let (verdict, asked) =
        verdict_and_questions(&mut Session::new(chain(), Vec::new(), 3), "no..name");
    assert_eq!((verdict.len(), asked.len()), (3, 3));
    let (verdict, asked) =
        verdict_and_questions(&mut Session::new(chain(), Vec::new(), 2), "no..name");
    assert_eq!(asked, ["a.example A", "a.example AAAA"]);
    assert_eq!(verdict.last(), Some(&Answer::Failed(DnsFailure::OverLimit)));
}

#[test]
fn a_timeout_is_the_answer_to_all_that_is_open() {
    let mut session = Session::new(chain(), Vec::new(), 10);
    assert!(matches!(session.poll(), InquiryStep::Ask(_)));
    session.handle_timeout();
    let InquiryStep::Done(verdict) = session.poll() else { panic!("it must end") };
    assert_eq!(verdict, [const { Answer::Failed(DnsFailure::Timeout) }; 3]);
}

#[test]
fn answers_not_asked_for_and_second_ones_change_nothing() {
    let mut session = Session::new(chain(), Vec::new(), 10);
    let question = Question::new(name("a.example"), RecordType::A);
    session.handle_answer(&question, NOTHING);
    assert_eq!(session.answers(), []);
    assert!(matches!(session.poll(), InquiryStep::Ask(first) if first == question));
    session.handle_answer(&question, NOTHING);
    session.handle_answer(&question, text("b.example"));
    assert_eq!(session.answers(), [(question, Arc::new(NOTHING))]);
}

#[test]
fn a_warm_cache_makes_it_one_run() {
    let cache = |question: &Question| {
        Some(Arc::new(if question.kind == RecordType::Txt { text("..") } else { NOTHING }))
    };
    let mut session = Session::new(chain(), Vec::new(), 0);
    let InquiryStep::Done(verdict) = session.poll_cached(&cache) else { panic!("it must end") };
    assert_eq!((verdict.len(), session.answers()), (3, &[][..]));
}

#[test]
fn a_traced_session_has_its_tree_and_replays() {
    let mut session = Session::new(chain(), Vec::new(), 10).traced();
    let (verdict, asked) = verdict_and_questions(&mut session, "no..name");
    assert_eq!(asked.len(), 3);
    let lines: Vec<_> = session.trace().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "a.example A -> no such record",
            "a.example AAAA -> no such record",
            r"at a.example\u{d}\u{a}",
            "  a.example TXT -> no..name",
        ]
    );
    let mut deep = session.trace()[0].clone();
    deep.depth = 40_000;
    assert!(deep.to_string().starts_with(&" ".repeat(80_000)), "further in than a width goes");
    let asked = session.trace().iter().filter(|note| matches!(note.noted, Noted::Answer { .. }));
    assert_eq!(asked.count(), 3);

    let mut replay = Session::new(chain(), session.answers().to_vec(), 0).traced();
    let InquiryStep::Done(again) = replay.poll() else { panic!("all is known") };
    assert_eq!((again, replay.trace()), (verdict, session.trace()));
}

#[test]
fn what_was_derived_of_texts_is_kept() {
    let texts = Texts::new([b"one".to_vec(), b"two".to_vec()]);
    let calls = Cell::new(0);
    let count = |texts: &Texts| {
        calls.set(calls.get() + 1);
        texts.iter().len()
    };
    assert_eq!((*texts.derive(count), *texts.derive(count), calls.get()), (2, 2, 1));
    assert_eq!(*texts.derive(|texts| format!("{texts:?}")), r#"["one", "two"]"#);
    assert_eq!(*texts.derive(count), 2, "another type is made anew, and displaces none");
    assert_eq!(texts, Texts::new([b"one".to_vec(), b"two".to_vec()]));
}
