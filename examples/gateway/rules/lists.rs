//! Conditions on lists: whose host, domain, local part, address or profile is in one.

use std::net::IpAddr;

use event_expand::ListKind;
use mail_types::{MailHost, Mailbox, Name};

use super::Problem;
use super::condition::{Condition, Holds, Home, Test};
use super::pattern::{Fit, Pattern};
use super::patterns::{Patterns, Reader};
use super::place::Place;
use super::scene::Scene;
use super::source::Entry;
use super::words::Words;

/// Whether somebody is in a list.
#[derive(Debug)]
pub(super) struct ListTest<P: Pattern> {
    words: Words<Patterns<P>>,
    subject: Subject<P>,
}

/// Finds out who is in the list or not.
pub(super) type Subject<P> = fn(&Scene<'_>) -> <P as Pattern>::Subject;

impl<P: Pattern> ListTest<P> {
    pub(super) fn read(
        entry: &Entry,
        place: Place,
        home: &Home<'_>,
        kind: Option<ListKind>,
        subject: Subject<P>,
    ) -> Result<Self, Problem> {
        let words = reader(place, home, kind).words(&entry.text)?;
        Ok(Self { words, subject })
    }

    /// A list that fails by its own word has nobody in it, as in Exim: to ignore it would make an
    /// `accept` one for everybody.
    async fn ask(&self, scene: &mut Scene<'_>, subject: P::Subject) -> Holds {
        let decided = match self.words.now(scene).await {
            Ok(patterns) => patterns.decide(scene, &subject).await,
            Err(instead) => Err(instead),
        };
        match decided {
            Ok(fit) => (fit == Fit::Yes).into(),
            Err(Holds::Ignored) => Holds::No,
            Err(instead) => instead,
        }
    }
}

impl<P: Pattern> Condition for ListTest<P> {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        let subject = (self.subject)(scene);
        if P::is_nobody(&subject) {
            return Test::Known(Holds::No);
        }
        let known = self.words.known().and_then(|patterns| patterns.decide_known(&subject));
        match known {
            Some(fit) => Test::Known((fit == Fit::Yes).into()),
            None => Test::Work(Box::pin(self.ask(scene, subject))),
        }
    }
}

pub(super) fn reader(place: Place, home: &Home<'_>, kind: Option<ListKind>) -> Reader {
    let (language, host) = (home.language.clone(), home.host.clone());
    Reader { language, host, place, kind, depth: 0 }
}

pub(super) fn client(scene: &Scene<'_>) -> (IpAddr, Option<Name>) {
    (scene.client.address.ip(), scene.client.host_name.clone())
}

/// The sender; `<>` is nobody.
fn sender<'a>(scene: &Scene<'a>) -> Option<&'a Mailbox> {
    scene.transaction.and_then(|transaction| transaction.sender.mailbox())
}

pub(super) fn sender_address(scene: &Scene<'_>) -> Option<Mailbox> {
    sender(scene).cloned()
}

pub(super) fn sender_domain(scene: &Scene<'_>) -> Option<String> {
    sender(scene).map(Mailbox::host).map(MailHost::to_string)
}

pub(super) fn recipient_address(scene: &Scene<'_>) -> Option<Mailbox> {
    scene.recipient.cloned()
}

pub(super) fn recipient_domain(scene: &Scene<'_>) -> Option<String> {
    scene.recipient.map(Mailbox::host).map(MailHost::to_string)
}

pub(super) fn local_part(scene: &Scene<'_>) -> Option<String> {
    scene.recipient.map(|recipient| recipient.local_part().to_owned())
}

/// The content-filter profile; none is an empty item.
pub(super) fn profile(scene: &Scene<'_>) -> Option<String> {
    scene.profile().map(|profile| String::from_utf8_lossy(profile).into_owned())
}

/// `authenticated = LIST`: nobody can log in here, so it never holds.
#[derive(Debug)]
pub(super) struct Authenticated;

impl Condition for Authenticated {
    fn test<'a>(&'a self, _: &'a mut Scene<'_>) -> Test<'a> {
        Test::Known(Holds::No)
    }
}
