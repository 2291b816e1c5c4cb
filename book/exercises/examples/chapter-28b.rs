//! A harder exercise of chapter 28: a mailbox that wakes its readers.
//!
//! `receive` asks again and again whether there is a letter. Let it wait until `send` wakes it.
//! Think of two readers; of a reader whose letter is taken by another one before it has its turn;
//! and of one that has left its waker, and is dropped. Then run
//! `cargo run -p exercises -- check 28b`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use an_executor::{block_on, sleep, spawn, yield_now};

#[derive(Default)]
struct Mailbox {
    letters: RefCell<VecDeque<u32>>,
}

impl Mailbox {
    fn send(&self, letter: u32) {
        self.letters.borrow_mut().push_back(letter);
    }

    /// Takes the oldest letter, and waits if there is none.
    async fn receive(&self) -> u32 {
        loop {
            let letter = self.letters.borrow_mut().pop_front();
            if let Some(letter) = letter {
                return letter;
            }
            yield_now().await;
        }
    }
}

/// The argument: what happens.
fn main() {
    let what = std::env::args().nth(1).unwrap_or("two".into());
    block_on(async {
        let mailbox = Rc::new(Mailbox::default());
        let polls = Rc::new(Cell::new(0));
        match &*what {
            "two" => {
                read("reader one", &mailbox, &polls);
                read("reader two", &mailbox, &polls);
                pause().await;
                mailbox.send(1);
                pause().await;
                mailbox.send(2);
            }
            "taken" => {
                read("reader", &mailbox, &polls);
                pause().await;
                mailbox.send(1);
                println!("main: {}", mailbox.receive().await);
                pause().await;
                mailbox.send(2);
            }
            "dropped" => {
                poll_once(mailbox.receive()).await;
                read("reader", &mailbox, &polls);
                pause().await;
                mailbox.send(1);
            }
            other => panic!("two, taken or dropped, but not {other}"),
        }
        pause().await;
        println!("polls: {}", polls.get());
    });
}

/// Spawns a task that reads one letter. Its polls are counted.
fn read(name: &'static str, mailbox: &Rc<Mailbox>, polls: &Rc<Cell<usize>>) {
    let (mailbox, polls) = (mailbox.clone(), polls.clone());
    spawn(async move {
        let mut receive = pin!(mailbox.receive());
        let letter = poll_fn(|context| {
            polls.set(polls.get() + 1);
            receive.as_mut().poll(context)
        });
        println!("{name}: {}", letter.await);
    });
}

/// Long enough for all the others to wait.
async fn pause() {
    sleep(Duration::from_millis(20)).await;
}

/// Polls a future, and drops it half-way.
async fn poll_once(future: impl Future) {
    let mut future = pin!(future);
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending(), "there is no letter yet");
        Poll::Ready(())
    })
    .await;
}
