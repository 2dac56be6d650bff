//! What `--help` says is true.

use crate::gateway::config::Config;

const HELP: &str = include_str!("../help.txt");

#[test]
fn the_configuration_in_the_help_is_sound() {
    let lines = HELP.lines().filter_map(|line| line.strip_prefix("  "));
    let shown = |line: &&str| !line.starts_with(' ') && !line.is_empty();
    let options = lines.filter(shown).take_while(|line| !line.starts_with("verbs "));
    let options: Vec<_> = options.collect();
    assert!(options.len() > 15, "{options:?}");
    // Of an option, what stands behind several blanks describes it.
    let values = options.iter().map(|line| line.split("   ").next().unwrap_or_default());
    let text = values.collect::<Vec<_>>().join("\n");
    Config::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
}

#[test]
fn every_option_of_the_rules_is_named() {
    use crate::gateway::policy::condition::KINDS;
    use crate::gateway::policy::stage::Place;
    for name in KINDS.iter().map(|kind| kind.name).chain(Place::ALL.map(Place::option)) {
        assert!(HELP.contains(name), "{name}");
    }
}
