//! The start of a connection: greeting, `EHLO` and TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use mail_types::smtp::{Reply, Severity};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant as TokioInstant, timeout_at};

use super::failure::connect_failure;
use super::{
    Connection, HandshakeError, OpenError, Secured, Target, TlsClient, TlsPlan, Wire, now,
};
use crate::gateway::delivery::settings::RemoteSettings;
use crate::gateway::events::delivery_attempt::DeliveryAttempt;
use crate::gateway::smtp::client::{Client, ClientSettings, ClientStep, Lost, Needs};

impl Connection {
    /// Connects, waits for the greeting, and sends `EHLO`, after the TLS handshake once more. Errors are
    /// reported, but those of a handshake that is not required: the caller may try again in clear. The result
    /// is boxed, since it is large and goes through many hands.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if no mail can be sent; the connection is closed.
    pub(crate) async fn open(
        target: &Target,
        tls: &TlsPlan,
        settings: &RemoteSettings,
        mut attempt: DeliveryAttempt,
    ) -> Result<Box<Self>, OpenError> {
        if !attempt.may_connect().await {
            return Err(OpenError::ConnectRefused);
        }
        let connecting = connect(target.address, target.proxy.as_deref());
        let by = now().checked_add(settings.limits.connect).into_iter().chain(opening_ends(target));
        let by = TokioInstant::from_std(by.min().unwrap_or_else(now));
        let stream = match timeout_at(by, connecting).await {
            Ok(Ok(stream)) => stream,
            error => {
                let error = error.ok().and_then(Result::err);
                let failure = connect_failure(error.as_ref());
                attempt.deferred(&failure);
                return Err(OpenError::Unreachable(failure));
            }
        };
        // Each command is one write, followed by a wait for its reply.
        let _ = stream.set_nodelay(true);
        attempt.connected(stream.local_addr().ok());
        let mut connection = Box::new(Self {
            client: Client::new(client_settings(target, settings), now()),
            wire: Wire::Clear(stream),
            limits: settings.limits,
            secured: None,
            attempt,
        });
        let opened = match connection.greet(tls, opening_ends(target)).await {
            Ok(()) => connection.meets(target.needs),
            error => error,
        };
        match opened {
            Ok(()) => {
                connection.client.set_until(target.until);
                connection.attempt.opened();
                Ok(connection)
            }
            Err(error) => Err(connection.give_up(error, tls).await),
        }
    }

    /// Reports the error, and ends the session if the server still listens.
    async fn give_up(mut self: Box<Self>, error: OpenError, tls: &TlsPlan) -> OpenError {
        let reported = tls.is_required() || !matches!(error, OpenError::Handshake(_));
        if let Some(failure) = error.failure().filter(|_| reported) {
            self.attempt.deferred(&failure);
        }
        if !matches!(error, OpenError::Handshake(_) | OpenError::Lost { .. }) {
            self.quit().await;
        }
        error
    }

    /// Tells whether the server has all that the message needs.
    fn meets(&self, needs: Option<Needs>) -> Result<(), OpenError> {
        Ok(needs.map_or(Ok(()), |needs| needs.check(self.client.offers()))?)
    }

    async fn greet(&mut self, tls: &TlsPlan, ends: Option<Instant>) -> Result<(), OpenError> {
        let greeting = self.step().await?;
        if !self.attempt.may_greet(&greeting).await {
            return Err(OpenError::GreetingRefused);
        }
        self.hello().await?;
        let Some(client) = tls.client() else { return Ok(()) };
        let refusal = if self.client.offers().start_tls {
            self.client.start_tls();
            match self.run().await {
                ClientStep::StartTls(by) => {
                    // A silent handshake leaves time for a new connection in clear.
                    let half = |end: Instant| now() + end.saturating_duration_since(now()) / 2;
                    let half = ends.filter(|_| client.may_clear).map(half);
                    return self
                        .secure(client, half.into_iter().chain([by]).min().unwrap_or(by))
                        .await;
                }
                ClientStep::Replied(reply) => OpenError::TlsRefused(reply),
                // A server without a usable certificate may end here, before or after its reply.
                ClientStep::Lost(Lost::Closed) => {
                    return Err(OpenError::Handshake(HandshakeError::Closed));
                }
                step => return Err(self.lost(step)),
            }
        } else {
            OpenError::TlsNotOffered
        };
        let deferred = matches!(&refusal, OpenError::TlsRefused(reply)
            if reply.code().severity() == Severity::Transient && !client.may_clear);
        if tls.is_required() || deferred { Err(refusal) } else { Ok(()) }
    }

    async fn secure(&mut self, tls: &TlsClient, by: Instant) -> Result<(), OpenError> {
        let handshake = self.wire.start_tls(tls);
        let session = match timeout_at(TokioInstant::from_std(by), handshake).await {
            Ok(session) => session
                .map_err(|error| OpenError::Handshake(HandshakeError::of(&error, &tls.check)))?,
            Err(_) => return Err(OpenError::Handshake(HandshakeError::Slow)),
        };
        let secured = Secured::new(tls, session);
        self.attempt.secured(secured.variables(self.attempt.tls()));
        let check = Arc::clone(&secured.check);
        self.secured = Some(secured);
        self.client.handle_tls();
        // The highest depth first, as in Exim.
        for (depth, certificate) in check.authentication().sent().iter().enumerate().rev() {
            if !self.attempt.may_trust(depth, certificate).await {
                return Err(OpenError::CertificateRefused(depth));
            }
        }
        self.hello().await
    }

    async fn hello(&mut self) -> Result<(), OpenError> {
        self.client.hello();
        let result = self.step().await;
        if let Some(reply) = self.client.ehlo() {
            self.attempt.greeted(reply);
        }
        result.map(|_| ())
    }

    async fn step(&mut self) -> Result<Reply, OpenError> {
        match self.run().await {
            ClientStep::Replied(reply) => Ok(reply),
            step => Err(self.lost(step)),
        }
    }

    fn lost(&self, step: ClientStep) -> OpenError {
        let reason = if let ClientStep::Lost(lost) = step { lost } else { Lost::Interrupted };
        OpenError::Lost { reason, stage: self.client.stage().to_owned() }
    }
}

/// Connects, and writes the PROXY header.
async fn connect(address: SocketAddr, proxy: Option<&[u8]>) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(proxy.unwrap_or_default()).await?;
    Ok(stream)
}

fn client_settings(target: &Target, settings: &RemoteSettings) -> ClientSettings {
    ClientSettings {
        helo: settings.helo.clone().into(),
        try_prdr: target.try_prdr,
        try_chunking: target.try_chunking,
        limits: settings.limits.session,
        until: opening_ends(target),
    }
}

/// Returns the end of the opening, if there is one.
fn opening_ends(target: &Target) -> Option<Instant> {
    target.open_by.into_iter().chain(target.until).min()
}
