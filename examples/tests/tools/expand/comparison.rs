//! Texts from a seed: the results of `expand` and of Exim.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::generator::Generator;
use super::objects;
use crate::program::output_of;

/// `EXPAND_CASES` texts, 500 if it is not set, from a seed that is printed and that `EXPAND_SEED`
/// can give.
#[test]
fn generated_texts_are_the_same_in_exim() {
    let (cases, seed) = cases();
    println!("{cases} cases, EXPAND_SEED={seed}");
    if !is_exim_there() {
        return;
    }
    let mut generator = Generator::new(seed);
    let texts: Vec<_> = (0..cases).map(|_| generator.text()).collect();
    let (theirs, ours) = (in_exim(&texts), in_expand(&texts));
    let failures = ours.iter().filter(|ours| ours.is_none()).count();
    let (mut listed, mut differences) = (0, Vec::new());
    for ((text, theirs), ours) in texts.iter().zip(&theirs).zip(&ours) {
        let Some(theirs) = theirs else {
            listed += 1;
            continue;
        };
        if same(theirs, ours.as_deref()) {
            continue;
        }
        match ours {
            Some(ours) if is_unspecified_address(text, theirs, ours) => listed += 1,
            Some(ours) if is_looked_at_where_skipped(text, theirs, ours) => listed += 1,
            _ => differences.push(format!("{text}\n   exim {theirs}\n   ours {ours:?}")),
        }
    }
    println!("{failures} of {cases} fail; {listed} show a difference that is listed");
    assert!(differences.is_empty(), "{} differ\n{}", differences.len(), differences.join("\n"));
}

/// The number of cases, and the seed.
pub(super) fn cases() -> (u64, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("EXPAND_CASES").unwrap_or(500);
    let seed = number("EXPAND_SEED").unwrap_or_else(|| u64::from(std::process::id()) << 16 | cases);
    (cases, seed)
}

/// Exim 4.96 writes the IPv6 address of zeros as `:`.
fn is_unspecified_address(text: &str, theirs: &str, ours: &str) -> bool {
    let shortened = ours.replace("::/", ":/");
    text.contains("${mask_n:") && theirs.contains(":/") && shortened == theirs.replace("::/", ":/")
}

/// Whether a text fails in Exim because that looks at an argument in a part that is skipped. So it is
/// if the items in question are not reached (they do not fail where others stand that always do), and
/// if Exim comes to our outcome once others stand there that it passes over.
fn is_looked_at_where_skipped(text: &str, theirs: &str, ours: &str) -> bool {
    if !theirs.starts_with(FAILED) {
        return false;
    }
    let mut passed = text.to_owned();
    for (item, fails, skips) in LOOKED_AT {
        let mut from = 0;
        while let Some(at) = passed.get(from..).and_then(|rest| rest.find(item)) {
            let (before, behind) = passed.split_at(from + at);
            let behind = behind.strip_prefix(item).unwrap_or_default();
            let probe = [before, fails, behind].concat();
            let is_skipped =
                in_expand(&[probe]).first().is_some_and(|probed| probed.as_deref() == Some(ours));
            from = before.len() + item.len();
            if is_skipped {
                from = before.len() + skips.len();
                passed = [before, skips, behind].concat();
            }
        }
    }
    passed != text
        && in_exim(std::slice::from_ref(&passed))
            .first()
            .cloned()
            .flatten()
            .is_some_and(|theirs| theirs == ours || is_unspecified_address(&passed, &theirs, ours))
}

/// Items with an argument that Exim looks at though it skips them, one for each that fails where it is
/// reached, and one that is passed over.
const LOOKED_AT: &[(&str, &str, &str)] = &[
    ("${sg{", "${readsocket{", "${tr{"),
    ("${substr{", "${readsocket{", "${extract{"),
    ("${hash{", "${readsocket{", "${extract{"),
    ("${imapfolder{", "${readsocket{", "${extract{"),
    ("${length{", "${readsocket{", "${extract{"),
    ("bool{", "exists{", "bool_lax{"),
    ("match{", "={", "eq{"),
];

/// Whether the outcomes are the same: a text, or that there is none.
pub(super) fn same(theirs: &str, ours: Option<&str>) -> bool {
    ours.map_or(theirs.starts_with(FAILED), |ours| ours == theirs)
}

/// What Exim makes of each text; of one that fails, its message; nothing, where its process ends with
/// an error of its own.
pub(super) fn in_exim(texts: &[String]) -> Vec<Option<String>> {
    let mut outcomes = Vec::new();
    while let Some(texts) = texts.get(outcomes.len()..).filter(|texts| !texts.is_empty()) {
        let lines = texts.join(&format!("\n{FORGET}\n{MARK}\n"));
        let lines = format!("{lines}\n{FORGET}\n{MARK}\n");
        let output = output_of(&mut exim(), lines.as_bytes());
        let text = String::from_utf8_lossy(&output.stdout);
        let ends = format!("\n> {FORGOTTEN}\n> {MARK}\n");
        let mut pieces: Vec<_> = text.split(&ends).collect();
        let behind = pieces.pop();
        let whole = pieces.iter().map(|piece| piece.strip_prefix("> ").unwrap_or(piece));
        outcomes.extend(whole.map(|piece| Some(piece.to_owned())));
        if pieces.len() < texts.len() {
            let error = String::from_utf8_lossy(&output.stderr);
            let last = texts.get(pieces.len());
            // The last is one in a list.
            let errors = ["internal error", "SIGSEGV", "regular expression error"];
            let ended = errors.iter().any(|end| error.contains(end));
            assert!(ended, "{last:?}: {behind:?}, {error}");
            outcomes.push(None);
        }
    }
    outcomes
}

/// What `expand` makes of each text, if it makes anything.
pub(super) fn in_expand(texts: &[String]) -> Vec<Option<String>> {
    // A broken text may come to name a variable of Exim's.
    let known = ["--set", "domain=", "--set", "local_part="];
    let ours = objects(&known, (texts.join("\n") + "\n").as_bytes());
    assert_eq!(ours.len(), texts.len());
    ours.iter().map(value).collect()
}

fn value(ours: &Value) -> Option<String> {
    let hex = ours["value_hex"].as_str().map(bytes);
    let value = ours["value"].as_str().map(|value| value.as_bytes().to_vec()).or(hex)?;
    Some(String::from_utf8_lossy(&value).into_owned())
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

const FAILED: &str = "Failed: ";

const MARK: &str = "=====";

/// Leaves `$0` and `$value` empty and no group of addresses open: in Exim a text sees what the last
/// has left of them.
const FORGET: &str = "${if match{${addresses:g:;}}{^}{${extract{a}{a=}{${?}}}}}";
const FORGOTTEN: &str = "Failed: letter or digit expected after ${";

/// Whether Exim is there; if not, the test is skipped, but not in CI.
pub(super) fn is_exim_there() -> bool {
    let unwanted = std::env::var_os("EXIMIA_PEERS").is_some_and(|wanted| wanted == "none");
    if !unwanted && Path::new(EXIM).exists() {
        return true;
    }
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(unwanted || !in_ci, "{EXIM} is not there");
    println!("SKIPPED: without {EXIM}");
    false
}

/// Exim with a small configuration.
pub(super) fn exim() -> Command {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("expand");
    fs::create_dir_all(folder.join("spool")).unwrap();
    let configuration = folder.join("exim.conf");
    let text = format!(
        "primary_hostname = mx.example\nlog_file_path = {0}/%slog\nspool_directory = {0}/spool\n\
         keep_environment =\ntimezone = UTC\n",
        folder.display()
    );
    fs::write(&configuration, text).unwrap();
    let mut exim = Command::new(EXIM);
    exim.arg("-C").arg(configuration).arg("-be");
    exim
}

const EXIM: &str = "/usr/sbin/exim4";
