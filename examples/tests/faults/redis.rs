//! Redis, stopped and killed.

use std::cell::RefCell;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::clients::{Attempt, MAIL};
use super::fault::{Gateway, check_mail, under_load};
use crate::peers::block::Block;
use crate::peers::servers::have;

/// A server that ends with this.
struct Redis(Child);

impl Redis {
    fn start(port: u16) -> Self {
        let port = port.to_string();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self(child);
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
            assert!(Instant::now() < end, "redis-server does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_recipient_waits_for_a_redis_that_is_stopped_or_dead() {
    if !have(&["redis-server"]) {
        return;
    }
    let block = Block::claim();
    let port = block.own(0);
    let server = RefCell::new(Some(Redis::start(port)));
    let options = format!(
        "redis_servers = '<; redis://127.0.0.1:{port}/0'\nredis_timeout = '1s'\n\
         [[acl_smtp_rcpt]]\nverb = 'deny'\n\
         condition = '${{lookup redis{{GET blocked:$local_part}}{{yes}}{{no}}}}'"
    );
    let gateway = Gateway::start("faults-redis", &options);
    let signal = |signal| server.borrow().as_ref().unwrap().signal(signal);
    let stopped =
        under_load(&gateway.address, &[MAIL], || signal(Signal::STOP), || signal(Signal::CONT));
    let killed = under_load(
        &gateway.address,
        &[MAIL],
        || drop(server.take()),
        || {
            server.replace(Some(Redis::start(port)));
        },
    );
    for during in [&stopped.during, &killed.during] {
        let is_deferred = |it: &Attempt| matches!(&it.answer, super::clients::Answer::Deferred(reply) if reply.starts_with("451 4."));
        assert!(!during.is_empty() && during.iter().all(is_deferred), "{during:?}");
    }
    check_mail(|| gateway.mail(), &[stopped.all, killed.all].concat());
}
