//! The choices of a sender: RFC 7672 sections 2.2.1 and 6, RFC 8461 section 5.

use mail_types::exim::HostSet;

use crate::limits::Limits;

/// The choices of a sender.
///
/// ```
/// use dane_tlsa::mail_types::exim::{HostSet, List};
/// use dane_tlsa::{InsecureMx, Limits, MtaSts, PolicyOptions};
///
/// let options = PolicyOptions::default()
///     .with_hosts_try_dane(HostSet::new(List::new("!*.broken.example : *"))?)
///     .with_hosts_require_dane(HostSet::new(List::new("*.partner.example"))?)
///     .with_insecure_mx(InsecureMx::Dane)
///     .with_required(false)
///     .with_mta_sts(MtaSts::Enforce)
///     .with_limits(Limits::default());
/// assert_eq!((options.required, options.mta_sts), (false, MtaSts::Enforce));
/// # Ok::<(), dane_tlsa::mail_types::exim::HostSetError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct PolicyOptions {
    /// The hosts whose TLSA records are looked up, by name or address: Exim's `hosts_try_dane` (default
    /// all). Those of [`hosts_require_dane`](Self::hosts_require_dane) are among them.
    pub hosts_try_dane: HostSet,
    /// The hosts that get mail only if DANE authenticates them: Exim's `hosts_require_dane` (default
    /// none).
    pub hosts_require_dane: HostSet,
    /// Whether this next hop gets mail only over hosts that DANE authenticates, chosen by a secure
    /// answer: mandatory DANE (RFC 7672 section 6), for a program that decides by domain.
    pub required: bool,
    /// The treatment of hosts from MX records without DNSSEC.
    pub insecure_mx: InsecureMx,
    /// The MTA-STS policy of the next hop, if the program has it.
    pub mta_sts: MtaSts,
    /// Limits.
    pub limits: Limits,
}

impl Default for PolicyOptions {
    fn default() -> Self {
        Self {
            hosts_try_dane: HostSet::everybody(),
            hosts_require_dane: HostSet::default(),
            required: false,
            insecure_mx: InsecureMx::default(),
            mta_sts: MtaSts::default(),
            limits: Limits::default(),
        }
    }
}

impl PolicyOptions {
    /// Sets [`Self::hosts_try_dane`].
    #[must_use]
    pub fn with_hosts_try_dane(self, hosts_try_dane: HostSet) -> Self {
        Self { hosts_try_dane, ..self }
    }

    /// Sets [`Self::hosts_require_dane`].
    #[must_use]
    pub fn with_hosts_require_dane(self, hosts_require_dane: HostSet) -> Self {
        Self { hosts_require_dane, ..self }
    }

    /// Sets [`Self::required`].
    #[must_use]
    pub fn with_required(self, required: bool) -> Self {
        Self { required, ..self }
    }

    /// Sets [`Self::insecure_mx`].
    #[must_use]
    pub fn with_insecure_mx(self, insecure_mx: InsecureMx) -> Self {
        Self { insecure_mx, ..self }
    }

    /// Sets [`Self::mta_sts`].
    #[must_use]
    pub fn with_mta_sts(self, mta_sts: MtaSts) -> Self {
        Self { mta_sts, ..self }
    }

    /// Sets [`Self::limits`].
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

/// The treatment of hosts from MX records without DNSSEC (RFC 7672 section 2.2.1): an attacker may
/// have named them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum InsecureMx {
    /// Their TLSA records are not looked up.
    #[default]
    Off,
    /// Their TLSA records are looked up and used: that protects against eavesdroppers. The host
    /// is authenticated then, but not as a host of the next hop.
    Dane,
}

/// The MTA-STS policy of the next hop (RFC 8461 section 5). DANE goes before it: it decides only where no
/// TLSA record can be used.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum MtaSts {
    /// No policy, or the program does not look for one.
    #[default]
    None,
    /// The policy's mode is `testing`: it changes nothing but reports.
    Testing,
    /// The policy's mode is `enforce`.
    Enforce,
}
