//! Answer of the harder exercise of chapter 29.

struct Frame {
    name: String,
    is_native: bool,
}

/// The frames of a thread, the oldest first.
#[derive(Default)]
struct Thread {
    /// Those on the stack of the carrier: the newest.
    stack: Vec<Frame>,
    /// Those on the heap, all of them older.
    heap: Vec<Frame>,
}

impl Thread {
    /// Makes the carrier's stack free for another thread; or gives the name of the newest frame
    /// that can't be copied.
    fn unmount(&mut self) -> Result<usize, String> {
        if let Some(native) = self.stack.iter().rev().find(|it| it.is_native) {
            return Err(native.name.clone());
        }
        let copied = self.stack.len();
        // What is on the heap still was never copied back, and is older.
        self.heap.append(&mut self.stack);
        Ok(copied)
    }

    /// Prepares the carrier's stack, so that the newest function can go on.
    fn mount(&mut self) -> usize {
        self.stack.extend(self.heap.pop());
        self.stack.len()
    }

    /// The newest function returns. Where it returns to has to be there.
    fn leave(&mut self) -> usize {
        self.stack.pop();
        if self.stack.is_empty() { self.mount() } else { 0 }
    }
}

/// The arguments: `NAME` and `native:NAME` call functions; the others are `return`, `unmount` and
/// `mount`.
fn main() {
    let mut thread = Thread::default();
    for what in std::env::args().skip(1) {
        let copied = match &*what {
            "unmount" => thread.unmount(),
            "mount" => Ok(thread.mount()),
            "return" => Ok(thread.leave()),
            name => {
                let is_native = name.starts_with("native:");
                let name = name.trim_start_matches("native:").to_owned();
                thread.stack.push(Frame { name, is_native });
                Ok(0)
            }
        };
        let names = |frames: &[Frame]| frames.iter().map(|it| format!(" {}", it.name)).collect::<String>();
        let copied = copied.map_or_else(|name| format!("pinned by {name}"), |it| format!("copied {it}"));
        println!("{what}: {copied}; heap:{}; stack:{}", names(&thread.heap), names(&thread.stack));
    }
}
