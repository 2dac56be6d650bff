//! The configurations in the documents, as a reader copies them.

use std::fs;
use std::path::Path;

use crate::program::{directory, output_of, text, tool};

/// The blocks of TOML in a document.
fn configurations(document: &str) -> impl Iterator<Item = &str> {
    let blocks = document.split("```toml\n").skip(1);
    blocks.filter_map(|block| block.split_once("```").map(|(toml, _)| toml))
}

#[test]
fn each_configuration_in_the_documents_is_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut count = 0;
    for name in ["README.md", "examples/gateway/README.md", "docs/send.md"] {
        let document = fs::read_to_string(root.join(name)).unwrap();
        for toml in configurations(&document) {
            count += 1;
            let folder = directory(&format!("documented-{count}"));
            fs::write(folder.join("gateway.toml"), toml).unwrap();
            let mut program = tool("gateway");
            program.args(["--config", "gateway.toml", "--check"]).current_dir(&folder);
            let output = output_of(&mut program, b"");
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{name}: {told}\n{toml}");
            assert_eq!(text(&output).trim_end(), "the configuration is valid", "{name}\n{toml}");
        }
    }
    assert!(count >= 3, "{count}");
}
