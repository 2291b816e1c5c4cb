//! Three ways to end what is suspended: a future is dropped, a stack is unwound, and a future is
//! forgotten.

use std::mem;
use std::task::{Context, Waker};

use an_executor::yield_now;
use panics::Generator;

struct File(&'static str);

impl Drop for File {
    fn drop(&mut self) {
        println!("{} is written to the disk", self.0);
    }
}

async fn work(file: File) {
    yield_now().await;
    println!("{} is complete", file.0);
}

fn main() -> std::io::Result<()> {
    let mut nobody = Context::from_waker(Waker::noop());
    let mut task = Box::pin(work(File("the task's file")));
    println!("{:?}", task.as_mut().poll(&mut nobody));
    drop(task);

    let mut generator = Generator::new(|yielder| {
        let file = File("the generator's file");
        yielder.give("suspended");
        println!("{} is complete", file.0);
    })?;
    println!("{:?}", generator.next());
    drop(generator);

    let mut task = Box::pin(work(File("the forgotten file")));
    println!("{:?}", task.as_mut().poll(&mut nobody));
    mem::forget(task);
    Ok(())
}
