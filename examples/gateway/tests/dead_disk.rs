//! A disk that does not answer: the messages that its threads hold stay in the memory limit.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::exposition::value;
use super::gateway::{Client, Running};
use super::metrics_page::{ON, families};
use super::scratch::Scratch;
use crate::gateway::store::settings::StoreSettings;

/// A file system whose server says nothing, at the `tmp` of a Maildir; it ends, and refuses everything, when this goes.
struct DeadDisk {
    server: Child,
    place: PathBuf,
}

impl DeadDisk {
    /// `None` if nobody here may mount one.
    fn mount(maildir: &Path) -> Option<Self> {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(part)).ok()?;
        }
        let place = maildir.join("tmp");
        let script = "exec 3<>/dev/fuse && echo mounting && \
                      mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead \"$1\" && \
                      echo mounted && exec sleep 600";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(&place);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().ok()?;
        let lines = BufReader::new(server.stdout.take()?).lines();
        let told: Vec<_> = lines.map_while(Result::ok).take(2).collect();
        let disk = Self { server, place };
        (told == ["mounting", "mounted"]).then_some(disk)
    }
}

impl Drop for DeadDisk {
    fn drop(&mut self) {
        // Without its server every access ends.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ =
            Command::new("umount").arg("--lazy").arg(&self.place).stderr(Stdio::null()).status();
    }
}

const TIME: Duration = Duration::from_millis(500);
/// The octets of a message, and the limit for all.
const MESSAGE: usize = 200_000;
const LIMIT: usize = 1_000_000;

/// Sends a message; returns the last reply.
async fn send(client: &mut Client, mail: &str, recipients: &[&str]) -> String {
    assert!(client.say(&format!("MAIL FROM:<a@b.example>{mail}")).await.starts_with("250"));
    for recipient in recipients {
        assert!(client.say(&format!("RCPT TO:<{recipient}@example.com>")).await.starts_with("250"));
    }
    client.say("DATA").await;
    let line = format!("{}\r\n", "x".repeat(98));
    let text = format!("Subject: a\r\n\r\n{}.", line.repeat(MESSAGE / line.len()));
    let first = client.say(&text).await;
    let mut last = first.clone();
    for _ in 0..if first.starts_with("353") { recipients.len() + 1 } else { 0 } {
        last = client.reply().await;
    }
    last
}

/// Tells whether there is memory for so many octets.
async fn has_room(client: &mut Client, octets: usize) -> bool {
    let reply = client.say(&format!("MAIL FROM:<a@b.example> SIZE={octets}")).await;
    client.say("RSET").await;
    assert!(reply.starts_with("250") || reply.starts_with("452 4.3.1 "), "{reply}");
    reply.starts_with("250")
}

/// The memory in use, by the metrics.
async fn memory(running: &Running) -> usize {
    let octets = value(&families(running).await, "gateway_message_memory_bytes").unwrap();
    format!("{octets:.0}").parse().unwrap()
}

#[tokio::test]
async fn a_message_that_a_thread_holds_stays_in_the_memory_limit() {
    let scratch = Scratch::new();
    let each = scratch.path().join("each");
    let options = format!(
        "{ON}prdr_enable = true\nmessage_size_limit = {LIMIT}\nmessage_memory_limit = {LIMIT}\n\
         maildir = '{}/$local_part'\n",
        each.display()
    );
    let mut config = Running::config(scratch.path(), &options);
    let StoreSettings::Maildir { limits, .. } = &mut config.server.startup.store else { panic!() };
    limits.time = TIME;
    let running = Running::serve(scratch, config).await;
    // Behind the folder, which is removed after them.
    let disks = ["ann", "bob"].map(|name| DeadDisk::mount(&each.join(name)));
    let [Some(ann), Some(bob)] = disks else {
        // Setup can install neither root's rights nor the kernel's part; a test of the writers holds a share without them.
        let could = rustix::process::geteuid().is_root() && Path::new("/dev/fuse").exists();
        assert!(
            !could || std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "no FUSE is mounted"
        );
        eprintln!("SKIPPED: a disk that does not answer, which root can mount by /dev/fuse");
        return;
    };
    let mut client = running.client().await;
    client.say("EHLO c.example").await;

    // One that is delivered counts no more.
    assert!(send(&mut client, "", &["carl"]).await.starts_with("250"));
    assert!(has_room(&mut client, LIMIT - 10_000).await);
    let start = Instant::now();
    assert!(send(&mut client, "", &["ann"]).await.starts_with("451 4.3.0 "));
    assert!(start.elapsed() >= TIME);
    // With PRDR, the recipient whose disk answers has it.
    let last = send(&mut client, " PRDR", &["bob", "carl"]).await;
    assert!(last.starts_with("250"), "{last}");
    assert_eq!(fs::read_dir(each.join("carl/new")).unwrap().count(), 2);
    // The rest of the limit is for others.
    client.quit().await;
    let mut client = running.client().await;
    client.say("EHLO c.example").await;
    let both = memory(&running).await;
    assert!((2 * MESSAGE..LIMIT - 100_000).contains(&both), "{both}");
    assert!(!has_room(&mut client, LIMIT - both + 5_000).await);
    assert!(has_room(&mut client, LIMIT - both - 5_000).await);

    drop(ann);
    is_free(&mut client, LIMIT - both / 2 - 5_000).await;
    assert!(!has_room(&mut client, LIMIT - both / 2 + 5_000).await);
    drop(bob);
    is_free(&mut client, LIMIT - 5_000).await;
    assert!(memory(&running).await < 5_000);
    client.quit().await;
    let scratch = running.end().await;
    for name in ["ann", "bob"] {
        let new = scratch.path().join("each").join(name).join("new");
        assert_eq!(fs::read_dir(new).unwrap().count(), 0, "{name}");
    }
}

/// Waits until there is memory for so many octets.
async fn is_free(client: &mut Client, octets: usize) {
    let start = Instant::now();
    while !has_room(client, octets).await {
        assert!(start.elapsed() < Duration::from_secs(20), "{octets}");
        sleep(Duration::from_millis(20)).await;
    }
}
