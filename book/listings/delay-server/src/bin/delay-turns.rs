//! Three conversations on one OS thread. Each turn in which something happens is printed.

use delay_server::by_hand::{Conversation, Turn};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // The clients stay in this list, so that nobody hangs up.
    let (mut conversations, mut clients) = (Vec::new(), Vec::new());
    for (name, millis) in [("one", 900), ("two", 300), ("three", 600)] {
        let mut client = TcpStream::connect(address)?;
        client.write_all(format!("{millis}\n").as_bytes())?;
        clients.push(client);
        conversations.push((name, millis, Conversation::new(listener.accept()?.0)?));
    }
    let mut answers = 0;
    while answers < 3 {
        for (name, millis, conversation) in &mut conversations {
            match conversation.turn() {
                Turn::Heard => println!("{name}: {millis}"),
                Turn::Answered => {
                    println!("{name}: ✓");
                    answers += 1;
                }
                Turn::Nothing | Turn::Ended => {}
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
