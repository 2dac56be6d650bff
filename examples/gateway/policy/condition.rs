//! Conditions: what a rule can ask.
//!
//! Another one is a file with a type that implements [`Condition`], a [`Kind`] in [`KINDS`], and the
//! names of the variables that it publishes, if any, in [`PUBLISHED`]. What it works with, such as a
//! resolver, is among the scene's [`Services`](super::services::Services); what it found out, it keeps in
//! the scene's notes, for as long as the message lasts, and publishes there as values of its variables. A list is read as
//! [`Words`](super::words::Words), so that it can be expanded; its words or patterns are its own.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use event_expand::{HeaderForm, ListKind};
use mail_types::smtp::Domain;

use super::conditions::dmarc::DmarcTest;
use super::conditions::header::HeaderTest;
use super::conditions::lists::{self, Authenticated, ListTest};
use super::conditions::ratelimit::RateLimit;
use super::conditions::spf::SpfTest;
use super::conditions::truth::Truth;
use super::conditions::{dmarc, ratelimit, spf};
use super::context::Scene;
use super::rules::Problem;
use super::source::Entry;
use super::stage::Place;
use crate::gateway::authentication::dmarc::DmarcSettings;
use crate::gateway::authentication::spf::SpfSettings;
use crate::gateway::lookups::language::Language;

/// A condition of a rule, read and checked.
pub(crate) trait Condition: Debug + Send + Sync {
    /// Tests the scene, at once or by work that takes a while.
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a>;
}

/// What [`Condition::test`] has come to.
pub(crate) enum Test<'a> {
    Known(Holds),
    /// It must ask somebody.
    Work(Work<'a>),
}

/// What a condition does that cannot be answered at once.
pub(crate) type Work<'a> = Pin<Box<dyn Future<Output = Holds> + Send + 'a>>;

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Holds {
    Yes,
    No,
    /// It cannot be told now: the client is to come back later.
    Later,
    /// It says itself that it is not to be tested: the rule goes on as if it were not there.
    Ignored,
}

impl From<bool> for Holds {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// A kind of condition.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Where it has something to look at.
    pub(crate) places: &'static [Place],
    pub(crate) read: Read,
}

/// Reads a condition, which stands at this place.
pub(crate) type Read = fn(&Entry, Place, &Home<'_>) -> Result<Box<dyn Condition>, Problem>;

/// What is known here when rules are read.
#[derive(Debug)]
pub(crate) struct Home<'a> {
    /// The conditions that there are.
    pub(crate) kinds: &'a [Kind],
    /// Its name, which is `@` in lists of domains.
    pub(crate) host: &'a Domain,
    /// What texts may reach.
    pub(crate) language: &'a Arc<Language>,
    pub(crate) spf: &'a SpfSettings,
    pub(crate) dmarc: &'a DmarcSettings,
}

/// All kinds.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "condition",
        places: &Place::ALL,
        read: |entry, place, home| Ok(Box::new(Truth::read(entry, place, home)?)),
    },
    Kind {
        name: "hosts",
        places: &Place::ALL,
        read: |entry, place, home| {
            Ok(Box::new(ListTest::read(entry, place, home, ListKind::Host, lists::client)?))
        },
    },
    Kind {
        name: "authenticated",
        places: &Place::ALL,
        read: |entry, place, home| Ok(Box::new(Authenticated::read(entry, place, home)?)),
    },
    Kind {
        name: "senders",
        places: Place::MESSAGE,
        read: |entry, place, home| {
            Ok(Box::new(ListTest::read(
                entry,
                place,
                home,
                ListKind::Address,
                lists::sender_address,
            )?))
        },
    },
    Kind {
        name: "sender_domains",
        places: Place::MESSAGE,
        read: |entry, place, home| {
            Ok(Box::new(ListTest::read(
                entry,
                place,
                home,
                ListKind::Domain,
                lists::sender_domain,
            )?))
        },
    },
    Kind {
        name: "recipients",
        places: Place::RECIPIENT,
        read: |entry, place, home| {
            Ok(Box::new(ListTest::read(
                entry,
                place,
                home,
                ListKind::Address,
                lists::recipient_address,
            )?))
        },
    },
    Kind {
        name: "domains",
        places: Place::RECIPIENT,
        read: |entry, place, home| {
            Ok(Box::new(ListTest::read(
                entry,
                place,
                home,
                ListKind::Domain,
                lists::recipient_domain,
            )?))
        },
    },
    Kind {
        name: "local_parts",
        places: Place::RECIPIENT,
        read: |entry, place, home| {
            Ok(Box::new(ListTest::read(
                entry,
                place,
                home,
                ListKind::LocalPart,
                lists::local_part,
            )?))
        },
    },
    Kind {
        name: "profiles",
        places: Place::PROFILED,
        read: |entry, place, home| {
            Ok(Box::new(ListTest::read(entry, place, home, ListKind::LocalPart, lists::profile)?))
        },
    },
    Kind {
        name: "header",
        places: Place::CONTENT,
        read: |entry, place, home| {
            Ok(Box::new(HeaderTest::read(entry, place, home, HeaderForm::Decoded)?))
        },
    },
    Kind {
        name: "header_raw",
        places: Place::CONTENT,
        read: |entry, place, home| {
            Ok(Box::new(HeaderTest::read(entry, place, home, HeaderForm::Raw)?))
        },
    },
    Kind {
        name: "spf",
        places: Place::MESSAGE,
        read: |entry, place, home| Ok(Box::new(SpfTest::read(entry, place, home, false)?)),
    },
    Kind {
        name: "spf_guess",
        places: Place::MESSAGE,
        read: |entry, place, home| Ok(Box::new(SpfTest::read(entry, place, home, true)?)),
    },
    Kind {
        name: "dmarc_status",
        places: Place::CONTENT,
        read: |entry, place, home| Ok(Box::new(DmarcTest::read(entry, place, home)?)),
    },
    Kind {
        name: "ratelimit",
        places: &Place::ALL,
        read: |entry, place, home| Ok(Box::new(RateLimit::read(entry, place, home)?)),
    },
];

/// The variables that conditions publish, a list for each kind that does, and where it can stand.
pub(crate) const PUBLISHED: &[(&[Place], &[&str])] = &[
    (Place::CONTENT, dmarc::VARIABLES),
    (&Place::ALL, ratelimit::VARIABLES),
    (Place::MESSAGE, spf::VARIABLES),
];
