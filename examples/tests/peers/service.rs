//! The gateway as a service: what it tells its manager, and the unit file.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::block::Block;
use super::gateway::Gateway;
use super::servers::{output_of, text};

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

/// systemd's own check; the program it names is ours, which is installed by hand.
#[test]
fn the_unit_file_is_sound() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway/gateway.service");
    let unit = fs::read_to_string(file).unwrap();
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateway.service");
    let gateway = super::gateway::binary();
    let unit = unit.replace("/usr/local/bin/gateway", gateway.to_str().unwrap());
    fs::write(&copy, &unit).unwrap();
    let mut verify = Command::new("systemd-analyze");
    let output = output_of(verify.args(["verify", "--man=no", copy.to_str().unwrap()]), b"");
    let found = text(&output.stderr);
    let ours: Vec<_> = found.lines().filter(|line| line.contains("gateway.service")).collect();
    assert!(output.status.success() && ours.is_empty(), "{found}");
    // Each argument that it gives is known.
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let options: Vec<_> = start.split(' ').filter(|word| word.starts_with("--")).collect();
    let help = text(&output_of(Command::new(&gateway).arg("--help"), b"").stdout);
    assert!(!options.is_empty() && options.iter().all(|option| help.contains(option)), "{start}");
}
