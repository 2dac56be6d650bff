//! The manual: the rows of its tables are the options, and a part of it is the text of `--help`.

use std::fmt::Write as _;

use crate::gateway::events::settings::TRANSPORTS;

/// The manual, as text.
const MANUAL: &str = include_str!("../README.md");

/// Returns the rows of the tables whose first column has this head, each as its cells.
pub(crate) fn rows(column: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let head = format!("| {column} |");
    let mut is_inside = false;
    MANUAL.lines().filter_map(move |line| {
        is_inside = line.starts_with(&head) || (is_inside && line.starts_with('|'));
        let row = line.strip_prefix("| ").filter(|_| is_inside && !line.starts_with(&head))?;
        Some(row.strip_suffix(" |")?.split(" | ").map(str::trim).collect())
    })
}

/// Returns the text of `--help` behind the arguments.
#[must_use]
pub fn help() -> &'static str {
    let rest_behind =
        |text: &'static str, words| text.split_once(words).map_or("", |(_, rest)| rest);
    let block = rest_behind(rest_behind(MANUAL, "\n## The help\n"), "```text\n");
    block.split_once("```").map_or("", |(text, _)| text)
}

/// An option, as the manual has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ManualOption {
    /// `TABLE.NAME` for one in a table.
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    /// A value in backticks, or words.
    default: &'static str,
    meaning: &'static str,
}

impl ManualOption {
    /// Returns all options in their order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        rows("option").filter_map(|cells| {
            let [name, kind, default, meaning, _source] = cells.try_into().ok()?;
            Some(Self { name: name.trim_matches('`'), kind, default, meaning })
        })
    }

    /// Tells whether there is an option with this name, `TABLE.NAME` for one in a table. Tables and lists of rules do not count.
    pub(crate) fn exists(name: &str) -> bool {
        Self::all().any(|option| option.name == name && !matches!(option.kind, "table" | "rules"))
    }

    /// Returns the default, if it is a value that can be written.
    pub(crate) fn value(&self) -> Option<&'static str> {
        let value = self.default.strip_prefix('`')?.strip_suffix('`')?;
        (!value.contains('`')).then_some(value)
    }

    /// Writes the option with its default, or as a comment if that is no value.
    fn write(&self, name: &str, text: &mut String) {
        let meaning =
            self.meaning.replace('`', "").replace("[below](#deliveries-to-other-hosts)", "below");
        let _ = writeln!(text, "# {meaning}");
        let _ = match self.value() {
            Some(value) => writeln!(text, "{name} = {value}\n"),
            None => writeln!(text, "# {name} = default: {}\n", self.default.replace('`', "")),
        };
    }
}

/// Writes a configuration with each option, its default, and a line that describes it.
#[must_use]
pub fn print_config() -> String {
    let mut text =
        "# Each option with its default; the manual describes them in full.\n\n".to_owned();
    let (mut tables, mut transports) = (String::new(), [const { String::new() }; 2]);
    for option in ManualOption::all() {
        let is_transport = TRANSPORTS.contains(&option.name);
        match (option.kind, option.name.split_once('.')) {
            ("table", _) if is_transport => {}
            ("table", _) => {
                let _ = writeln!(
                    tables,
                    "# {}\n# [{}]\n",
                    option.meaning.replace('`', ""),
                    option.name
                );
            }
            ("rules", _) => {
                let _ = writeln!(
                    tables,
                    "# {}\n# [[{}]]\n",
                    option.meaning.replace('`', ""),
                    option.name
                );
            }
            (_, Some((table, name))) => {
                for (transport, text) in TRANSPORTS.iter().zip(&mut transports) {
                    if *transport == table {
                        option.write(name, text);
                    }
                }
            }
            (_, None) => option.write(option.name, &mut text),
        }
    }
    for (transport, options) in TRANSPORTS.iter().zip(transports) {
        let _ = write!(text, "[{transport}]\n\n{options}");
    }
    text + &tables
}
