//! The option of metrics: a loopback address, or nothing.

use crate::gateway::config::Config;

fn parsed(options: &str) -> Result<Option<String>, String> {
    let config = Config::parse(options).map_err(|error| error.to_string())?;
    Ok(config.server.startup.metrics.map(|address| address.to_string()))
}

#[test]
fn it_is_off_without_an_address_and_takes_those_of_loopback() {
    for (options, address) in [
        ("", None),
        ("metrics_interface = ''", None),
        ("metrics_interface = ' '", None),
        ("metrics_interface = '127.0.0.1.9101'", Some("127.0.0.1:9101")),
        ("metrics_interface = '127.0.0.1:9101'", Some("127.0.0.1:9101")),
        ("metrics_interface = '127.9.9.9.0'", Some("127.9.9.9:0")),
        ("metrics_interface = '[::1]:9101'", Some("[::1]:9101")),
        ("metrics_interface = '::1.9101'", Some("[::1]:9101")),
        // Another address of this host has its own ports.
        (
            "local_interfaces = '127.0.0.1.25'\nmetrics_interface = '127.0.0.2.25'",
            Some("127.0.0.2:25"),
        ),
        (
            "local_interfaces = '127.0.0.1.0'\nmetrics_interface = '127.0.0.1.0'",
            Some("127.0.0.1:0"),
        ),
    ] {
        assert_eq!(parsed(options), Ok(address.map(str::to_owned)), "{options}");
    }
}

#[test]
fn another_address_is_refused_with_its_line() {
    for (value, cause) in [
        ("9101", "not an address and a port"),
        ("localhost:9101", "not an address and a port"),
        ("127.0.0.1", "not an address and a port"),
        ("127.0.0.1.9101 : 127.0.0.2.9101", "not an address and a port"),
        ("0.0.0.0.9101", "0.0.0.0 is not a loopback address"),
        ("[::]:9101", ":: is not a loopback address"),
        ("192.0.2.1.9101", "192.0.2.1 is not a loopback address"),
        ("$primary_hostname", "$ has no meaning here"),
        ("127.0.0.1.25", "conflicts with item 1 of local_interfaces"),
        ("::1.26", "conflicts with item 2 of local_interfaces"),
    ] {
        let options = format!(
            "local_interfaces = '<; 127.0.0.1.25 ; [::]:26'\nmetrics_interface = '{value}'\n"
        );
        let error = parsed(&options).unwrap_err();
        let start = "line 2: metrics_interface";
        assert!(error.starts_with(start) && error.contains(cause), "{value}: {error}");
    }
}
