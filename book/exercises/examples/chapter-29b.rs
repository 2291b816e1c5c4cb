//! Harder exercise of chapter 29: frames that are copied to the heap, and back when they're needed,
//! as Java does it.
//!
//! A virtual thread runs on the stack of an OS thread, its carrier. When it waits, its frames are
//! copied to the heap. When it goes on, only its newest frame is copied back. The older ones follow
//! one by one, each when the frame above it returns. Frames of functions that aren't Java's (they
//! are *native*) can't be copied: then the thread is pinned, and nothing is.
//!
//! Write the three functions, each of which gives the number of frames that it has copied. Then
//! `cargo run -p exercises -- check 29b`.

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
        // Your turn. This is a beginning, and asks too few frames.
        if let Some(top) = self.stack.last()
            && top.is_native
        {
            return Err(top.name.clone());
        }
        self.heap = std::mem::take(&mut self.stack);
        Ok(self.heap.len())
    }

    /// Prepares the carrier's stack, so that the newest function can go on.
    fn mount(&mut self) -> usize {
        // Your turn.
        self.stack = std::mem::take(&mut self.heap);
        self.stack.len()
    }

    /// The newest function returns. Where it returns to has to be there.
    fn leave(&mut self) -> usize {
        // Your turn.
        self.stack.pop();
        0
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
