//! A chat over WebSockets: a hub knows everybody's outbox, and each connection has a thread that
//! reads and a thread that writes.

use std::{collections::HashMap, time::Duration};

use tungstenite::{
    Message, Utf8Bytes, WebSocket,
    protocol::{Role, WebSocketConfig},
};

use super::{
    lib::{
        net::{Shutdown, SocketAddr, TcpListener, TcpStream},
        sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
        thread,
    },
    limits::Sessions,
};
use crate::Result;

/// The longest message. Its memory is taken when its length comes, before the message itself.
const MOST_MESSAGE: usize = 64 << 10;
/// The most unread lines of a guest. A guest with more is taken to be gone.
const MOST_UNREAD: usize = 1024;
/// The time limit of the handshake.
const TIMEOUT: Duration = Duration::from_secs(10);

enum Event {
    Join(usize, Outbox),
    Say(usize, Utf8Bytes),
    Leave(usize),
}

/// A guest's lines, and the queue to its writer.
struct Outbox {
    lines: SyncSender<Utf8Bytes>,
    stream: TcpStream,
}

/// Serves this many connections, and returns how many have ended in good order.
pub fn serve(listener: &TcpListener, connections: usize) -> Result<usize> {
    let (events, inbox) = channel();
    let hub = thread::spawn(|| hub(inbox));
    let mut sessions = Sessions::default();
    for (guest, stream) in listener.incoming().take(connections).enumerate() {
        let (stream, events) = (stream?, events.clone());
        sessions.spawn(move || usize::from(session(stream, guest, events).is_ok()));
    }
    drop(events);
    let orderly = sessions.join();
    hub.join().expect("no panic");
    Ok(orderly)
}

/// Tells everybody everything, in one order, until all have left.
fn hub(events: Receiver<Event>) {
    let mut outboxes: HashMap<usize, Outbox> = HashMap::new();
    for event in events {
        let line = match event {
            Event::Join(guest, outbox) => {
                outboxes.insert(guest, outbox);
                format!("* {guest} has joined").into()
            }
            Event::Say(guest, text) => format!("{guest}: {text}").into(),
            Event::Leave(guest) => {
                outboxes.remove(&guest);
                format!("* {guest} has left").into()
            }
        };
        let line: Utf8Bytes = line;
        // A guest that has gone leaves soon. A guest that doesn't read is removed.
        outboxes.values().for_each(|outbox| {
            if outbox.lines.try_send(line.clone()).is_err() {
                _ = outbox.stream.shutdown(Shutdown::Both);
            }
        });
    }
}

fn session(stream: TcpStream, guest: usize, events: Sender<Event>) -> Result {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let config = WebSocketConfig::default()
        .read_buffer_size(8 << 10)
        .max_message_size(Some(MOST_MESSAGE))
        .max_frame_size(Some(MOST_MESSAGE));
    let mut reader = tungstenite::accept_with_config(stream.try_clone()?, Some(config))
        .map_err(|error| error.to_string())?;
    stream.set_read_timeout(None)?;
    let mut writer = WebSocket::from_raw_socket(stream.try_clone()?, Role::Server, Some(config));

    let (outbox, lines) = sync_channel(MOST_UNREAD);
    let writing = thread::Builder::new()
        .spawn(move || lines.into_iter().try_for_each(|line| writer.send(Message::Text(line))))?;
    events.send(Event::Join(guest, Outbox { lines: outbox, stream }))?;
    let left = listen(&mut reader, guest, &events);
    // The answer to a close goes out with the next read, and must be the last message. So the
    // writer ends first.
    events.send(Event::Leave(guest))?;
    let written = writing.join().expect("no panic");
    left?;
    written?;
    match reader.read() {
        Err(tungstenite::Error::ConnectionClosed) => Ok(()),
        other => Err(format!("after the end there came {other:?}").into()),
    }
}

/// Passes on what a guest says, until it closes.
fn listen(reader: &mut WebSocket<TcpStream>, guest: usize, events: &Sender<Event>) -> Result {
    loop {
        match reader.read()? {
            Message::Text(text) => events.send(Event::Say(guest, text))?,
            Message::Close(_) => return Ok(()),
            _ => {}
        }
    }
}

/// A guest that has been greeted.
pub struct Guest {
    socket: WebSocket<TcpStream>,
}

impl Guest {
    pub fn join(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let (socket, answer) = tungstenite::client(format!("ws://{address}/chat"), stream)?;
        assert_eq!(answer.status(), 101);
        let mut guest = Self { socket };
        assert!(guest.hear()?.ends_with("has joined"));
        Ok(guest)
    }

    pub fn say(&mut self, text: String) -> Result {
        Ok(self.socket.send(Message::Text(text.into()))?)
    }

    pub fn hear(&mut self) -> Result<Utf8Bytes> {
        loop {
            if let Message::Text(line) = self.socket.read()? {
                return Ok(line);
            }
        }
    }

    /// Closes the connection in good order.
    pub fn leave(mut self) -> Result {
        self.socket.close(None)?;
        loop {
            match self.socket.read() {
                Ok(_) => {}
                Err(tungstenite::Error::ConnectionClosed) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Eight guests talk at once. All hear the same, and all of it, and each guest's lines in their
/// order.
pub fn check() -> Result {
    const GUESTS: usize = 8;
    const WORDS: usize = 50;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || serve(&listener, GUESTS));

    // The guests come one after the other, so that guest 3 comes third.
    let guests = (0..GUESTS).map(|_| Guest::join(address)).collect::<Result<Vec<_>>>()?;
    let talks: Vec<_> = guests
        .into_iter()
        .enumerate()
        .map(|(own, mut guest)| {
            thread::spawn(move || -> Result<Vec<String>> {
                let mut heard = Vec::new();
                let hear = |guest: &mut Guest, heard: &mut Vec<String>| -> Result<String> {
                    let line = guest.hear()?.to_string();
                    if !line.starts_with('*') {
                        heard.push(line.clone());
                    }
                    Ok(line)
                };
                for word in 0..WORDS {
                    guest.say(format!("word {word}"))?;
                    // The hub has told it everything up to its own words.
                    while hear(&mut guest, &mut heard)? != format!("{own}: word {word}") {}
                }
                while heard.len() < GUESTS * WORDS {
                    hear(&mut guest, &mut heard)?;
                }
                guest.leave()?;
                Ok(heard)
            })
        })
        .collect();
    let heard = talks.into_iter().map(|talk| talk.join().expect("no panic")).collect::<Result<Vec<_>>>()?;
    assert_eq!(server.join().expect("no panic")?, GUESTS, "all have left in good order");

    for other in &heard {
        assert_eq!(*other, heard[0], "all hear the same");
    }
    for guest in 0..GUESTS {
        let prefix = format!("{guest}: ");
        let words: Vec<_> = heard[0].iter().filter_map(|line| line.strip_prefix(&prefix)).collect();
        assert_eq!(words, (0..WORDS).map(|word| format!("word {word}")).collect::<Vec<_>>());
    }
    Ok(())
}
