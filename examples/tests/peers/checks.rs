//! The health checks of a proxy: they succeed, and cause no log lines and no events.

use super::block::Block;
use super::gateway::Gateway;
use super::servers::{Peers, have, swaks};

#[test]
fn health_checks_leave_no_trace() {
    if !have(&["haproxy", "openssl", "swaks"]) {
        return;
    }
    let block = Block::claim();
    let peers = Peers::of(&block);
    let port = block.own(0);
    // The proxy is there first and finds nobody, so that what it then says of both kinds of check,
    // a line of its own address and LOCAL, is of checks that were answered.
    let listeners = peers.start(&["haproxy-checks", &format!("127.0.0.1:{port}")]);
    peers.wait_for_log(
        "haproxy-checks.out",
        &["v1-check/target is DOWN", "v2-check/target is DOWN"],
    );
    let mut gateway = Gateway::start(port, "proxy_required_hosts = \"127.0.0.1\"");
    let quiet = gateway.log();
    peers.wait_for_log("haproxy-checks.out", &["v1-check/target is UP", "v2-check/target is UP"]);
    assert_eq!(gateway.log(), quiet);

    for listener in &listeners {
        let body = format!("between checks of {}", listener.name);
        let (taken, transcript) =
            swaks(&listener.address, &["--to", "ann@local.test", "--body", &body]);
        assert!(taken, "{transcript}");
        gateway.message(&body);
    }
    assert_eq!(gateway.arrivals().len(), listeners.len());
}
