//! The hosts that must send a header.

#![cfg(feature = "mail")]
use proxy_protocol::RequiredHosts;

#[test]
fn by_the_address_of_the_peer() {
    for (list, peer, required) in [
        ("", "127.0.0.1", false),
        ("*", "127.0.0.1", true),
        ("*", "2001:db8::1", true),
        ("192.0.2.1 : 192.0.2.64/26", "192.0.2.127", true),
        ("192.0.2.1 : 192.0.2.64/26", "192.0.2.128", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("<; 2001:db8::1; 192.0.2.1", "2001:db8::1", true),
        ("<; 2001:db8::1; 192.0.2.1", "2001:db8::2", false),
        ("<, !192.0.2.9, 192.0.2.0/24", "192.0.2.9", false),
        ("<\n 192.0.2.8\n192.0.2.9", "192.0.2.9", true),
        ("2001::db8::::1", "2001:db8::1", true),
    ] {
        let hosts: RequiredHosts = list.parse().unwrap();
        assert_eq!(hosts.requires(peer.parse().unwrap(), None), required, "{peer} in {list:?}");
    }
}

#[test]
fn by_its_name_only_if_that_is_known() {
    let hosts: RequiredHosts = "*.lb.example".parse().unwrap();
    let (peer, name) = ("192.0.2.1".parse().unwrap(), "a.lb.example".parse().unwrap());
    assert!(hosts.requires(peer, Some(&name)));
    assert!(!hosts.requires(peer, None));
    assert!(hosts.hosts().needs_names());
}

#[test]
fn nobody_by_default() {
    let hosts = RequiredHosts::default();
    assert!(!hosts.requires("127.0.0.1".parse().unwrap(), None));
    assert_eq!(hosts, RequiredHosts::from(mail_types::exim::HostSet::default()));
}

#[test]
fn a_list_that_is_none() {
    for list in ["2001:db8::1", "192.0.2.0/33", "192.0.2.256"] {
        assert!(list.parse::<RequiredHosts>().is_err(), "{list}");
    }
}
