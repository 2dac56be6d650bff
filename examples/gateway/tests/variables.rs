//! Variables of rules with untrusted values.

use mail_types::exim::Trust;

use super::scenario::{Scenario, rules};
use crate::gateway::policy::built_in::{BUILT_IN, UNTRUSTED};
use crate::gateway::policy::stage::Stage;
use crate::gateway::smtp::peer::{StapleState, TlsClient};

/// What is refused in a query at load, since its value comes from outside, has such a value.
#[tokio::test]
async fn variables_that_are_known_to_be_untrusted_are() {
    for name in UNTRUSTED {
        let text = format!("[[acl_smtp_data_prdr]]\nverb = 'warn'\nset.acl_m_x = '${name}'");
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
        scenario.judge(&rules(&text), Stage::Prdr, 0).await;
        let value = scenario.state.variable("acl_m_x").unwrap();
        assert!(value.as_bytes().is_empty() || value.trust() == Trust::Untrusted, "{name}");
    }
}

/// And no other variable of a connection or a message has one.
#[tokio::test]
async fn variables_whose_values_come_from_outside_are_known_to_be_untrusted() {
    let mut compared = 0;
    for (name, stages, _) in BUILT_IN.iter().filter(|(_, stages, _)| stages.contains(&Stage::Rcpt))
    {
        let text = format!("[[acl_smtp_rcpt]]\nverb = 'warn'\nset.acl_m_x = '${name}'");
        let mut scenario = Scenario::new().with_mail("<ann@a.example>", "bob@mx.example");
        scenario.client.tls = Some(TlsClient {
            sni: Some("mx.example".into()),
            staple: StapleState::Sent,
            ..TlsClient::default()
        });
        scenario.judge(&rules(&text), Stage::Rcpt, 0).await;
        let value = scenario.state.variable("acl_m_x").unwrap();
        if !value.as_bytes().is_empty() {
            let is_known = UNTRUSTED.contains(name);
            assert_eq!(value.trust() == Trust::Untrusted, is_known, "{name} {stages:?}");
            compared += 1;
        }
    }
    assert!(compared >= 16, "{compared} variables");
}
