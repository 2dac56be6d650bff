//! The summary of several domains.

use std::fmt;

use examples::cases::count::counted;

use crate::inspection::{Inspection, Severity};

/// Counts of domains.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) domains: usize,
    pub(crate) with_problems: usize,
    pub(crate) with_failures: usize,
    pub(crate) with_dane: usize,
    /// Lines that are no domain.
    pub(crate) unread: usize,
}

impl Summary {
    pub(crate) fn of_unread(unread: usize) -> Self {
        Self { unread, ..Self::default() }
    }

    pub(crate) fn add(&mut self, inspection: &Inspection) {
        self.domains += 1;
        let is_problem = |severity| severity == Severity::Problem;
        let has_problem = inspection.defects.iter().any(|defect| is_problem(defect.severity));
        self.with_problems += usize::from(has_problem);
        let has_failure = inspection.lookups.iter().any(|lookup| lookup.failure.is_some());
        self.with_failures += usize::from(has_failure);
        let uses_dane = inspection.mail.hosts.iter().any(|host| host.policy.uses_dane());
        self.with_dane += usize::from(uses_dane);
    }

    /// Tells whether no domain has a problem, no lookup has failed, and each line was read.
    pub(crate) fn is_sound(&self) -> bool {
        self.with_problems == 0 && self.with_failures == 0 && self.unread == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domains, with_problems, with_failures, with_dane, unread } = self;
        write!(
            f,
            "{}: {with_dane} with DANE, {with_problems} with problems, {with_failures} with failed lookups",
            counted(*domains, "domain")
        )?;
        if *unread > 0 {
            write!(f, ", {} not read", counted(*unread, "line"))?;
        }
        writeln!(f)
    }
}
