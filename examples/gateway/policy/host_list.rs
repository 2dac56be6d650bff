//! The options that are lists of hosts: Exim's host lists, expanded for each connection.

use std::net::IpAddr;
use std::sync::Arc;

use event_expand::{ListKind, Membership};
use mail_types::dns::Name;
use mail_types::smtp::Domain;

use super::list::{RuleList, Subject, Undecided};
use super::place::Place;
use super::rules::Problem;
use super::surroundings::Surroundings;
use crate::gateway::lookups::language::Language;

/// A list of hosts.
#[derive(Debug)]
pub(crate) struct HostList(RuleList);

impl HostList {
    /// Reads a list that stands at this place, and checks its variables, lookups and named lists. `host`
    /// is this host's name.
    ///
    /// # Errors
    ///
    /// The fault of the list.
    pub(crate) fn read(
        text: &str,
        place: impl Into<Place>,
        language: &Arc<Language>,
        host: &Domain,
    ) -> Result<Self, Problem> {
        RuleList::read(text, place, (language, host), ListKind::Host).map(Self)
    }

    /// Names the option that it is, for the log.
    pub(crate) fn of_option(self, option: &'static str) -> Self {
        Self(self.0.of_option(option))
    }

    /// Returns the option that it is.
    pub(crate) fn option(&self) -> Option<&'static str> {
        self.0.option()
    }

    /// Tells whether a host is in the list. A list without an expansion decides at once; one that fails by
    /// its own word has no host.
    ///
    /// # Errors
    ///
    /// [`Undecided`] if the list cannot be read, a lookup has no answer, which the log says, or an item
    /// needs the name of a host without one.
    pub(crate) async fn contains(
        &self,
        surroundings: &mut dyn Surroundings,
        name: Option<&Name>,
        address: IpAddr,
    ) -> Result<bool, Undecided> {
        if let Some(decided) = self.contains_known(name, address) {
            return decided;
        }
        let subject = Subject::Host(address, name.cloned());
        is_member(self.0.decide(surroundings, &subject).await?)
    }

    /// The same at once, unless something must be expanded or looked up first.
    pub(crate) fn contains_known(
        &self,
        name: Option<&Name>,
        address: IpAddr,
    ) -> Option<Result<bool, Undecided>> {
        self.0.decide_known(&Subject::Host(address, name.cloned())).map(is_member)
    }

    /// Tells whether it is known to have no item.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether it has one of these variables to expand, itself or in a named list.
    pub(crate) fn mentions(&self, variables: &[&str]) -> bool {
        self.0.mentions(variables)
    }

    /// Tells whether an item without an expansion needs the name of a host.
    pub(crate) fn needs_names(&self) -> bool {
        self.0.needs_host_names()
    }
}

fn is_member(membership: Membership) -> Result<bool, Undecided> {
    match membership {
        Membership::Yes => Ok(true),
        Membership::No => Ok(false),
        Membership::NameNeeded => Err(Undecided),
    }
}
