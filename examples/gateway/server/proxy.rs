//! The PROXY header at the start of a connection.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use mail_types::smtp::{Reply, ReplyCode};
use proxy_protocol::tokio_net::peek_header;
use proxy_protocol::{
    Failure, HeaderError, HeaderOutcome, Limits, Options, ProxyInfo, Receiver, Refusal,
};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::debug;

use super::gateway::{Gateway, Live};
use super::settings::ProxySettings;
use super::wire::Wire;
use crate::gateway::smtp::peer::Client;
use crate::gateway::smtp::replies::write;
use crate::gateway::telemetry::log;

/// Reads a required header, and identifies the client. `None` after a failure: then the connection was
/// refused and closed.
pub(crate) async fn accept(
    gateway: &Gateway,
    live: &Live,
    stream: TcpStream,
    peer: SocketAddr,
) -> io::Result<Option<(TcpStream, Client)>> {
    let (proxy, server) = (&live.settings.proxy, stream.local_addr()?);
    let direct = Client::new(ProxyInfo::direct(peer), server);
    let proxies = &live.settings.clients.proxy_required_hosts;
    if !live.is_in(proxies, &direct, &gateway.limiter).await {
        return Ok(Some((stream, direct)));
    }
    let (mut stream, mut receiver) = (stream, Receiver::new(options(proxy), Instant::now()));
    let outcome = peek_header(&mut stream, &mut receiver).await?;
    gateway.metrics.proxy_headers.count_named(outcome.as_str());
    match outcome {
        HeaderOutcome::Failed(failure) => {
            let hint = match failure {
                Failure::Header(HeaderError::Ipv4InTcp6 { .. }) => HINT,
                _ => "",
            };
            log::no_proxy_header(&gateway.limiter, peer, &format!("{failure}{hint}"));
            let (mut wire, mut stop) = (Wire::Clear(stream), gateway.stop.subscribe());
            tokio::select! {
                refused = refuse(live, &mut wire, &receiver) => refused?,
                _ = stop.wait_for(Option::is_some) => {}
            }
            gateway.deadlines.closing(&mut stop, wire.close()).await;
            Ok(None)
        }
        outcome => {
            debug!(%peer, outcome = outcome.as_str(), "PROXY header");
            let mut client = Client::new(ProxyInfo::proxied(peer, outcome), server);
            let decided = live.decide(proxies, &client, &gateway.limiter).await;
            client.is_trusted_proxy = decided == Ok(true);
            Ok(Some((stream, client)))
        }
    }
}

fn options(proxy: &ProxySettings) -> Options {
    let mut limits = Limits::default();
    limits.time = proxy.timeout;
    let mut options = Options::default();
    options.limits = limits;
    options.ipv4_in_tcp6 = proxy.ipv4_in_tcp6;
    options
}

/// Refuses the connection: closes it, or replies 503 until the client ends it.
async fn refuse(live: &Live, wire: &mut Wire, receiver: &Receiver) -> io::Result<()> {
    let mut refusal = Refusal::new(live.settings.proxy.refusal, receiver);
    if !refusal.is_closed() {
        let banner = format!("{} {}", live.session.primary_hostname, live.session.smtp_banner);
        send(live, wire, [Reply::new(ReplyCode::READY, &banner)]).await?;
    }
    while !refusal.is_closed() {
        let read = timeout(
            live.settings.smtp_receive_timeout,
            wire.read(|bytes| refusal.handle_bytes(bytes)),
        );
        if read.await?? == 0 {
            break;
        }
        let replies = std::iter::from_fn(|| refusal.poll_reply());
        send(live, wire, replies).await?;
    }
    Ok(())
}

async fn send(
    live: &Live,
    wire: &mut Wire,
    replies: impl IntoIterator<Item = Reply>,
) -> io::Result<()> {
    let mut output = Vec::new();
    replies.into_iter().for_each(|reply| write(&reply, false, &mut output));
    timeout(live.settings.smtp_receive_timeout, wire.write(&output)).await?
}

const HINT: &str = " (proxy_ipv4_in_tcp6 = true accepts it)";
