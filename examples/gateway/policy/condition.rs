//! Conditions: what a rule can ask.
//!
//! Another one is a file with a type that implements [`Condition`], a [`ConditionKind`] in [`KINDS`], and
//! the names of the variables that it publishes, if any, in [`PUBLISHED`]. What it works with, such as a
//! resolver, is among the context's [`Services`](super::services::Services); what it found out, it keeps
//! in the context's state, for as long as the message lasts, and publishes there as values of its
//! variables. A list is read as [`Words`](super::words::Words), so that it can be expanded; its words or
//! patterns are its own.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use event_expand::{HeaderForm, ListKind};
use mail_types::smtp::Domain;

use super::conditions::acl::AclTest;
use super::conditions::dmarc::DmarcTest;
use super::conditions::header::HeaderTest;
use super::conditions::lists::{self, Authenticated, ListTest};
use super::conditions::ratelimit::RateLimit;
use super::conditions::spf::SpfTest;
use super::conditions::truth::TruthTest;
use super::conditions::{dmarc, ratelimit, spf};
use super::context::Context;
use super::rules::Problem;
use super::source::RuleEntry;
use super::stage::Stage;
use super::text::Unfinished;
use crate::gateway::authentication::dmarc::DmarcSettings;
use crate::gateway::authentication::spf::SpfSettings;
use crate::gateway::lookups::language::Language;

/// A condition of a rule, read and checked.
pub(crate) trait Condition: Debug + Send + Sync {
    /// Tests the context, at once or by work that takes a while.
    fn test<'a>(&'a self, context: &'a mut Context<'_>) -> Test<'a>;
}

/// The result of [`Condition::test`].
pub(crate) enum Test<'a> {
    Known(Truth),
    /// It must ask somebody.
    Pending(PendingTruth<'a>),
}

/// What a condition does that cannot be answered at once.
pub(crate) type PendingTruth<'a> = Pin<Box<dyn Future<Output = Truth> + Send + 'a>>;

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Truth {
    Yes,
    No,
    /// It cannot be told now: the client is to come back later.
    Later,
    /// It says itself that it is not to be tested: the rule goes on as if it were not there.
    Ignored,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl From<Unfinished> for Truth {
    fn from(unfinished: Unfinished) -> Self {
        match unfinished {
            Unfinished::Forced => Self::Ignored,
            Unfinished::Failed => Self::Later,
        }
    }
}

/// A kind of condition.
#[derive(Debug)]
pub(crate) struct ConditionKind {
    pub(crate) name: &'static str,
    /// Where it has something to look at.
    pub(crate) stages: &'static [Stage],
    pub(crate) read: Read,
}

/// Reads a condition, which stands at this stage.
pub(crate) type Read = fn(&RuleEntry, Stage, &RuleScope<'_>) -> Result<Box<dyn Condition>, Problem>;

/// The surroundings in which rules are read.
#[derive(Debug)]
pub(crate) struct RuleScope<'a> {
    /// The conditions that there are.
    pub(crate) kinds: &'a [ConditionKind],
    /// Its name, which is `@` in lists of domains.
    pub(crate) host: &'a Domain,
    /// What texts may reach.
    pub(crate) language: &'a Arc<Language>,
    pub(crate) spf: &'a SpfSettings,
    pub(crate) dmarc: &'a DmarcSettings,
    /// Tells whether an option has this name, `TABLE.NAME` for one in a table.
    pub(crate) is_option: fn(&str) -> bool,
}

/// All kinds.
pub(crate) const KINDS: &[ConditionKind] = &[
    ConditionKind {
        name: "acl",
        stages: Stage::CALLED,
        read: |entry, stage, home| Ok(Box::new(AclTest::read(entry, stage, home)?)),
    },
    ConditionKind {
        name: "condition",
        stages: Stage::CALLED,
        read: |entry, stage, home| Ok(Box::new(TruthTest::read(entry, stage, home)?)),
    },
    ConditionKind {
        name: "hosts",
        stages: Stage::CALLED,
        read: |entry, stage, home| {
            Ok(Box::new(ListTest::read(entry, stage, home, ListKind::Host, lists::client)?))
        },
    },
    ConditionKind {
        name: "authenticated",
        stages: &Stage::ALL,
        read: |entry, stage, home| Ok(Box::new(Authenticated::read(entry, stage, home)?)),
    },
    ConditionKind {
        name: "encrypted",
        stages: &Stage::ALL,
        read: |entry, stage, home| {
            Ok(Box::new(ListTest::read(
                entry,
                stage,
                home,
                ListKind::LocalPart,
                lists::cipher_suite,
            )?))
        },
    },
    ConditionKind {
        name: "senders",
        stages: Stage::OF_SENDER,
        read: |entry, stage, home| {
            Ok(Box::new(ListTest::read(
                entry,
                stage,
                home,
                ListKind::Address,
                lists::sender_address,
            )?))
        },
    },
    ConditionKind {
        name: "sender_domains",
        stages: Stage::OF_SENDER,
        read: |entry, stage, home| {
            Ok(Box::new(ListTest::read(
                entry,
                stage,
                home,
                ListKind::Domain,
                lists::sender_domain,
            )?))
        },
    },
    ConditionKind {
        name: "recipients",
        stages: Stage::RECIPIENT,
        read: |entry, stage, home| {
            Ok(Box::new(ListTest::read(
                entry,
                stage,
                home,
                ListKind::Address,
                lists::recipient_address,
            )?))
        },
    },
    ConditionKind {
        name: "domains",
        stages: Stage::RECIPIENT,
        read: |entry, stage, home| {
            Ok(Box::new(ListTest::read(
                entry,
                stage,
                home,
                ListKind::Domain,
                lists::recipient_domain,
            )?))
        },
    },
    ConditionKind {
        name: "local_parts",
        stages: Stage::RECIPIENT,
        read: |entry, stage, home| {
            Ok(Box::new(ListTest::read(
                entry,
                stage,
                home,
                ListKind::LocalPart,
                lists::local_part,
            )?))
        },
    },
    ConditionKind {
        name: "profiles",
        stages: Stage::PROFILED,
        read: |entry, stage, home| {
            Ok(Box::new(ListTest::read(entry, stage, home, ListKind::LocalPart, lists::profile)?))
        },
    },
    ConditionKind {
        name: "header",
        stages: Stage::CONTENT,
        read: |entry, stage, home| {
            Ok(Box::new(HeaderTest::read(entry, stage, home, HeaderForm::Decoded)?))
        },
    },
    ConditionKind {
        name: "header_raw",
        stages: Stage::CONTENT,
        read: |entry, stage, home| {
            Ok(Box::new(HeaderTest::read(entry, stage, home, HeaderForm::Raw)?))
        },
    },
    ConditionKind {
        name: "spf",
        stages: Stage::MESSAGE,
        read: |entry, stage, home| Ok(Box::new(SpfTest::read(entry, stage, home, false)?)),
    },
    ConditionKind {
        name: "spf_guess",
        stages: Stage::MESSAGE,
        read: |entry, stage, home| Ok(Box::new(SpfTest::read(entry, stage, home, true)?)),
    },
    ConditionKind {
        name: "dmarc_status",
        stages: Stage::CONTENT,
        read: |entry, stage, home| Ok(Box::new(DmarcTest::read(entry, stage, home)?)),
    },
    ConditionKind {
        name: "ratelimit",
        stages: Stage::CALLED,
        read: |entry, stage, home| Ok(Box::new(RateLimit::read(entry, stage, home)?)),
    },
];

/// The variables that conditions publish, a list for each kind that does, and where it can stand.
pub(crate) const PUBLISHED: &[(&[Stage], &[&str])] = &[
    (Stage::CONTENT, dmarc::VARIABLES),
    (Stage::CALLED, ratelimit::VARIABLES),
    (Stage::MESSAGE, spf::VARIABLES),
];
