//! Certificates whose files are named by what a client asks TLS for.

use std::fs;
use std::sync::Arc;

use super::scenario::Scenario;
use super::scratch::Scratch;
use crate::gateway::config::Config;
use crate::gateway::policy::stage::Stage;
use crate::gateway::server::tls::Tls;
use crate::gateway::smtp::peer::TlsClient;

/// Asks for a name; returns why there is no certificate for it, or nothing.
async fn refusal(tls: &Arc<Tls>, name: &str) -> String {
    let mut scenario = Scenario::new();
    let sni = Some(name.to_owned());
    scenario.client.tls = Some(TlsClient { sni, ..TlsClient::default() });
    let served = tls.served(&mut scenario.context(Stage::Tls, 0)).await;
    served.err().map(|error| error.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn of_more_than_a_thousand_the_one_goes_that_was_not_asked_for_the_longest() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    let made = rcgen::generate_simple_self_signed(["mx.example".to_owned()]).unwrap();
    let file = |number: usize| folder.join(format!("n{number}.pem"));
    fs::write(file(0), made.cert.pem() + &made.signing_key.serialize_pem()).unwrap();
    for number in 1..=1000 {
        fs::hard_link(file(0), file(number)).unwrap();
    }
    let text = format!("tls_certificate = '{}/$tls_sni.pem'", folder.display());
    let settings = Config::parse(&text).unwrap().server.live.tls;
    let tls = Arc::new(Tls::new(settings, folder, "mx.example", &Arc::default()).unwrap());
    for number in 0..1000 {
        assert_eq!(refusal(&tls, &format!("n{number}")).await, "");
    }
    // All are known; this one is asked for again, and so another is the oldest.
    assert_eq!(refusal(&tls, "n0").await, "");
    assert_eq!(refusal(&tls, "n1000").await, "");
    for number in [0, 1, 2, 1000] {
        fs::remove_file(file(number)).unwrap();
    }
    // What was read before stays where it is known; what went has to be read again.
    for name in ["n0", "n2", "n1000"] {
        assert_eq!(refusal(&tls, name).await, "", "{name}");
    }
    let refusal = refusal(&tls, "n1").await;
    assert!(refusal.starts_with("cannot read PEM from "), "{refusal}");
}
