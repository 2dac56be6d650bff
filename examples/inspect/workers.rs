//! Inspects several domains at a time.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use mail_types::smtp::Domain;

use crate::inspection::Inspection;
use crate::inspector::Inspector;

/// Gives each domain to the next free inspector, and the results to `take` in the order of the domains, until that
/// returns false.
pub(crate) fn run(
    inspectors: Vec<Inspector>,
    domains: &[Domain],
    mut take: impl FnMut(Inspection) -> bool,
) -> Result<(), Box<dyn Error>> {
    let next = AtomicUsize::new(0);
    let (done, results) = sync_channel(inspectors.len());
    thread::scope(|scope| {
        for mut inspector in inspectors {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(domain) = domains.get(at) else { return };
                    let inspection = inspector.inspect(domain).map_err(|error| error.to_string());
                    if done.send((at, inspection)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let (mut waiting, mut due) = (BTreeMap::new(), 0);
        for (at, inspection) in results {
            waiting.insert(at, inspection);
            while let Some(inspection) = waiting.remove(&due) {
                due += 1;
                // The threads end where nobody takes their results.
                if !take(inspection?) {
                    return Ok(());
                }
            }
        }
        Ok(())
    })
}
