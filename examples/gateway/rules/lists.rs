//! Conditions on addresses: whose domain, local part, address or profile is in a list.

use mail_types::{MailHost, Mailbox};

use super::Problem;
use super::condition::{Condition, Holds, Home, Test};
use super::pattern::{AddressPattern, DomainPattern, Patterns, Tail};
use super::scene::Scene;
use super::source::Entry;

/// Whose address is tested.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    Sender,
    Recipient,
}

impl Whose {
    /// Returns the address; `<>` is none.
    fn address<'a>(self, scene: &Scene<'a>) -> Option<&'a Mailbox> {
        match self {
            Self::Sender => scene.transaction.and_then(|t| t.sender.mailbox()),
            Self::Recipient => scene.recipient,
        }
    }
}

/// `senders = LIST`, `recipients = LIST`.
#[derive(Debug)]
pub(super) struct AddressTest {
    whose: Whose,
    patterns: Patterns<AddressPattern>,
}

impl AddressTest {
    pub(super) fn read(entry: &Entry, home: &Home<'_>, whose: Whose) -> Result<Self, Problem> {
        let patterns = Patterns::read(&entry.text, |item| AddressPattern::read(item, home.host))?;
        Ok(Self { whose, patterns })
    }
}

impl Condition for AddressTest {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        let address = self.whose.address(scene);
        Test::Known(self.patterns.decide(|pattern| pattern.fits(address)).into())
    }
}

/// `sender_domains = LIST`, `domains = LIST`. Who has no address is in no domain.
#[derive(Debug)]
pub(super) struct DomainTest {
    whose: Whose,
    patterns: Patterns<DomainPattern>,
}

impl DomainTest {
    pub(super) fn read(entry: &Entry, home: &Home<'_>, whose: Whose) -> Result<Self, Problem> {
        let patterns = Patterns::read(&entry.text, |item| DomainPattern::read(item, home.host))?;
        Ok(Self { whose, patterns })
    }
}

impl Condition for DomainTest {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        let host = self.whose.address(scene).map(Mailbox::host).map(MailHost::to_string);
        let holds = |host: String| self.patterns.decide(|pattern| pattern.fits(&host));
        Test::Known(host.is_some_and(holds).into())
    }
}

/// `local_parts = LIST`: the recipient's, without regard to case.
#[derive(Debug)]
pub(super) struct LocalPartTest(Patterns<Tail>);

impl LocalPartTest {
    pub(super) fn read(entry: &Entry) -> Result<Self, Problem> {
        Patterns::read(&entry.text, |item| Tail::read(&item.to_lowercase())).map(Self)
    }
}

impl Condition for LocalPartTest {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        let part = scene.recipient.map(|recipient| recipient.local_part().to_lowercase());
        let holds = |part: String| self.0.decide(|pattern| pattern.fits(&part));
        Test::Known(part.is_some_and(holds).into())
    }
}

/// `profiles = LIST`: the content-filter profile; none is an empty item.
#[derive(Debug)]
pub(super) struct ProfileTest(Patterns<Tail>);

impl ProfileTest {
    pub(super) fn read(entry: &Entry) -> Result<Self, Problem> {
        Patterns::read(&entry.text, Tail::read).map(Self)
    }
}

impl Condition for ProfileTest {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        let profile = scene.profile().map(String::from_utf8_lossy);
        let holds = profile.is_some_and(|p| self.0.decide(|pattern| pattern.fits(&p)));
        Test::Known(holds.into())
    }
}

/// `authenticated = LIST`: nobody can log in here, so it never holds.
#[derive(Debug)]
pub(super) struct Authenticated;

impl Condition for Authenticated {
    fn test<'a>(&'a self, _: &'a mut Scene<'_>) -> Test<'a> {
        Test::Known(Holds::No)
    }
}
