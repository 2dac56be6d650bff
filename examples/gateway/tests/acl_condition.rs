//! The condition `acl`: lists of rules that rules call.

use std::sync::Arc;

use super::scenario::Scenario;
use crate::gateway::config::Config;
use crate::gateway::policy::stage::Stage;

const LISTS: &str = r#"
[[acl.says]]
verb = "accept"
condition = "${if eq{$acl_arg1}{a}}"
message = "accepted $acl_arg2/$acl_arg3/$acl_narg"
log_message = "logged accept"
[[acl.says]]
verb = "deny"
condition = "${if eq{$acl_arg1}{d}}"
message = "denied by says"
log_message = "logged deny"
[[acl.says]]
verb = "defer"
condition = "${if eq{$acl_arg1}{l}}"
message = "later by says"
[[acl.says]]
verb = "deny"
condition = "${if eq{$acl_arg1}{c}}"
message = "553 5.7.9 coded"

[[acl.nothing]]
verb = "warn"
logwrite = "in nothing"

[[acl.outer]]
verb = "deny"
acl = "says a of_outer"

[[acl.round]]
verb = "accept"
acl = "round x"
"#;

/// Asks these rules at RCPT; returns the refusal, why it is logged, and the other lines of the log.
async fn asked(rules: &str) -> (String, String, Vec<String>) {
    let used = "says nothing outer round".split(' ');
    let used = used.map(|name| format!("[[acl_smtp_mail]]\nverb = 'warn'\nacl = '{name}'\n"));
    let text = format!("{LISTS}\n{}{rules}", used.collect::<String>());
    let config = Config::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let rules = &config.server.live.rules;
    let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@b.example");
    scenario.services.named = Arc::clone(rules.named());
    let decision = scenario.judge(rules, Stage::Rcpt, 0).await;
    let refusal = decision.refusal.map(|reply| reply.to_string()).unwrap_or_default();
    (refusal, decision.log_message.unwrap_or_default(), scenario.state.take_log())
}

/// A rule, the reply, what is logged as its cause, and the other lines of the log: as of Exim 4.96 with the same
/// lists, but that Exim sends no enhanced codes of its own.
const AS_EXIM: [(&str, &str, &str, &str); 13] = [
    ("verb = 'deny'\nacl = 'says a x y'", "550 5.7.1 accepted x/y/3", "logged accept", ""),
    ("verb = 'deny'\n'!acl' = 'says d'", "550 5.7.1 denied by says", "logged deny", ""),
    (
        "verb = 'deny'\nacl = 'says a x y'\nmessage = 'outer text'\nlog_message = 'outer log'",
        "550 5.7.1 outer text",
        "outer log: logged accept",
        "",
    ),
    ("verb = 'deny'\nacl = 'says l'", "451 4.7.0 later by says", "", ""),
    // A `warn` goes on with the next rule.
    ("verb = 'warn'\nacl = 'says l'\nlogwrite = 'not reached'", "", "", ""),
    ("verb = 'deny'\nacl = 'says d'", "", "", ""),
    // No rule of the list decides, so that it denies.
    (
        "verb = 'deny'\n'!acl' = 'nothing'\nmessage = 'after nothing'",
        "550 5.7.1 after nothing",
        "",
        "in nothing",
    ),
    ("verb = 'deny'\n'!acl' = 'says c'", "553 5.7.9 coded", "", ""),
    ("verb = 'accept'\nacl = 'says a m'", "", "logged accept", ""),
    ("verb = 'warn'\nacl = 'says a m'", "", "", "Warning: logged accept"),
    (
        "verb = 'deny'\nmessage = '$acl_narg <$acl_arg1>'\nacl = 'says a m'",
        "550 5.7.1 0 <>",
        "logged accept",
        "",
    ),
    // What the inner list says is said by the outer one.
    ("verb = 'deny'\n'!acl' = 'outer'", "550 5.7.1 accepted of_outer//2", "logged accept", ""),
    // The last list counts.
    (
        "verb = 'deny'\nacl = 'says a m'\n'!acl' = 'nothing'",
        "550 5.7.1 not permitted",
        "",
        "in nothing",
    ),
];

#[tokio::test]
async fn a_list_decides_and_says_why_as_in_exim() {
    for (rule, reply, logged, other) in AS_EXIM {
        let (found, log_message, lines) = asked(&format!("[[acl_smtp_rcpt]]\n{rule}\n")).await;
        assert_eq!((&*found, &*log_message, &*lines.join("|")), (reply, logged, other), "{rule}");
    }
}

/// Exim splits an argument at the blanks of its expansions, and then fails.
#[tokio::test]
async fn the_name_and_the_arguments_are_expanded() {
    for (list, reply) in [
        ("says a ${if eq{a}{a}{p q}}", "550 5.7.1 accepted p q//2"),
        ("${if eq{a}{a}{says}}  a", "550 5.7.1 accepted //1"),
        ("says a $local_part\n$domain", "550 5.7.1 accepted bob/b.example/3"),
    ] {
        let rule = format!("[[acl_smtp_rcpt]]\nverb = 'deny'\nacl = '''{list}'''\n");
        assert_eq!(asked(&rule).await.0, reply, "{list}");
    }
}

#[tokio::test]
async fn what_a_list_says_is_for_one_rule_only() {
    let rules =
        "[[acl_smtp_rcpt]]\nverb = 'accept'\nacl = 'says d'\n[[acl_smtp_rcpt]]\nverb = 'deny'\n";
    assert_eq!(asked(rules).await.0, "550 5.7.1 not permitted");
    // A text of the rule that calls a list, too, does not change it.
    let rules = "[[acl_smtp_rcpt]]\nverb = 'deny'\n'!acl' = 'says d'\n\
                 condition = '${if acl{{says}{a}}{yes}{no}}'\n";
    let (refusal, _, log) = asked(rules).await;
    assert_eq!(refusal, "550 5.7.1 denied by says", "{log:?}");
}

#[tokio::test]
async fn a_list_that_cannot_be_run_defers() {
    let later = "451 4.7.0 temporary failure evaluating policy, try again later";
    for (list, logged) in [
        (
            "${if eq{a}{a}{$local_part}}",
            "line 47: acl: the name of a list is an untrusted value: bob",
        ),
        ("${if eq{a}{a}{absent}}", "line 47: acl: absent: no such list"),
        ("round", "line 31: acl: round: lists call each other too deep"),
        ("says ${if eq{a}{b}{c}fail}", ""),
    ] {
        let rule = format!("[[acl_smtp_rcpt]]\nverb = 'deny'\nacl = '{list}'\n");
        let (refusal, _, log) = asked(&rule).await;
        assert_eq!(refusal, later, "{list}");
        assert_eq!(log.concat(), logged, "{list}");
    }
}

#[test]
fn what_cannot_work_is_refused() {
    let rcpt = |condition: &str| format!("[[acl_smtp_rcpt]]\nverb = 'deny'\n{condition}\n");
    let list = |rule: &str| format!("{}[[acl.x]]\n{rule}", rcpt("acl = 'x'"));
    for (text, message) in [
        (rcpt("acl = 'x'"), "line 3: byte 0: acl: there is no list [[acl.x]]"),
        (rcpt("acl = ' '"), "line 3: the name of a list expected, as in acl = \"NAME\""),
        (rcpt("acl = '${if'"), "line 3: byte 4: "),
        (
            format!("{}[[acl.x]]\nverb = 'accept'", rcpt("acl = 'x 1 2 3 4 5 6 7 8 9 10'")),
            "line 3: a list has at most nine arguments",
        ),
        (
            list("verb = 'quarantine'"),
            "line 5: the verb quarantine has no effect in a list that is called",
        ),
        (list("verb = 'warn'\nmessage = 'a'"), "line 6: message has no effect at acl_smtp_rcpt"),
        (
            list("verb = 'deny'\nprofiles = 'a'").replace("acl_smtp_rcpt", "acl_smtp_mail"),
            "line 6: the condition profiles has nothing to test at acl_smtp_mail; it is known at \
             acl_smtp_rcpt, acl_smtp_data_prdr and acl_smtp_data",
        ),
        (
            list("verb = 'deny'\nmessage = 'ä'").replace("acl_smtp_rcpt", "acl_smtp_connect"),
            "line 6: message: only ASCII is allowed before MAIL",
        ),
    ] {
        let error = Config::parse(&text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text}: {error}");
    }
    // The message of a `defer` is nothing for a text, and a reply for a rule.
    let by_text = "[[acl_smtp_rcpt]]\nverb = 'warn'\nlogwrite = '${acl{x}}'\n";
    let text = format!("{by_text}{}", list("verb = 'defer'\nmessage = 'a'\nlog_message = 'b'"));
    Config::parse(&text).unwrap();
    let text = format!("{by_text}[[acl.x]]\nverb = 'defer'\nmessage = 'a'");
    assert!(Config::parse(&text).unwrap_err().to_string().starts_with("line 6: message has no"));
}
