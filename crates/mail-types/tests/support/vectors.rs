//! Test vectors that are not part of the project.

use std::fs;
use std::path::PathBuf;

/// Reads a file in the folder of `EXIMIA_VECTORS`. Without the file the test is skipped, but not in CI.
pub(crate) fn shared(file: &str) -> Option<String> {
    let default = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors"));
    let folder = std::env::var_os("EXIMIA_VECTORS").map_or_else(default, PathBuf::from);
    let path = folder.join(file);
    match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if std::env::var_os("CI").is_some_and(|value| value == "true") => {
            panic!("{}: {error}", path.display())
        }
        Err(error) => {
            println!("SKIPPED: {}: {error}", path.display());
            None
        }
    }
}
