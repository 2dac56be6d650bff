//! A chart of the messages of each day.

use std::fmt::Write as _;

use crate::case::day_text;
use crate::merge::{Day, Totals};
use examples::cases::count::counted;

/// The most bars; a longer time has several days in each.
const BARS: u32 = 120;
/// The size of the chart, before it is stretched.
const WIDTH: u32 = 1200;
const HEIGHT: u64 = 100;

/// Writes the chart, if there are messages.
pub(super) fn write(page: &mut String, days: &[Day]) {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
    let span = last.number - first.number;
    let per_bar = span / BARS + 1;
    let count = span / per_bar + 1;
    let mut bars = vec![Totals::default(); usize::try_from(count).unwrap_or(0)];
    for day in days {
        let at = usize::try_from((day.number - first.number) / per_bar).unwrap_or(0);
        if let Some(bar) = bars.get_mut(at) {
            bar.messages = bar.messages.saturating_add(day.totals.messages);
            bar.passed = bar.passed.saturating_add(day.totals.passed);
            bar.failed = bar.messages.saturating_sub(bar.passed);
        }
    }
    let Some(most) = bars.iter().map(|bar| bar.messages).max().filter(|most| *most > 0) else {
        return;
    };
    let height = |sum: u64| {
        let height = u128::from(sum) * u128::from(HEIGHT) * 10 / u128::from(most);
        u64::try_from(height).unwrap_or(HEIGHT * 10)
    };
    let _ = writeln!(
        page,
        "<svg viewBox=\"0 0 {WIDTH} {}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"messages by day\">",
        HEIGHT * 10
    );
    let step = WIDTH / count;
    for (at, bar) in (0_u32..).zip(&bars) {
        let (fail, pass) = (height(bar.failed), height(bar.passed));
        let (x, width) = (at * step, (step - step / 8).min(120));
        let top = HEIGHT * 10 - fail;
        let day = day_text(first.number.saturating_add(at * per_bar));
        let _ = writeln!(
            page,
            "<g><title>{day}: {} passed, {} failed</title>\
             <rect class=\"bar-fail\" x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{fail}\"/>\
             <rect class=\"bar-pass\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{pass}\"/></g>",
            bar.passed,
            bar.failed,
            top.saturating_sub(pass)
        );
    }
    let each = if per_bar == 1 { "a day".to_owned() } else { format!("{per_bar} days") };
    let _ = writeln!(
        page,
        "</svg>\n<p class=\"scale\"><span>{}</span><span>at most {} in {each}</span>\
         <span>{}</span></p>",
        first.text,
        counted(most, "message"),
        last.text
    );
}
