//! The mutants, and the models that must find them.
//!
//! Each row makes one mistake in a line that a protocol between OS threads depends on. If no model
//! finds a mutant, either a test is missing, or the mutation changes nothing: then the row says
//! why.

use Caught::{Equivalent, Models};

/// The models that find a mutant.
#[derive(Clone, Copy)]
pub(crate) enum Caught {
    /// The models whose names begin so.
    Models(&'static str),
    /// No model finds it, for this reason.
    Equivalent(&'static str),
}

/// A file below `crates/greenthread/src`, a text that is in it once, and the text that replaces it.
pub(crate) struct Mutant {
    pub(crate) file: &'static str,
    pub(crate) text: &'static str,
    pub(crate) by: &'static str,
    pub(crate) caught: Caught,
}

const fn mutant(file: &'static str, text: &'static str, by: &'static str, caught: Caught) -> Mutant {
    Mutant { file, text, by, caught }
}

/// Memory orderings. With a weaker one, a thread may not see what another one wrote.
#[rustfmt::skip]
pub(crate) const ORDERINGS: &[Mutant] = &[
    mutant("sync/raw/spin.rs", "self.0.held.store(false, Release)", "self.0.held.store(false, Relaxed)", Models("spin::")),
    mutant("sync/raw/spin.rs", "if self.held.swap(true, Acquire)", "if self.held.swap(true, Relaxed)", Models("spin::")),
    mutant("sync/raw/spin.rs", "if !self.held.swap(true, Acquire)", "if !self.held.swap(true, Relaxed)", Models("spin::")),
    mutant("task/sleep_flag.rs", "self.0.store(ASLEEP, Relaxed);\n        fence(SeqCst);", "self.0.store(ASLEEP, Relaxed);", Models("sleep_flag::")),
    mutant("task/sleep_flag.rs", "-> bool {\n        fence(SeqCst);\n", "-> bool {\n", Models("sleep_flag::")),
    mutant("task/inbox.rs", "compare_exchange_weak(head, item, Release,", "compare_exchange_weak(head, item, Relaxed,", Models("inbox::")),
    mutant("task/inbox.rs", "self.head.swap(ptr::null_mut(), Acquire)", "self.head.swap(ptr::null_mut(), Relaxed)", Models("inbox::")),
    mutant("task/state.rs", "compare_exchange(IDLE, PARKED, AcqRel, Acquire)", "compare_exchange(IDLE, PARKED, Acquire, Acquire)", Models("state::")),
    mutant("task/state.rs", "compare_exchange(IDLE, PARKED, AcqRel, Acquire)", "compare_exchange(IDLE, PARKED, AcqRel, Relaxed)", Models("state::")),
    mutant("task/state.rs", "compare_exchange_weak(seen, to, AcqRel, Relaxed)", "compare_exchange_weak(seen, to, Acquire, Relaxed)", Models("state::")),
    mutant("task/state.rs", "compare_exchange_weak(seen, to, AcqRel, Relaxed)", "compare_exchange_weak(seen, to, Release, Relaxed)", Models("state::")),
    mutant("task/state.rs", "self.0.store(to, Release)", "self.0.store(to, Relaxed)", Equivalent("the waiter has parked: it runs when it is resumed, and the wake-up that is owed releases the same")),
    mutant("task/state.rs", "self.0.swap(WOKEN, AcqRel)", "self.0.swap(WOKEN, Acquire)", Models("state::")),
    mutant("task/state.rs", "outcome_of(self.0.load(Acquire))", "outcome_of(self.0.load(Relaxed))", Models("state::")),
    mutant("task/notes.rs", "marks.fetch_or(NOTED, Release)", "marks.fetch_or(NOTED, Relaxed)", Models("notes::a_second")),
    mutant("task/notes.rs", "marks.fetch_and(!NOTED, Acquire)", "marks.fetch_and(!NOTED, Relaxed)", Models("notes::a_second")),
    mutant("task/tree_lock.rs", "self.0.swap(held, Acquire)", "self.0.swap(held, Release)", Models("spin::a_list")),
    mutant("task/tree_lock.rs", "self.0.store(FREE, Release)", "self.0.swap(FREE, Acquire)", Models("spin::a_list")),
    mutant("task/cancel_node.rs", "self.state.load(Acquire)", "self.state.load(Relaxed)", Models("cancel::a_look")),
    mutant("task/cancel_node.rs", "cause as u8, Release, Relaxed)", "cause as u8, Relaxed, Relaxed)", Models("cancel::a_look")),
    mutant("task/deque.rs", "self.bottom.store(bottom.wrapping_add(1), Release)", "self.bottom.store(bottom.wrapping_add(1), Relaxed)", Models("deque::")),
    mutant("task/deque.rs", "self.bottom.load(Acquire)", "self.bottom.load(Relaxed)", Models("deque::")),
    mutant("task/deque.rs", "self.bottom.store(low, Release);\n        fence(SeqCst);", "self.bottom.store(low, Release);", Models("deque::")),
    mutant("task/deque.rs", "loop {\n            fence(SeqCst);", "loop {", Models("deque::")),
    mutant("task/deque.rs", "slot.store(reserved(), Relaxed);\n            fence(SeqCst);", "slot.store(reserved(), Relaxed);", Models("deque::")),
    mutant("task/cycle.rs", "fence(SeqCst);\n    if !from", "if !from", Models("cycle::of_two")),
    mutant("task/cycle.rs", "walkers.fetch_add(1, Relaxed);\n    fence(SeqCst);", "walkers.fetch_add(1, Relaxed);", Models("cycle::of_two")),
    mutant("task/cycle.rs", "pause: impl Fn()) {\n    fence(SeqCst);", "pause: impl Fn()) {", Models("cycle::of_two")),
    mutant("task/cycle.rs", "walkers.fetch_sub(1, Release)", "walkers.fetch_sub(1, Relaxed)", Models("cycle::of_two")),
    mutant("task/cycle.rs", "count.load(Acquire)", "count.load(Relaxed)", Models("cycle::of_two")),
    mutant("scheduler/idle.rs", "fence(SeqCst);\n        if self.is_anyone_away()", "if self.is_anyone_away()", Models("idle::two_spawners")),
    mutant("scheduler/idle.rs", "            fence(SeqCst);\n        }\n        last", "        }\n        last", Models("idle::a_busy_grace_sleeper")),
    mutant("sync/raw/mutex.rs", "compare_exchange(seen, 0, Release, Relaxed)", "compare_exchange(seen, 0, Relaxed, Relaxed)", Models("mutex::")),
    mutant("sync/raw/mutex.rs", "self.state.store(state, Release)", "self.state.store(state, Relaxed)", Models("mutex::")),
    mutant("sync/raw/rwlock.rs", "fetch_sub(ONE, Release)", "fetch_sub(ONE, Relaxed)", Models("rwlock::a_writer_excludes")),
    mutant("sync/raw/once.rs", "self.state.load(Acquire) == COMPLETE", "self.state.load(Relaxed) == COMPLETE", Models("once::")),
    mutant("sync/raw/once.rs", "self.state.swap(step, AcqRel)", "self.state.swap(step, Acquire)", Models("once::")),
];

/// Lines of logic.
#[rustfmt::skip]
pub(crate) const LOGIC: &[Mutant] = &[
    mutant("scheduler/idle.rs", "injected() != 0 || workers", "workers", Models("idle::two_spawners")),
    mutant("scheduler/idle.rs", " || workers.iter().any(Sleeper::has_unstarted)", "", Models("idle::two_spawners")),
    mutant("scheduler/idle.rs", "!me.has_mail() && ", "", Models("sleep_flag::")),
    mutant("scheduler/idle.rs", " && !any_unstarted(workers, injected)", "", Models("idle::two_spawners")),
    mutant("scheduler/idle.rs", "self.end_search() && any_unstarted", "!self.end_search() && any_unstarted", Models("idle::a_busy_grace_sleeper")),
    mutant("scheduler/idle.rs", "            self.searching.fetch_sub(1, AcqRel);\n            fence(SeqCst);\n", "            return None;\n", Models("idle::two_spawners")),
    mutant("task/sleep_flag.rs", "self.0.swap(AWAKE, Acquire) == WOKEN_TO_SEARCH", "self.0.swap(AWAKE, Acquire) > WOKEN_TO_SEARCH", Models("idle::one_searcher")),
    mutant("task/sleep_flag.rs", " && self.0.compare_exchange(ASLEEP, AWAKE, Release, Relaxed).is_ok()", "", Models("sleep_flag::")),
    mutant("task/inbox.rs", "return head.is_null()", "return !head.is_null()", Models("inbox::")),
    mutant("task/state.rs", "self.0.swap(WOKEN, AcqRel) == PARKED", "self.0.swap(WOKEN, AcqRel) != IDLE", Models("state::")),
    mutant("task/state.rs", "self.0.swap(IDLE, AcqRel) == WOKEN", "self.0.swap(IDLE, AcqRel) != IDLE", Models("state::")),
    mutant("task/notes.rs", "fetch_or(NOTED, Release) & NOTED == 0", "fetch_or(NOTED, Release) & NOTED != 0", Models("notes::each_thread")),
    mutant("task/notes.rs", "marks.fetch_and(!NOTED, Acquire)", "marks.load(Acquire)", Models("notes::a_second")),
    mutant("task/notes.rs", "self.is_empty.store(false, Relaxed)", "self.is_empty.store(true, Relaxed)", Models("notes::a_second")),
    mutant("task/notes.rs", "self.is_empty.store(list.is_empty(), Relaxed)", "self.is_empty.store(true, Relaxed)", Models("notes::each_thread")),
    mutant("task/cancel_node.rs", "Some(child) if !child.is_shield => break child,\n                    Some(shield) => next = shield.links(In::Parent).next.get(),", "Some(child) => break child,", Models("cancel::a_walk")),
    mutant("task/cancel_node.rs", "            at.children.lock.lock();\n", "", Models("cancel::")),
    mutant("task/cancel_node.rs", "                        at.children.lock.unlock();\n", "", Models("cancel::a_walk")),
    mutant("task/cancel_node.rs", "next = at.links(In::Parent).next.get();", "next = ptr::null();", Models("cancel::a_walk")),
    mutant("task/cancel_node.rs", "first.links(which).previous.set(node);", "_ = first;", Models("cancel::")),
    mutant("task/cancel_node.rs", "Some(previous) => previous.links(which).next.set(next),", "Some(_) => {}", Models("cancel::")),
    mutant("task/cancel_node.rs", "next.links(which).previous.set(previous);", "_ = next;", Models("cancel::")),
    mutant("sys/parker.rs", "self.changed.notify_one();\n        if let Some(alarm)", "if let Some(alarm)", Models("cancel::")),
    mutant("sys/parker.rs", "if interruptible && mem::take", "if mem::take", Models("cancel::")),
    mutant("sys/parker.rs", "token = true;\n        self.changed.notify_one();", "token = true;", Models("cancel::")),
    mutant("task/state.rs", "compare_exchange(PARKED, IDLE, AcqRel, Acquire) {", "compare_exchange(PARKED, PARKED, AcqRel, Acquire) {", Models("cancel::")),
    mutant("task/state.rs", "Err(seen) => seen == PARKED_FOR_ONE", "Err(_) => true", Models("cancel::")),
    mutant("task/cycle.rs", "    if !from.has_dependent() {\n        return false;\n    }\n", "", Equivalent("the walk ends at once where nobody depends on it")),
    mutant("task/cycle.rs", "    if !unsafe { leads_to(from, to) } {\n        return false;\n    }\n", "", Models("cycle::of_two")),
    mutant("task/cycle.rs", "count.load(Acquire) != 0", "count.load(Acquire) > 1", Models("cycle::of_two")),
    mutant("task/depot.rs", "            lists.surplus = lists.surplus.min(lists.all.len());\n", "", Models("depot::each")),
    mutant("task/deque.rs", ">= N {", "> N {", Models("deque::")),
    mutant("task/deque.rs", "        if low == top {\n            return self.pop_last(top);\n        }\n", "", Equivalent("what comes instead ends there, too, by way of a fence: `low` is not above `top`, which only grows")),
    mutant("task/deque.rs", "(low.wrapping_sub(top) as isize) > 0", "(low.wrapping_sub(top) as isize) >= 0", Models("deque::")),
    mutant("task/deque.rs", "        self.bottom.store(end, Relaxed);\n        self.pop_last(top)", "        self.pop_last(top)", Models("deque::")),
    mutant("task/deque.rs", "item == reserved() || ", "", Models("deque::")),
    mutant("sync/raw/mutex.rs", "seen & QUEUED != 0 || self", "self", Models("mutex::")),
    mutant("sync/raw/mutex.rs", "            if seen & LOCKED == 0 {\n                return false;\n            }\n", "", Models("mutex::")),
    mutant("sync/raw/mutex.rs", "thread.handed.set(hand_over)", "thread.handed.set(false)", Models("mutex::")),
    mutant("sync/raw/condvar.rs", "        self.occupied.store(true, Relaxed);\n", "", Models("condvar::all_are")),
    mutant("sync/raw/condvar.rs", "drop(waiting);\n        // SAFETY: the caller holds the mutex.\n        unsafe { mutex.unlock() };", "// SAFETY: the caller holds the mutex.\n        unsafe { mutex.unlock() };\n        drop(waiting);", Equivalent("the two locks are given back one after the other: a notifier waits a little longer for the inner one")),
    mutant("sync/raw/once.rs", "            if !unsettled(seen & STEP) {\n                return;\n            }\n", "", Models("once::")),
    // A queued reader blocks no other thread: a releaser dequeues it and finds its claim lost, and
    // a writer at the bar is handed the lock past it. A reader that gives up leaves QUEUED set,
    // with an empty queue. A reader is queued only while a writer holds the lock, or while there is
    // a bar. A bar stands while a writer is queued, or was woken and is about to lock. Each of
    // these clears QUEUED: the holder by its unlock, the queued writer when it has had the lock or
    // gives up, and the woken writer when it takes the lock or is queued again.
    mutant("sync/raw/rwlock.rs", "unsafe { waiting.readers.remove(&node) };\n            self.wake_next(waiting);", "unsafe { waiting.readers.remove(&node) };", Equivalent("the thread that the reader queued behind clears QUEUED when it leaves")),
    mutant("sync/raw/rwlock.rs", "unsafe { waiting.writers.remove(&node) };\n                self.wake_next(waiting);", "unsafe { waiting.writers.remove(&node) };", Models("rwlock::giving_up_lets")),
    mutant("sync/raw/semaphore.rs", "        self.grant(waiting);\n        was_queued", "        was_queued", Models("semaphore::")),
    mutant("sync/chan/core.rs", "self.senders.fetch_sub(1, AcqRel) == 1", "self.senders.fetch_sub(1, AcqRel) == 0", Models("channel::")),
    mutant("sync/chan/core.rs", "let wake = if state.senders.is_empty() { None } else { state.refill() };", "let wake: Option<Wake> = None;", Models("channel::")),
    mutant("sync/chan/core.rs", "                slot.exchange.set(Exchange::None);\n                message = slot.read();", "                message = slot.read();", Models("channel::")),
];
