//! A connection: the driver of its session.

mod authenticate;
mod decide;
mod hand_over;
mod handshake;
mod measure;
pub(crate) mod pace;
mod stop_clock;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tracing::debug;

use self::authenticate::MessageProgress;
use self::pace::Pace;
use self::stop_clock::StopClock;
use super::gateway::{Gateway, Live};
use super::memory::{Room, Share};
use super::wire::Wire;
use crate::gateway::delivery::destination::Destination;
use crate::gateway::delivery::message_outcome::MessageOutcome;
use crate::gateway::events::origin::Origin;
use crate::gateway::message::id::MessageId;
use crate::gateway::policy::state::{Notes, PolicyState};
use crate::gateway::smtp::peer::Client;
use crate::gateway::smtp::session::{Question, Session, SessionStep};
use crate::gateway::telemetry::log;
use crate::gateway::telemetry::metrics::words::TlsStart;

/// A connection with its client.
pub(crate) struct Connection {
    gateway: Arc<Gateway>,
    live: Arc<Live>,
    stop: watch::Receiver<Option<Instant>>,
    clock: StopClock,
    wire: Wire,
    client: Client,
    session: Session,
    delivery: Destination,
    state: PolicyState,
    /// The notes of the rules at connect, which stay when TLS is started.
    at_connect: Notes,
    progress: MessageProgress,
    /// The identifier of the message, from `MAIL` on.
    message: Option<MessageId>,
    /// The outcome of a message that was handed over before its first reply.
    outcome: Option<MessageOutcome>,
    /// Whether a rule ends the connection.
    drops: bool,
    memory: Share,
    pace: Pace,
    /// The timer for the client's silence. It is reset for each wait, since a new timer costs more.
    silence: Pin<Box<Sleep>>,
}

impl Connection {
    pub(crate) async fn new(
        gateway: Arc<Gateway>,
        live: Arc<Live>,
        wire: Wire,
        client: Client,
    ) -> Self {
        let (lists, limiter) = (&live.settings.clients, &gateway.limiter);
        let mut settings = Arc::clone(&live.session);
        if !live.is_in(&lists.tls_advertise_hosts, &client, limiter).await {
            Arc::make_mut(&mut settings).tls_advertise = false;
        }
        let counted = match &lists.smtp_max_refused_hosts {
            Some(hosts) => live.is_in(hosts, &client, limiter).await,
            None => !client.is_ours(),
        };
        if !counted {
            Arc::make_mut(&mut settings).smtp_max_refused = 0;
        }
        let junk_helo = live.is_in(&lists.helo_accept_junk_hosts, &client, limiter).await;
        let (session, stop) = (Session::new(settings, junk_helo), gateway.stop.subscribe());
        let memory = Share::new(Arc::clone(&gateway.memory));
        let silence = Box::pin(sleep(live.settings.smtp_receive_timeout));
        Self {
            gateway,
            live,
            clock: StopClock(stop.clone()),
            stop,
            wire,
            client,
            session,
            delivery: Destination::default(),
            state: PolicyState::default(),
            at_connect: Notes::default(),
            progress: MessageProgress::default(),
            message: None,
            outcome: None,
            drops: false,
            memory,
            pace: Pace::default(),
            silence,
        }
    }

    /// Serves the client until the end of the connection.
    pub(crate) async fn serve(&mut self, tls_on_connect: bool) {
        let ready = if tls_on_connect { self.start_tls(TlsStart::OnConnect).await } else { Ok(()) };
        let ended = match ready {
            Ok(()) => self.run().await,
            error => error,
        };
        if let Err(error) = ended {
            debug!("{} disconnected: {error}", self.client.address);
        }
        self.session.handle_end();
        self.count_unasked();
        self.memory.set(0, None);
        self.gateway.deadlines.closing(&mut self.stop, self.wire.close()).await;
    }

    async fn run(&mut self) -> io::Result<()> {
        loop {
            let step = self.session.poll();
            self.tell_faults();
            self.count_unasked();
            match step {
                SessionStep::Read => match self.settle_memory() {
                    Room::Evicted => {
                        self.metrics().evictions.count(());
                        self.session.handle_eviction();
                    }
                    Room::Granted | Room::Full => {
                        self.send().await?;
                        self.read().await?;
                    }
                },
                SessionStep::Turn => {
                    self.send().await?;
                    self.let_others().await;
                }
                SessionStep::Pause(wait) => {
                    self.send().await?;
                    sleep(wait).await;
                    self.session.handle_pause_end();
                }
                SessionStep::Decide(question) => {
                    // Send the known replies before a question that may take time.
                    if matches!(question, Question::Verdict(_) | Question::Message) {
                        self.memory.set(self.session.held(), None);
                        self.send().await?;
                    } else if self.live.settings.rules.has_delays() {
                        self.send().await?;
                    }
                    let reply = self.decide(question).await;
                    if self.drops {
                        self.session.handle_drop(&reply);
                    } else {
                        self.session.handle_decision(&reply);
                    }
                }
                SessionStep::StartTls => self.start_tls(TlsStart::Starttls).await?,
                SessionStep::Close => return self.send().await,
            }
        }
    }

    /// Lets other connections run, for longer if this client has had many turns. The wait ends when the
    /// server stops.
    async fn let_others(&mut self) {
        let Self { session, stop, .. } = self;
        if !session.is_long_winded() {
            return yield_now().await;
        }
        tokio::select! {
            () = sleep(TURN) => {}
            _ = stop.wait_for(Option::is_some) => session.handle_stop(),
        }
    }

    /// The origin of current events.
    fn origin(&self) -> Origin {
        let Self { gateway, live, client, session, message, .. } = self;
        let host = &live.session.primary_hostname;
        Origin::new(&gateway.events, host, client, session, *message)
    }

    fn tell_faults(&mut self) {
        let is_stray = self.session.take_stray_header();
        if is_stray {
            log::stray_proxy_header(&self.gateway.limiter, &self.client);
        }
        let faults = self.session.take_faults();
        if !faults.is_empty() {
            let origin = self.origin();
            for (fault, reply) in &faults {
                measure::mistake(self.metrics(), *fault);
                origin.mistake(*fault, reply);
                if !is_stray {
                    log::mistake(&self.gateway.limiter, &self.session, &self.client, *fault, reply);
                }
            }
        }
    }

    /// Reports the memory of the session; a message without room is dropped.
    fn settle_memory(&mut self) -> Room {
        let Self { session, memory, .. } = self;
        let room = memory.set(session.held(), session.received());
        if room == Room::Full {
            session.handle_no_room();
            memory.set(session.held(), session.received());
        }
        room
    }

    async fn start_tls(&mut self, start: TlsStart) -> io::Result<()> {
        self.send().await?;
        let done = self.secure().await;
        self.metrics().handshakes.count((start, measure::handshake(&done)));
        done
    }

    async fn secure(&mut self) -> io::Result<()> {
        let patience = self.live.settings.smtp_receive_timeout;
        let mut stop = self.stop.clone();
        let done = tokio::select! {
            done = timeout(patience, Box::pin(self.handshake())) => done,
            _ = stop.wait_for(Option::is_some) => return Err(io::ErrorKind::Interrupted.into()),
        };
        if let Err(error) = done.map_err(io::Error::from).flatten() {
            // That of a PROXY header has its line.
            if error.kind() != io::ErrorKind::Unsupported {
                log::failed_handshake(&self.gateway.limiter, &self.session, &self.client, &error);
            }
            self.origin().handshake_failed(&error.to_string());
            return Err(error);
        }
        self.session.handle_tls();
        // RFC 3207 section 4.2: whatever the client has said in clear text may be another's.
        self.state.start_message();
        self.state.go_back(self.at_connect.clone());
        self.delivery = Destination::default();
        Ok(())
    }

    /// Sends the output, within a time limit, which is shorter after the end of the session and when the
    /// server stops.
    async fn send(&mut self) -> io::Result<()> {
        if !self.session.has_output() {
            return Ok(());
        }
        let output = self.session.take_output();
        let Self { gateway, live, stop, wire, session, .. } = self;
        if session.is_closed() {
            let written = gateway.deadlines.closing(stop, wire.write(&output)).await;
            return written.unwrap_or(Err(TIMED_OUT.into()));
        }
        tokio::select! {
            biased;
            written = timeout(live.settings.smtp_receive_timeout, wire.write(&output)) => written?,
            () = gateway.deadlines.stopping(stop) => Err(TIMED_OUT.into()),
        }
    }

    /// Waits for the client's input, up to the limit of its silence, or until the server stops: a message under
    /// way has a time to end.
    async fn read(&mut self) -> io::Result<()> {
        if self.pace.is_awake() && self.read_awake().await? {
            return Ok(());
        }
        let Self { gateway, live, stop, wire, session, silence, memory, .. } = self;
        let within_message = session.transaction().is_some();
        silence.as_mut().reset(Instant::now() + live.settings.smtp_receive_timeout);
        tokio::select! {
            biased;
            read = wire.read(|bytes| session.handle_bytes(bytes)) => {
                if read? == 0 {
                    session.handle_end();
                }
            }
            () = gateway.deadlines.last_call(stop, within_message) => session.handle_stop(),
            () = memory.evicted(), if memory.is_held() => {} // The next `settle_memory` reports it.
            () = silence.as_mut() => session.handle_timeout(),
        }
        Ok(())
    }

    /// Waits without sleeping, unless the client needs this core; tells whether input has arrived.
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

/// The turn of other connections after very many commands of one client: a stream of them would else
/// occupy a core, and its replies another.
const TURN: Duration = Duration::from_millis(1);
const TIMED_OUT: io::ErrorKind = io::ErrorKind::TimedOut;
