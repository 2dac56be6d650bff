//! A next hop that accepts every message.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// It takes mail until the tests end.
pub(crate) struct NextHop {
    pub(crate) address: SocketAddr,
    messages: Arc<Mutex<Vec<String>>>,
}

impl NextHop {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&messages);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { address, messages }
    }

    /// Takes the last message.
    pub(crate) fn take(&self) -> String {
        self.messages.lock().unwrap().pop().unwrap()
    }
}

fn serve(mut stream: TcpStream, messages: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut say = |reply: &str| stream.write_all(format!("{reply}\r\n").as_bytes()).is_ok();
    let mut message = None::<String>;
    let mut go_on = say("220 next.test");
    while go_on {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line).unwrap_or_default() == 0 {
            return;
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        go_on = match (&mut message, line.get(..4).unwrap_or(&line)) {
            (Some(_), _) if line == ".\r\n" => {
                messages.lock().unwrap().extend(message.take());
                say("250 2.0.0 ok")
            }
            (Some(message), _) => {
                message.push_str(line.strip_prefix('.').unwrap_or(&line));
                true
            }
            (None, "DATA") => {
                message = Some(String::new());
                say("354 go")
            }
            (None, "EHLO") => say("250-next.test\r\n250 8BITMIME"),
            (None, _) => say("250 2.0.0 ok"),
        };
    }
}
