//! Three ways to end what is suspended: a future is dropped, a stack is unwound, and a future is
//! forgotten.

use std::future::poll_fn;
use std::mem;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use an_executor::{block_on, sleep};
use panics::Generator;

struct File(&'static str);

impl Drop for File {
    fn drop(&mut self) {
        println!("{} is written to the disk", self.0);
    }
}

async fn work(file: File) {
    sleep(Duration::from_secs(3600)).await;
    println!("{} is complete", file.0);
}

/// Waits for a future, but only for so long.
async fn timeout<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut alarm) = (pin!(future), pin!(sleep(time)));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => alarm.as_mut().poll(context).map(|()| None),
    })
    .await
}

fn main() -> std::io::Result<()> {
    let time = Duration::from_millis(20);
    println!("{:?}", block_on(timeout(time, work(File("the task's file")))));

    let mut generator = Generator::new(|yielder| {
        let file = File("the generator's file");
        yielder.give(());
        println!("{} is complete", file.0);
    })?;
    println!("{:?}", generator.next());
    drop(generator);

    let mut task = Box::pin(work(File("the forgotten file")));
    println!("{:?}", block_on(timeout(time, task.as_mut())));
    mem::forget(task);
    Ok(())
}
