//! A temporary directory for a test.

use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs};

use crate::gateway::message::id::MessageId;

/// An empty directory, removed at the end.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let name = format!("gateway-test-{}", MessageId::next(SystemTime::now()));
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
