//! Lists of rules that texts call.

use std::sync::Arc;

use super::scenario::Scenario;
use crate::gateway::config::Config;
use crate::gateway::policy::stage::Stage;

const LISTS: &str = r#"
[[acl.says]]
verb = "accept"
condition = "${if eq{$acl_arg1}{a}}"
message = "accepted $acl_arg2/$acl_arg3/$acl_narg"
[[acl.says]]
verb = "deny"
condition = "${if eq{$acl_arg1}{d}}"
message = "denied"
[[acl.says]]
verb = "defer"
condition = "${if eq{$acl_arg1}{l}}"

[[acl.outer]]
verb = "accept"
message = "<${acl{says}{a}{x}{y}}> $acl_arg1 $acl_narg"

[[acl.count]]
verb = "warn"
set.acl_m_n = "${eval:0$acl_m_n+1}"
logwrite = "now $acl_m_n"
[[acl.count]]
verb = "accept"
message = "counted"

[[acl.round]]
verb = "accept"
message = "$acl_narg${acl{round}{x}}"

[[acl.waits]]
verb = "accept"
condition = "${lookup sqlite{SELECT absent}}"
message = "found"
"#;

/// Expands a text at RCPT, and returns the result and the log; the text calls the lists.
async fn expanded(text: &str) -> (String, Vec<String>) {
    let text = format!(
        "{LISTS}\n[[acl_smtp_rcpt]]\nverb = 'warn'\nset.acl_m_t = ['unchanged', '''{text}''']\n\
         logwrite = \"=$acl_m_t\"\n[[acl_smtp_rcpt]]\nverb = 'warn'\nset.acl_c_x = '${{acl{{$acl_m_none}}}}'"
    );
    let config = Config::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let rules = &config.server.live.rules;
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@b.example");
    scenario.services.named = Arc::clone(rules.named());
    scenario.judge(rules, Stage::Rcpt, 0).await;
    let mut log = scenario.state.take_log();
    let last = log.pop();
    assert_eq!(
        last.as_deref(),
        Some("line 41: set.acl_c_x: expansion failed: byte 0: acl failed: acl : no such list")
    );
    let at = log.iter().position(|line| line.starts_with('=')).unwrap();
    let found = log.remove(at);
    (found[1..].to_owned(), log)
}

/// As the manual of Exim 4.96 says, and its binary for a list without a verdict.
#[tokio::test]
async fn a_text_becomes_the_message_of_the_list() {
    for (text, expected) in [
        ("${acl{says}{a}{x}}", "accepted x//2"),
        ("${acl{says}{d}}.", "denied."),
        // No rule decides: denied, without a message.
        ("[${acl{says}}]", "[]"),
        ("${acl{outer}{z}}", "<accepted x/y/3> z 1"),
        ("${if acl{{says}{a}{x}}{yes $value}{no $value}}", "yes accepted x//2"),
        ("${if acl{{says}{d}}{yes $value}{no $value}}", "no denied"),
        ("${if acl{{says}}{yes}{no $value}}", "no "),
        // A list that defers is a `fail`, which `set` ignores.
        ("${acl{says}{l}}", "unchanged"),
        ("${if acl{{says}{l}}{yes}{no}}", "unchanged"),
        ("${acl{waits}}", "unchanged"),
        ("${acl{${if eq{a}{a}{says}}}{a}{x}}", "accepted x//2"),
        ("$acl_narg$acl_arg1", "0"),
    ] {
        assert_eq!(expanded(text).await.0, expected, "{text}");
    }
}

#[tokio::test]
async fn what_a_list_sets_holds_from_the_call_on() {
    let (text, log) = expanded("$acl_m_n|${acl{count}}|$acl_m_n|${acl{count}}|$acl_m_n").await;
    assert_eq!((&*text, log), ("|counted|1|counted|2", vec!["now 1".into(), "now 2".into()]));
    let (text, log) = expanded("${if def:acl_m_n{$acl_m_n}{${acl{count}}}}").await;
    assert_eq!((&*text, log), ("counted", vec!["now 1".to_owned()]));
}

#[tokio::test]
async fn lists_call_each_other_only_so_deep() {
    let (text, log) = expanded("${acl{round}}").await;
    // The 20th list has no message, since the call of the 21st fails.
    assert_eq!(text, format!("0{}", "1".repeat(18)));
    assert!(log.iter().any(|line| line.contains("lists call each other too deep")), "{log:?}");
}

#[tokio::test]
async fn a_name_from_outside_calls_nothing() {
    let (text, log) = expanded("${acl{${if eq{a}{a}{$local_part}}}}").await;
    assert_eq!(text, "");
    assert!(log[0].contains("untrusted value not allowed here"), "{log:?}");
}

#[test]
fn what_would_do_nothing_or_cannot_work_is_refused() {
    let rcpt = |text: &str| format!("[[acl_smtp_rcpt]]\nverb = 'warn'\nlogwrite = '{text}'\n");
    let says = "[[acl.x]]\nverb = 'accept'\n";
    for (text, message) in [
        (rcpt("${acl{x}}"), "line 3: byte 0: acl: there is no list [[acl.x]]"),
        (
            format!("{says}message = 'a'"),
            "line 1: nothing calls the list x, by ${acl{x}} or by acl = \"x\"",
        ),
        // It calls itself, and nothing else does.
        (
            format!("{says}message = '${{acl{{x}}}}'"),
            "line 1: nothing calls the list x, by ${acl{x}} or by acl = \"x\"",
        ),
        (
            format!("{}[[acl.x]]\nverb = 'quarantine'", rcpt("${acl{x}}")),
            "line 5: the verb quarantine has no effect in a list that is called, which accepts, denies or defers",
        ),
        (
            format!("{}[[acl.x]]\nverb = 'defer'\nmessage = 'a'", rcpt("${acl{x}}")),
            "line 6: message has no effect at acl_smtp_rcpt with the verb defer",
        ),
        (
            format!("{}{says}log_message = 'a'", rcpt("${acl{x}}")),
            "line 6: log_message has no effect at acl_smtp_rcpt with the verb accept",
        ),
        (
            format!("{}[[acl.x]]\nverb = 'warn'", rcpt("${acl{x}}")),
            "line 4: the rule has no effect: warn without a modifier",
        ),
        (
            format!("{}{says}message = '$h_subject:'", rcpt("${acl{x}}")),
            "line 6: byte 0: header fields are not available at acl_smtp_rcpt, but at acl_smtp_data_prdr and acl_smtp_data",
        ),
        (
            format!("host_lookup = '${{acl{{x}}}}'\n{says}"),
            "line 1: host_lookup: byte 0: acl is not available here",
        ),
        ("acl = 'x'".to_owned(), "line 1: rules are tables: [[acl.NAME]] or acl.NAME = [{…}, …]"),
    ] {
        let error = Config::parse(&text).unwrap_err().to_string();
        assert_eq!(error, message, "{text}");
    }
}
