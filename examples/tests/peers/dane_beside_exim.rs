//! Exim's client and `send` side by side: the same domains, servers and authorities.

use super::block::Block;
use super::dane_lab::{Lab, found_in};
use super::dane_table::domains;
use super::delivery_line::outcome;
use super::servers::have;

/// A domain with two outcomes.
struct Difference {
    domain: &'static str,
    exim: &'static str,
    send: &'static str,
    reason: &'static str,
}

const DIFFERENCES: [Difference; 5] = [
    Difference {
        domain: "d200-root-unsent.secure.test",
        exim: "deferred",
        send: "dane",
        reason: "RFC 7671 section 5.2.2: a certificate in the DNS need not be sent; Exim with GnuTLS wants it in the chain",
    },
    Difference {
        domain: "d210-root-unsent.secure.test",
        exim: "deferred",
        send: "dane",
        reason: "RFC 7671 section 5.2.3: a key in the DNS needs no certificate; Exim with GnuTLS wants one in the chain",
    },
    Difference {
        domain: "d211-name.secure.test",
        exim: "yes",
        send: "deferred",
        reason: "RFC 7672 section 3.2.2: under DANE-TA the name must match; Exim goes on by its authorities",
    },
    Difference {
        domain: "agile.secure.test",
        exim: "dane",
        send: "deferred",
        reason: "RFC 7671 section 9: only the strongest digest counts; Exim takes any",
    },
    Difference {
        domain: "host-alias-only.secure.test",
        exim: "yes",
        send: "dane",
        reason: "RFC 7672 section 2.2.2: the alias is asked for too; Exim asks for the host behind it only",
    },
];

#[test]
fn every_domain_gets_its_mail_from_send_as_from_exim_but_for_known_differences() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl", "unshare"]) {
        return;
    }
    let block = Block::claim();
    let lab = Lab::start(&block, "exim");
    // By it Exim goes on where DANE has no word.
    let root = lab.path("root.pem");
    let config = lab.configuration("root", &format!("tls_verify_certificates = '{root}'"));
    let wrong = found_in(domains(), |(domain, _)| {
        let recipient = format!("ann@{domain}");
        let exim = lab.exim(&[&recipient], &format!("tls_verify_certificates = {root}"));
        let send = lab.log_of_send(&[&recipient], &["--config", &config]);
        let found = [outcome(&exim, &recipient), outcome(&send, &recipient)];
        let known = DIFFERENCES.iter().find(|difference| difference.domain == domain);
        let is_right = match known {
            Some(Difference { exim, send, .. }) => found == [*exim, *send],
            None => found[0] == found[1],
        };
        let reason = known.map_or("no known difference", |known| known.reason);
        (!is_right).then(|| format!("{domain}: {found:?}: {reason}\n{exim}\n{send}"))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
