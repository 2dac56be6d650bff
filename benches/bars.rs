//! The bars of `bars.toml`.

use std::sync::LazyLock;

use toml::Table;

static BARS: LazyLock<Table> =
    LazyLock::new(|| include_str!("bars.toml").parse().unwrap_or_default());

/// Returns the bar of a row, if it has one.
///
/// # Panics
///
/// If `bars.toml` has no such section: it cannot be read, or the name is wrong.
#[must_use]
pub fn bar(section: &str, row: &str) -> Option<f64> {
    let rows = BARS.get(section).and_then(toml::Value::as_table);
    assert!(rows.is_some(), "bars.toml has no section {section}");
    rows?.get(row)?.as_float()
}

#[cfg(test)]
mod tests {
    use super::{BARS, bar};

    #[test]
    fn every_bar_is_a_number() {
        assert!(!BARS.is_empty());
        for (section, rows) in BARS.iter() {
            for (row, value) in rows.as_table().into_iter().flatten() {
                assert!(value.as_float().is_some_and(|bar| bar > 0.0), "{section}: {row}");
            }
        }
        assert_eq!(bar("time", "no such row"), None);
    }
}
