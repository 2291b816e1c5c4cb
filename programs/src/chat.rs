//! A chat over WebSockets: a hub knows everybody's outbox, and each connection has a thread that reads and a thread that
//! writes.

use std::collections::HashMap;

use tungstenite::{Message, Utf8Bytes, WebSocket, protocol::Role};

use super::lib::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};
use crate::Result;

enum Event {
    Join(usize, Sender<Utf8Bytes>),
    Say(usize, Utf8Bytes),
    Leave(usize),
}

/// Serves this many connections.
pub fn serve(listener: &TcpListener, connections: usize) -> Result {
    let (events, inbox) = channel();
    let hub = thread::spawn(|| hub(inbox));
    let mut sessions = Vec::new();
    for (guest, stream) in listener.incoming().take(connections).enumerate() {
        let (stream, events) = (stream?, events.clone());
        sessions.push(thread::spawn(move || session(stream, guest, events)));
    }
    drop(events);
    for session in sessions {
        session.join().expect("no panic")?;
    }
    hub.join().expect("no panic");
    Ok(())
}

/// Tells everybody everything, in one order, until all have left.
fn hub(events: Receiver<Event>) {
    let mut outboxes: HashMap<usize, Sender<Utf8Bytes>> = HashMap::new();
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
        // Whoever has gone leaves soon.
        outboxes.values().for_each(|outbox| _ = outbox.send(line.clone()));
    }
}

fn session(stream: TcpStream, guest: usize, events: Sender<Event>) -> Result {
    stream.set_nodelay(true)?;
    let mut reader = tungstenite::accept(stream.try_clone()?).map_err(|error| error.to_string())?;
    let mut writer = WebSocket::from_raw_socket(stream, Role::Server, None);

    let (outbox, lines) = channel();
    events.send(Event::Join(guest, outbox))?;
    let writing =
        thread::spawn(move || lines.into_iter().try_for_each(|line| writer.send(Message::Text(line))));
    loop {
        match reader.read()? {
            Message::Text(text) => events.send(Event::Say(guest, text))?,
            Message::Close(_) => break,
            _ => {}
        }
    }
    // The answer to a close goes out with the next read, and must be the last: so the writer ends first.
    events.send(Event::Leave(guest))?;
    writing.join().expect("no panic")?;
    match reader.read() {
        Err(tungstenite::Error::ConnectionClosed) => Ok(()),
        other => Err(format!("after the end there came {other:?}").into()),
    }
}

/// A guest, who has been greeted.
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

/// Eight guests who talk at once: all hear the same, everything, and each in the order of its words.
pub fn check() -> Result {
    const GUESTS: usize = 8;
    const WORDS: usize = 50;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || serve(&listener, GUESTS));

    // One after the other, so that guest 3 is who comes third.
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
    server.join().expect("no panic")?;

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
