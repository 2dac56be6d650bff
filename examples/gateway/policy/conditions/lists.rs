//! Conditions on lists: whose host, domain, local part, address or profile is in one.

use event_expand::{ListKind, Membership};
use mail_types::smtp::{MailHost, Mailbox};

use crate::gateway::policy::condition::{Condition, Holds, Home, Test};
use crate::gateway::policy::context::Scene;
use crate::gateway::policy::list::{RuleList, Subject};
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::Entry;
use crate::gateway::policy::stage::Place;

/// Whether somebody is in a list.
#[derive(Debug)]
pub(crate) struct ListTest {
    list: RuleList,
    subject: SubjectOf,
}

/// Finds out who is in the list or not; `None` is nobody, who is in no list, whatever it says.
pub(crate) type SubjectOf = fn(&Scene<'_>) -> Option<Subject>;

impl ListTest {
    pub(crate) fn read(
        entry: &Entry,
        place: Place,
        home: &Home<'_>,
        kind: ListKind,
        subject: SubjectOf,
    ) -> Result<Self, Problem> {
        Ok(Self { list: RuleList::read(&entry.text, place, home, kind)?, subject })
    }

    async fn ask(&self, scene: &mut Scene<'_>, subject: Subject) -> Holds {
        match self.list.decide(scene, &subject).await {
            Ok(membership) => (membership == Membership::Yes).into(),
            Err(instead) => instead,
        }
    }
}

impl Condition for ListTest {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        let Some(subject) = (self.subject)(scene) else { return Test::Known(Holds::No) };
        match self.list.decide_known(&subject) {
            Some(membership) => Test::Known((membership == Membership::Yes).into()),
            None => Test::Work(Box::pin(self.ask(scene, subject))),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of those who may be nobody")]
pub(crate) fn client(scene: &Scene<'_>) -> Option<Subject> {
    Some(Subject::Host(scene.client.address.ip(), scene.client.host_name.clone()))
}

/// The sender; `<>` is nobody.
fn sender<'a>(scene: &Scene<'a>) -> Option<&'a Mailbox> {
    scene.transaction.and_then(|transaction| transaction.sender.mailbox())
}

/// The sender of notifications can be in a list, as an empty item.
#[expect(clippy::unnecessary_wraps, reason = "it is one of those who may be nobody")]
pub(crate) fn sender_address(scene: &Scene<'_>) -> Option<Subject> {
    Some(Subject::Text(sender(scene).map_or_else(String::new, address)))
}

pub(crate) fn sender_domain(scene: &Scene<'_>) -> Option<Subject> {
    sender(scene).map(Mailbox::host).map(MailHost::to_string).map(Subject::Text)
}

pub(crate) fn recipient_address(scene: &Scene<'_>) -> Option<Subject> {
    scene.recipient.map(address).map(Subject::Text)
}

pub(crate) fn recipient_domain(scene: &Scene<'_>) -> Option<Subject> {
    scene.recipient.map(|recipient| Subject::Text(recipient.host().to_string()))
}

pub(crate) fn local_part(scene: &Scene<'_>) -> Option<Subject> {
    scene.recipient.map(|recipient| Subject::Text(recipient.local_part().to_owned()))
}

/// The content-filter profile; none is an empty item.
pub(crate) fn profile(scene: &Scene<'_>) -> Option<Subject> {
    scene.profile().map(|profile| Subject::Text(String::from_utf8_lossy(profile).into_owned()))
}

/// An address as lists have it: without quotes around its local part.
fn address(mailbox: &Mailbox) -> String {
    format!("{}@{}", mailbox.local_part(), mailbox.host())
}

/// `authenticated = LIST`: nobody can log in here, so it never holds.
#[derive(Debug)]
pub(crate) struct Authenticated;

impl Authenticated {
    /// Reads the list all the same, for what is wrong in it.
    pub(crate) fn read(entry: &Entry, place: Place, home: &Home<'_>) -> Result<Self, Problem> {
        RuleList::read(&entry.text, place, home, ListKind::LocalPart)?;
        Ok(Self)
    }
}

impl Condition for Authenticated {
    fn test<'a>(&'a self, _: &'a mut Scene<'_>) -> Test<'a> {
        Test::Known(Holds::No)
    }
}
