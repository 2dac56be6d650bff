//! The gateway as a service: what it tells its manager, and the unit file.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::block::Block;
use super::gateway::Gateway;
use super::servers::{have, output_of, text};

#[test]
fn the_manager_is_told_of_the_start_of_each_reload_and_of_the_end() {
    let block = Block::claim();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("notify-{}", block.own(0)));
    let _ = fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let told = || {
        let mut room = [0; 200];
        let length = socket.recv(&mut room).unwrap();
        String::from_utf8_lossy(&room[..length]).trim_end().to_owned()
    };
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let mut gateway = Gateway::start_with(block.own(0), "", &environment);
    assert_eq!(told(), "READY=1");
    for (options, logged) in [
        ("smtp_banner = 'two'", "configuration reloaded"),
        ("no_such = 1", "configuration not reloaded"),
    ] {
        gateway.reload(options, logged);
        let reloading = told();
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        assert_eq!(told(), "READY=1");
    }
    assert!(gateway.end(Signal::TERM).success());
    assert_eq!(told(), "STOPPING=1");
    fs::remove_file(&path).unwrap();
}

fn unit() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway/gateway.service"))
        .unwrap()
}

/// The values of a setting, by its section, in their order.
fn settings(unit: &str) -> BTreeMap<(&str, &str), Vec<&str>> {
    let (mut section, mut settings) = ("", BTreeMap::<_, Vec<_>>::new());
    for line in unit.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
        } else {
            let (name, value) = line.split_once('=').unwrap();
            settings.entry((section, name)).or_default().push(value);
        }
    }
    settings
}

/// Each setting that the program relies on, with its value.
#[test]
fn the_unit_file_has_what_the_program_needs() {
    let unit = unit();
    let settings = settings(&unit);
    for (section, name, value) in [
        // Without it nobody takes READY=1, RELOADING=1 and STOPPING=1.
        ("Service", "Type", "notify"),
        ("Service", "ExecReload", "/bin/kill -HUP $MAINPID"),
        ("Service", "Restart", "on-failure"),
        // A user of its own, and the only folder that it may write.
        ("Service", "DynamicUser", "yes"),
        ("Service", "StateDirectory", "gateway"),
        ("Service", "StateDirectoryMode", "0700"),
        ("Service", "WorkingDirectory", "/var/lib/gateway"),
        ("Service", "ProtectSystem", "strict"),
        ("Service", "NoNewPrivileges", "yes"),
        ("Service", "UMask", "0077"),
        ("Service", "LoadCredential", "key.pem:/etc/gateway/key.pem"),
        // Port 25, and nothing else that is for root.
        ("Service", "AmbientCapabilities", "CAP_NET_BIND_SERVICE"),
        ("Service", "CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"),
        // The socket of the manager is a UNIX one.
        ("Service", "RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("Install", "WantedBy", "multi-user.target"),
    ] {
        assert_eq!(settings.get(&(section, name)), Some(&vec![value]), "[{section}] {name}");
    }
    // Clients within a message have ten seconds, and events five.
    let [seconds] = settings[&("Service", "TimeoutStopSec")][..] else { panic!("{unit}") };
    assert!(seconds.parse::<u64>().unwrap() > 15, "{seconds}");
    // The manual has the same paths.
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway/README.md");
    let manual = fs::read_to_string(manual).unwrap();
    let (_, section) = manual.split_once("\n## As a service\n").unwrap();
    for words in [
        "/usr/local/bin",
        "/etc/gateway/gateway.toml",
        "spool_directory = \"/var/lib/gateway\"",
        "/etc/gateway/key.pem",
        "tls_privatekey = \"/run/credentials/gateway.service/key.pem\"",
        "DynamicUser=yes",
        "LoadCredential",
    ] {
        assert!(section.contains(words) && unit.contains(words), "{words}");
    }
}

/// systemd's own check; the program it names is ours, which is installed by hand.
#[test]
fn the_unit_file_is_sound() {
    let gateway = super::gateway::binary();
    let unit = unit().replace("/usr/local/bin/gateway", gateway.to_str().unwrap());
    // Each argument that it gives is known.
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let options: Vec<_> = start.split(' ').filter(|word| word.starts_with("--")).collect();
    let help = text(&output_of(Command::new(&gateway).arg("--help"), b"").stdout);
    assert!(!options.is_empty() && options.iter().all(|option| help.contains(option)), "{start}");
    if !have(&["systemd-analyze"]) {
        return;
    }
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateway.service");
    fs::write(&copy, &unit).unwrap();
    let mut verify = Command::new("systemd-analyze");
    let output = output_of(verify.args(["verify", "--man=no", copy.to_str().unwrap()]), b"");
    let found = text(&output.stderr);
    let ours: Vec<_> = found.lines().filter(|line| line.contains("gateway.service")).collect();
    assert!(output.status.success() && ours.is_empty(), "{found}");
}
