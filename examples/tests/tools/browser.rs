//! A page in a browser, and what a script reads from it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::program::directory;

/// A browser without a window, which asks nobody for anything.
fn chromium() -> Option<Command> {
    if Command::new("chromium").arg("--version").output().is_err() {
        println!("SKIPPED: there is no chromium (Debian: chromium)");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no chromium");
        return None;
    }
    let mut command = Command::new("chromium");
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
    ]);
    command.args([
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]);
    Some(command)
}

/// The result of a script, the function `read` of a frame, for a page in a window of this width.
pub(crate) fn read_back(page: &Path, script: &str, width: u32) -> Option<Value> {
    let text = fs::read_to_string(page).unwrap();
    // The page lets no script run: one around it reads it, in a frame, since no window is so narrow.
    let quoted = text.replace('&', "&amp;").replace('"', "&quot;");
    let text = format!(
        "<!DOCTYPE html><iframe style=\"width: {width}px; height: 900px; border: 0\" \
         srcdoc=\"{quoted}\"></iframe><script>{script}{READER}</script>"
    );
    let name = page.parent().and_then(Path::file_name)?.display();
    let folder = directory(&format!("{name}-browser-{width}"));
    let file = folder.join("page.html");
    fs::write(&file, text).unwrap();
    let mut command = chromium()?;
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    command.arg("--window-size=1300,1000");
    let output =
        command.arg("--dump-dom").arg(format!("file://{}", file.display())).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(found(&String::from_utf8_lossy(&output.stdout)))
}

/// The result of the script, which is in the page.
fn found(dom: &str) -> Value {
    let found = dom.split_once("<pre id=\"found\" hidden=\"\">").unwrap().1;
    let found = found.split_once("</pre>").unwrap().0;
    let found = found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&found).unwrap()
}

const READER: &str = r#"
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => {
  const result = document.createElement("pre");
  result.id = "found";
  result.hidden = true;
  result.textContent = JSON.stringify(read(frame));
  document.body.append(result);
});
"#;
