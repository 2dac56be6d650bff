//! Three parties of one path.

use crate::authority::Party;

/// Makes a root, an authority below it, and a server of this name.
pub(crate) fn three(name: &str) -> [Party; 3] {
    let root = Party::root("Root", |_| {});
    let below = root.authority("Below", |_| {});
    let leaf = below.server(&[name], |_| {});
    [root, below, leaf]
}
