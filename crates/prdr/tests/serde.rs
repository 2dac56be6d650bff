//! Outcomes as they are stored.

#![cfg(feature = "serde")]

use prdr::RecipientOutcome;
use serde_json::json;

#[test]
fn an_outcome_has_its_reply() {
    let reply = |text: &str| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    for (outcome, json) in [
        (RecipientOutcome::Delivered(reply("250 2.1.5 ok")), json!({"delivered": "250 2.1.5 ok"})),
        (RecipientOutcome::Permanent(reply("550 no")), json!({"permanent": "550 no"})),
        (
            RecipientOutcome::Temporary(reply("450-not\r\n450 now")),
            json!({"temporary": "450-not\r\n450 now"}),
        ),
        (RecipientOutcome::InDoubt, json!("in_doubt")),
    ] {
        assert_eq!(serde_json::to_value(&outcome).unwrap(), json);
        assert_eq!(serde_json::from_value::<RecipientOutcome>(json).unwrap(), outcome);
    }
    let refused = serde_json::from_value::<RecipientOutcome>(json!({"delivered": "ok"}));
    let cause = "ok".parse::<mail_types::smtp::Reply>().unwrap_err().to_string();
    assert!(refused.unwrap_err().to_string().starts_with(&cause));
    for (outcome, text) in
        [("delivered", "550 5.1.1 no"), ("permanent", "250 ok"), ("temporary", "550 no")]
    {
        let refused = serde_json::from_value::<RecipientOutcome>(json!({outcome: text}));
        let error = refused.unwrap_err().to_string();
        let expected = format!("the reply {} does not fit the outcome", &text[..3]);
        assert!(error.starts_with(&expected), "{error}");
    }
}
