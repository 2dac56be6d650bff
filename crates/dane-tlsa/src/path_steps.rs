//! The steps from certificates to their issuers, of which a hostile server may make very many: nine authorities of
//! one name, each issued by that name, have 79,209 in paths of six.

use rustls_pki_types::CertificateDer;

use crate::certificate::Certificate;

/// Tells whether the names alone allow more steps than are tried. webpki's own limit, 200,000, is half a second.
pub(crate) fn are_too_many(leaf: &Certificate<'_>, others: &[CertificateDer<'_>]) -> bool {
    count(leaf, others).is_none()
}

/// Tells whether a number of searches together are short enough to be made for the reasons alone.
pub(crate) fn are_few(
    leaf: &Certificate<'_>,
    others: &[CertificateDer<'_>],
    searches: usize,
) -> bool {
    count(leaf, others).is_some_and(|steps| (steps + 1) * searches <= MAX_STEPS_OF_REASONS)
}

fn count(leaf: &Certificate<'_>, others: &[CertificateDer<'_>]) -> Option<usize> {
    let others: Vec<_> = others.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    let mut steps = Steps { others: &others, path: Vec::new(), left: MAX_STEPS };
    steps.walk(leaf.issuer())?;
    Some(MAX_STEPS - steps.left)
}

struct Steps<'a> {
    others: &'a [Certificate<'a>],
    /// The authorities of the path.
    path: Vec<&'a Certificate<'a>>,
    left: usize,
}

impl Steps<'_> {
    /// Takes each step to this issuer, and those from there; `None` if they are too many.
    fn walk(&mut self, issuer: &[u8]) -> Option<()> {
        if self.path.len() == MAX_DEPTH {
            return Some(());
        }
        for next in self.others.iter().filter(|other| other.subject().contents == issuer) {
            // A path has no key of a name twice.
            let is_next =
                |it: &&Certificate<'_>| it.key() == next.key() && it.subject().contents == issuer;
            if self.path.iter().any(is_next) {
                continue;
            }
            self.left = self.left.checked_sub(1)?;
            self.path.push(next);
            self.walk(next.issuer())?;
            self.path.pop();
        }
        Some(())
    }
}

/// The most steps: those of five authorities of one name are 325, and honest servers send no such.
const MAX_STEPS: usize = 1000;
/// The most steps that a failed check takes again to give each record its own reason. Four anchors of paths with
/// five steps are 24.
const MAX_STEPS_OF_REASONS: usize = 50;
/// The most authorities of a path, as webpki has it.
const MAX_DEPTH: usize = 6;
