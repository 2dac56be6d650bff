//! Servers that answer the head of an HTTP request.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What is answered to the head of a request.
pub(crate) type Answer = fn(&str) -> Vec<u8>;

/// Answers each connection once, and then holds it open.
pub(crate) async fn responder(answer: Answer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, answer));
        }
    });
    address
}

/// Answers once; nothing, or what ends with `cut`, is the end of the connection.
pub(crate) async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Answer) {
    let Some(head) = head(&mut stream).await else { return };
    let answer = answer(&head);
    let closes = answer.is_empty() || answer.ends_with(b"cut");
    let _ = stream.write_all(&answer).await;
    let _ = stream.flush().await;
    if !closes {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

/// Reads the head of a request, if one comes.
pub(crate) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut more = [0; 1024];
        let Ok(count @ 1..) = stream.read(&mut more).await else { return None };
        head.extend_from_slice(more.get(..count).unwrap());
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
