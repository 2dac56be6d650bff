//! The README's configuration and commands, as printed, with a client behind a load balancer, and the lines that the
//! manual has for HAProxy.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::block::Block;
use super::gateway::Gateway;
use super::name_server::{NameServer, Said};
use super::next_hop::NextHop;
use super::servers::{have, output_of, swaks, text};

/// The text between two others.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).unwrap().0
}

/// A document.
fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

/// Runs a command of a document in the folder of the gateway; returns its output.
fn run(gateway: &Gateway, command: &str) -> String {
    let command = command.replace(":2525", &format!(":{}", gateway.port()));
    let mut shell = Command::new("sh");
    let output = output_of(shell.args(["-c", &command]).current_dir(gateway.folder()), b"");
    let told = text(&output.stderr);
    assert!(output.status.success(), "{command}: {told}\n{}", gateway.log());
    text(&output.stdout)
}

/// Sends a message of this client through the load balancer; returns whether it was taken, and the dialogue.
fn send(gateway: &Gateway, from: &str, to: &str) -> (bool, String) {
    let header = ["--proxy-version", "1", "--proxy-family", "TCP4"];
    let client = ["--proxy-source", "203.0.113.9", "--proxy-source-port", "4711"];
    let server = ["--proxy-dest", "198.51.100.1", "--proxy-dest-port", "25"];
    let message = ["--helo", "client.example.net", "--from", from, "--to", to];
    swaks(&gateway.address(), &[&header[..], &client, &server, &message].concat())
}

#[test]
fn the_configuration_of_the_readme_does_what_it_says() {
    if !have(&["curl", "sqlite3", "swaks"]) {
        return;
    }
    let readme = document("README.md");
    let block = Block::claim();
    let (port, next_hop) = (block.own(0), NextHop::start());
    let names = NameServer::start(true, |name, kind| match (name, kind) {
        ("example.net" | "lax.example.net", RecordType::TXT) => {
            Said::Text("v=spf1 -all".to_owned())
        }
        _ => Said::Code(ResponseCode::NXDomain),
    });
    let printed = between(&readme, "```toml\n", "```");
    let text = printed.replace("127.0.0.1.2525", &format!("127.0.0.1.{port}"));
    let text = text.replace("127.0.0.1:2600", &next_hop.address.to_string());
    assert_ne!(text, printed);
    let text = format!("dns_resolver = \"{}\"\n{text}", names.address);
    let mut gateway = Gateway::start_as_written(port, &text);
    let commands = between(&readme, "```sh\n# While it runs", "\n```");
    let commands: Vec<_> = commands.lines().skip(1).collect();
    let [table, message, query] = commands[..] else { panic!("{commands:?}") };
    run(&gateway, table);
    run(&gateway, message);
    gateway.line(" <= ann@client.example ");

    // The rule: the query, SPF and the message with the client's own address.
    let (taken, dialogue) = send(&gateway, "ann@example.net", "bob@example.com");
    assert!(!taken, "{dialogue}");
    let refusal = "203.0.113.9 may not send for example.net";
    assert!(dialogue.contains(refusal), "{dialogue}\n{}", gateway.log());
    let (taken, dialogue) = send(&gateway, "ann@lax.example.net", "bob@example.com");
    assert!(taken, "{dialogue}\n{}", gateway.log());
    // A domain of the next hop, and one of nobody.
    let (taken, dialogue) = send(&gateway, "ann@lax.example.net", "carl@example.org");
    assert!(taken, "{dialogue}\n{}", gateway.log());
    assert!(next_hop.take().contains("carl@example.org"));
    let (taken, dialogue) = send(&gateway, "ann@lax.example.net", "carl@other.test");
    assert!(!taken && dialogue.contains("relay not permitted"), "{dialogue}");
    // A client that sends no PROXY header.
    let (taken, dialogue) = swaks(&gateway.address(), &["--to", "bob@example.com"]);
    assert!(!taken, "{dialogue}");

    gateway.wait_for("an event", |gateway| {
        run(gateway, query).contains("|msg:delivery|").then_some(())
    });
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts HAProxy with these lines, and waits for its listener.
fn haproxy(folder: &Path, lines: &str, port: u16) -> Running {
    let file = folder.join("haproxy.cfg");
    fs::write(&file, lines).unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(file).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let output = fs::File::create(folder.join("haproxy.log")).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
    let running = Running(command.spawn().unwrap());
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return running;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{}", fs::read_to_string(folder.join("haproxy.log")).unwrap());
}

#[test]
fn haproxy_runs_with_the_lines_of_the_manual() {
    if !have(&["curl", "haproxy", "swaks"]) {
        return;
    }
    let manual = document("examples/gateway/README.md");
    let section = between(&manual, "\n## Behind a load balancer\n", "\n## ");
    let block = Block::claim();
    let (port, front) = (block.own(0), block.own(1));
    let options = between(section, "```toml\n", "```");
    let text = format!("local_interfaces = '127.0.0.1.{port}'\n{options}");
    let mut gateway = Gateway::start_as_written(port, &text);
    let lines = between(section, "```haproxy\n", "```");
    let here = lines.replace("192.0.2.1:25\n", &format!("127.0.0.1:{front}\n"));
    let here = here.replace("127.0.0.1:2525 ", &format!("127.0.0.1:{port} "));
    assert!(here.contains(&front.to_string()) && here.contains(&port.to_string()), "{lines}");
    let _haproxy = haproxy(gateway.folder(), &here, front);
    let (taken, dialogue) = swaks(&format!("127.0.0.1:{front}"), &["--to", "bob@example.com"]);
    assert!(taken, "{dialogue}\n{}", gateway.log());
    let line = gateway.line(" <= swaks@sender.test ");
    assert!(line.contains(" PRX=127.0.0.1"), "{line}");
    // Without it a client is refused, unless it sends a header itself.
    let (taken, dialogue) = swaks(&gateway.address(), &["--to", "bob@example.com"]);
    assert!(!taken, "{dialogue}");
    let command = between(section, "```sh\n", "\n```");
    run(&gateway, command);
    gateway.line(" <= ann@client.example ");
}
