//! A tunnel through an HTTP proxy: RFC 9110 section 9.3.6.

use ::hyper::body::Bytes;
use ::hyper::client::conn::http1;
use ::hyper::header::HOST;
use ::hyper::{Method, Request, StatusCode, upgrade};
use ::tokio::io::{AsyncRead, AsyncWrite};
use ::tokio::net::TcpStream;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;

use crate::fetch::FetchError;

/// Has the proxy connect to a host.
pub(super) async fn tunnel(
    stream: TcpStream,
    host: &str,
    port: u16,
) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static, FetchError> {
    let made = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = made.map_err(|_| FetchError::Broken)?;
    ::tokio::spawn(connection.with_upgrades());
    let target = format!("{host}:{port}");
    let request = Request::builder().method(Method::CONNECT).uri(&target).header(HOST, &target);
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| FetchError::Url)?;
    let response = sender.send_request(request).await.map_err(|_| FetchError::Broken)?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::ProxyStatus(response.status().as_u16()));
    }
    let upgraded = upgrade::on(response).await.map_err(|_| FetchError::Broken)?;
    Ok(TokioIo::new(upgraded))
}
