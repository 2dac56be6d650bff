//! The level of the journal, for metrics: its threads write it, and anybody reads it without a wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::segment::Segment;

/// The level; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Level(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    segments: AtomicU64,
    octets: AtomicU64,
    undelivered: AtomicU64,
}

impl Level {
    /// The level of a journal with these files, whose messages are all delivered.
    pub(crate) fn of(segments: &[Segment]) -> Self {
        let level = Self::default();
        for segment in segments {
            level.add_segment(segment.length());
        }
        level
    }

    /// The journal has another file of this length.
    pub(crate) fn add_segment(&self, octets: u64) {
        self.0.segments.fetch_add(1, Ordering::Relaxed);
        self.grow(octets);
    }

    /// A file of this length is no longer used.
    pub(crate) fn remove_segment(&self, octets: u64) {
        self.0.segments.fetch_sub(1, Ordering::Relaxed);
        self.0.octets.fetch_sub(octets, Ordering::Relaxed);
    }

    /// A file has become longer.
    pub(crate) fn grow(&self, octets: u64) {
        self.0.octets.fetch_add(octets, Ordering::Relaxed);
    }

    /// These messages are durable.
    pub(crate) fn kept(&self, messages: u64) {
        self.0.undelivered.fetch_add(messages, Ordering::Relaxed);
    }

    /// A message is in the Maildir.
    pub(crate) fn delivered(&self) {
        self.0.undelivered.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns the files, their octets, and the messages that are not in the Maildir.
    pub(crate) fn read(&self) -> [u64; 3] {
        let Numbers { segments, octets, undelivered } = &*self.0;
        [segments, octets, undelivered].map(|number| number.load(Ordering::Relaxed))
    }
}
