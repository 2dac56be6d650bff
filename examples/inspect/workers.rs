//! Inspects several domains at a time.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
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
    // The domains that are handed out and not taken: a slow one would have the results of all others kept.
    let (free, slots) = sync_channel(AHEAD);
    (0..AHEAD).try_for_each(|_| free.try_send(()))?;
    let slots = Mutex::new(slots);
    thread::scope(|scope| {
        // It ends with this closure, so that no thread waits for a slot then.
        let free = free;
        for mut inspector in inspectors {
            let (done, next, slots) = (done.clone(), &next, &slots);
            scope.spawn(move || {
                loop {
                    let slot = slots.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    if slot.is_err() {
                        return;
                    }
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
                // There is room: its slot was taken.
                let _ = free.try_send(());
                // The threads end where nobody takes their results.
                if !take(inspection?) {
                    return Ok(());
                }
            }
        }
        Ok(())
    })
}

/// The most domains that are handed out before the result of the first of them is taken.
const AHEAD: usize = 1000;
