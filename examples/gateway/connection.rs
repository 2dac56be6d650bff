//! One connection: what its session wants is read, sent, asked and decided here.

use std::io;
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use mail_types::{Reply, ReplyCode, Severity};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;

use super::client::Client;
use super::delivery::Delivery;
use super::log;
use super::memory::Share;
use super::message_id::MessageId;
use super::phrases::say;
use super::rules::route;
use super::server::Gateway;
use super::session::{Question, Session, Step};
use super::store::Message;
use super::trace_fields;
use super::wire::Wire;

/// A connection whose client is known.
pub(crate) struct Connection {
    gateway: Arc<Gateway>,
    stop: watch::Receiver<bool>,
    wire: Wire,
    client: Client,
    session: Session,
    delivery: Delivery,
    memory: Share,
}

impl Connection {
    pub(crate) fn new(gateway: Arc<Gateway>, wire: Wire, client: Client) -> Self {
        let config = &gateway.config;
        let (address, name) = (client.address.ip(), client.host_name.as_ref());
        let mut settings = Arc::clone(&gateway.session_settings);
        if !config.tls_advertise_hosts.contains(address, name) {
            Arc::make_mut(&mut settings).tls_advertise = false;
        }
        let junk_helo = config.helo_accept_junk_hosts.contains(address, name);
        let (session, stop) = (Session::new(settings, junk_helo), gateway.stop.subscribe());
        let memory = Share::new(Arc::clone(&gateway.memory));
        Self { gateway, stop, wire, client, session, delivery: Delivery::default(), memory }
    }

    /// Serves the client until one of the two has enough.
    pub(crate) async fn serve(mut self) {
        let ended = self.run().await;
        if let Err(error) = ended {
            debug!("{} is gone: {error}", self.client.address);
        }
        self.wire.close().await;
    }

    async fn run(&mut self) -> io::Result<()> {
        loop {
            match self.session.poll() {
                Step::Read if !self.memory.set(self.session.held()) => {
                    self.session.handle_no_room();
                }
                Step::Read => {
                    self.send().await?;
                    self.read().await?;
                }
                Step::Decide(question) => {
                    if question == Question::Message {
                        self.send().await?;
                    }
                    let reply = self.decide(question).await;
                    self.session.handle_decision(&reply);
                }
                Step::StartTls => {
                    self.send().await?;
                    let handshake = self.wire.start_tls(&self.gateway.tls);
                    timeout(self.gateway.config.smtp_receive_timeout, handshake).await??;
                    self.session.handle_tls();
                }
                Step::Close => return self.send().await,
            }
        }
    }

    async fn send(&mut self) -> io::Result<()> {
        if !self.session.has_output() {
            return Ok(());
        }
        let output = self.session.take_output();
        timeout(self.gateway.config.smtp_receive_timeout, self.wire.write(&output)).await?
    }

    /// Waits for the client, but not longer than it may be silent, nor when the server stops
    /// between two messages.
    async fn read(&mut self) -> io::Result<()> {
        let Self { gateway, stop, wire, session, .. } = self;
        let within_message = session.transaction().is_some();
        let mut arrived = 0;
        let patience = gateway.config.smtp_receive_timeout;
        let read = timeout(
            patience,
            wire.read(|bytes| {
                arrived = bytes.len();
                session.handle_bytes(bytes);
            }),
        );
        tokio::select! {
            biased;
            read = read => match read {
                Ok(Ok(0)) => session.handle_end(),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error),
                Err(_) => session.handle_timeout(),
            },
            _ = stop.wait_for(|&stop| stop), if !within_message => session.handle_stop(),
        }
        Ok(())
    }

    async fn decide(&mut self, question: Question) -> Reply {
        match question {
            Question::Connect => {
                if self.wire.pending() {
                    self.session.handle_bytes(b"?"); // Who talks first does not speak SMTP.
                }
                Reply::new(ReplyCode::READY, "")
            }
            Question::Mail => {
                self.delivery = Delivery::default();
                say(ReplyCode::OK, "2.1.0", "sender ok")
            }
            Question::Recipient => self.recipient().await,
            Question::Verdict(_) => say(ReplyCode::OK, "2.1.5", "ok"),
            Question::Message => self.message().await,
        }
    }

    async fn recipient(&mut self) -> Reply {
        let Self { gateway, session, delivery, client, .. } = self;
        let (Some(transaction), Some(recipient)) = (session.transaction(), session.candidate())
        else {
            return say(ReplyCode::LOCAL_ERROR, "4.3.0", "no recipient");
        };
        let reply = match route(&gateway.config, recipient) {
            Ok(route) => delivery.add(route, &gateway.relay, transaction, recipient).await,
            Err(reply) => reply,
        };
        if reply.code().severity() != Severity::Completed {
            log::refusal(session, client, &format!("RCPT <{recipient}>"), &reply);
        }
        reply
    }

    async fn message(&mut self) -> Reply {
        let now = SystemTime::now();
        let id = MessageId::next(now);
        let body = Bytes::from(self.session.take_message());
        let Some(transaction) = self.session.transaction() else {
            return say(ReplyCode::LOCAL_ERROR, "4.3.0", "no message");
        };
        let host = &self.gateway.config.session.primary_hostname;
        let greeting = self.session.greeting();
        let delivery = mem::take(&mut self.delivery);
        let mut head = trace_fields::received(host, id, &self.client, greeting, transaction, now);
        if delivery.is_final() {
            head = trace_fields::delivery(transaction) + &head;
        }
        let size = head.len() + body.len();
        let message = Message { id, parts: vec![head.into(), body] };
        let reply = delivery.deliver(&self.gateway.store, message).await;
        if reply.code().severity() == Severity::Completed {
            let (cipher, proxy) = (self.wire.cipher(), self.gateway.config.log_proxy);
            log::arrival(id, &self.session, &self.client, size, cipher, proxy);
        } else {
            log::refusal(&self.session, &self.client, &format!("message {id}"), &reply);
        }
        reply
    }
}
