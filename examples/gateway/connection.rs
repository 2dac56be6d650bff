//! One connection: what its session wants is read, sent, asked and decided here.

#[path = "connection/decisions.rs"]
mod decisions;
#[path = "connection/examining.rs"]
mod examining;
#[path = "connection/handing_over.rs"]
mod handing_over;
#[path = "connection/pace.rs"]
pub(crate) mod pace;

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tracing::debug;

use self::examining::Fate;
use self::handing_over::Handed;
use self::pace::Pace;
use super::client::Client;
use super::delivery::Delivery;
use super::events::origin::Origin;
use super::memory::Share;
use super::message_id::MessageId;
use super::rules::notes::Notes;
use super::server::Gateway;
use super::session::{Question, Session, Step};
use super::wire::Wire;

/// A connection whose client is known.
pub(crate) struct Connection {
    gateway: Arc<Gateway>,
    stop: watch::Receiver<bool>,
    wire: Wire,
    client: Client,
    session: Session,
    delivery: Delivery,
    notes: Notes,
    fate: Fate,
    /// The name of the message, from `MAIL` on.
    message: Option<MessageId>,
    /// What became of a message that was handed over before its first reply.
    handed: Option<Handed>,
    memory: Share,
    pace: Pace,
    /// Ends when the client has been silent for too long. It is moved on for each wait: a new one each
    /// time would be put in order among all others and taken out again.
    silence: Pin<Box<Sleep>>,
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
        let silence = Box::pin(sleep(gateway.config.smtp_receive_timeout));
        Self {
            gateway,
            stop,
            wire,
            client,
            session,
            delivery: Delivery::default(),
            notes: Notes::default(),
            fate: Fate::default(),
            message: None,
            handed: None,
            memory,
            pace: Pace::default(),
            silence,
        }
    }

    /// Serves the client until one of the two has enough.
    pub(crate) async fn serve(&mut self) {
        let ended = self.run().await;
        if let Err(error) = ended {
            debug!("{} is gone: {error}", self.client.address);
        }
        self.wire.close().await;
    }

    async fn run(&mut self) -> io::Result<()> {
        loop {
            let step = self.session.poll();
            self.tell_faults();
            match step {
                Step::Read if !self.memory.set(self.session.held()) => {
                    self.session.handle_no_room();
                }
                Step::Read => {
                    self.send().await?;
                    self.read().await?;
                }
                Step::Decide(question) => {
                    // What is known goes out before what may take a while.
                    if matches!(question, Question::Verdict(_) | Question::Message) {
                        self.send().await?;
                    }
                    let reply = self.decide(question).await;
                    self.session.handle_decision(&reply);
                }
                Step::StartTls => {
                    self.send().await?;
                    let handshake = self.wire.start_tls(&self.gateway.tls);
                    let patience = self.gateway.config.smtp_receive_timeout;
                    let done =
                        timeout(patience, handshake).await.map_err(io::Error::from).flatten();
                    if let Err(error) = done {
                        self.origin().handshake_failed(&error.to_string());
                        return Err(error);
                    }
                    self.session.handle_tls();
                }
                Step::Close => return self.send().await,
            }
        }
    }

    /// Whose events they are that happen now.
    fn origin(&self) -> Origin {
        let Self { gateway, client, session, message, .. } = self;
        let host = &gateway.config.session.primary_hostname;
        Origin::new(&gateway.events, host, client, session, *message)
    }

    fn tell_faults(&mut self) {
        let faults = self.session.take_faults();
        if !faults.is_empty() {
            let origin = self.origin();
            for (fault, reply) in &faults {
                origin.mistake(*fault, reply);
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
        if self.pace.is_awake() && self.read_awake().await? {
            return Ok(());
        }
        let Self { gateway, stop, wire, session, silence, .. } = self;
        let within_message = session.transaction().is_some();
        silence.as_mut().reset(Instant::now() + gateway.config.smtp_receive_timeout);
        tokio::select! {
            biased;
            read = wire.read(|bytes| session.handle_bytes(bytes)) => {
                if read? == 0 {
                    session.handle_end();
                }
            }
            _ = stop.wait_for(|&stop| stop), if !within_message => session.handle_stop(),
            () = silence.as_mut() => session.handle_timeout(),
        }
        Ok(())
    }

    /// Waits awake, unless the client waits for this very core; tells whether it has answered.
    async fn read_awake(&mut self) -> io::Result<bool> {
        let Self { wire, session, pace, .. } = self;
        let mut read = None;
        if !wire.shares_core() {
            read = wire.read_awake(Pace::AWAKE, |bytes| session.handle_bytes(bytes)).await?;
        }
        pace.answered(read.is_some());
        if read == Some(0) {
            session.handle_end();
        }
        Ok(read.is_some())
    }
}
