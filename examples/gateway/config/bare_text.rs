//! A text without quotes, for which TOML has words of its own.

use super::ConfigError;
use super::manual::ManualOption;

/// Words an error of TOML anew if it is about a text without quotes, as in `dns_resolver = 192.0.2.1:53`.
pub(super) fn reword(text: &str, error: ConfigError) -> ConfigError {
    match found(text, &error) {
        Some((line, option, problem)) => {
            let source = Box::new(ConfigError::Value { option, problem });
            ConfigError::At { line, source }
        }
        None => error,
    }
}

/// Returns the line, the option, and its fault.
fn found(text: &str, error: &ConfigError) -> Option<(usize, String, String)> {
    let ConfigError::Toml(error) = error else { return None };
    let at = error.span()?.start;
    let before = text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let (name, value) = text.get(start..)?.lines().next()?.split_once('=')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let (key, value) = (name.trim(), value.split(" #").next()?.trim());
    let is_number = value.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '_' | '.'));
    let is_bare = !value.starts_with(['"', '\'', '[', '{']);
    let is_address = value.matches('.').count() == 3;
    let is_here = at > start + name.len() && key.chars().all(is_name) && !key.is_empty();
    if is_here && let Some(word) = bool_of(key, value) {
        let problem = format!("found {value}; write {key} = {word}");
        return Some((before.split('\n').count(), key.to_owned(), problem));
    }
    (is_here && is_bare && !value.contains(['"', '\'', '\\']) && (is_address || !is_number)).then(
        || {
            let problem = format!(
                "found {value} without quotes; a text stands in quotes, as {key} = \"{value}\""
            );
            (before.split('\n').count(), key.to_owned(), problem)
        },
    )
}

/// The word of TOML for a word of Exim, if the option has `true` or `false`.
fn bool_of(option: &str, value: &str) -> Option<&'static str> {
    let is_bool = |known: &ManualOption| {
        known.kind == "bool"
            && (known.name == option || known.name.ends_with(&format!(".{option}")))
    };
    if !ManualOption::all().any(|known| is_bool(&known)) {
        return None;
    }
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" => Some("true"),
        "no" | "false" | "off" => Some("false"),
        _ => None,
    }
}
