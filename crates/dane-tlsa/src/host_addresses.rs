//! The addresses of a host in both families: RFC 7672 section 2.2.2.

use std::net::IpAddr;

use mail_types::dns::{Answer, DnssecStatus, Name, RecordType, Records};

use crate::host_policy::Skip;

/// The addresses of a host.
pub(crate) struct HostAddresses {
    pub(crate) all: Vec<IpAddr>,
    /// The end of the aliases, if one of the families has addresses in a secure answer.
    pub(crate) secure: Option<Name>,
    pub(crate) has_alias: bool,
    /// The reason for having no address.
    pub(crate) without: Option<Skip>,
}

impl HostAddresses {
    pub(crate) fn of(name: &Name, answers: &[(RecordType, &Answer)]) -> Self {
        let (mut all, mut secure, mut has_alias, mut failed) = (Vec::new(), None, false, None);
        for (kind, answer) in answers {
            match answer {
                Answer::Records { records, canonical, security, .. } => {
                    match records {
                        Records::A(found) => all.extend(found.iter().copied().map(IpAddr::V4)),
                        Records::Aaaa(found) => all.extend(found.iter().copied().map(IpAddr::V6)),
                        _ => continue,
                    }
                    has_alias |= canonical != name;
                    if *security == DnssecStatus::Secure {
                        secure = Some(canonical.clone());
                    }
                }
                Answer::Failed(failure) => {
                    failed =
                        Some(Skip::Lookup { name: name.clone(), kind: *kind, failure: *failure });
                }
                Answer::Absent { .. } => {}
            }
        }
        let without = all.is_empty().then(|| failed.unwrap_or(Skip::NoAddress));
        Self { all, secure, has_alias, without }
    }
}
