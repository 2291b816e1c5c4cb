//! The values that a green thread keeps of the thread-locals which it has used
//! (`thread::LocalKey`).
//!
//! A thread that uses none has a null pointer. The first use makes a small hash table, from the
//! keys' addresses to boxes with the values; it grows with the keys that this thread uses, whatever
//! their number in the program.
//!
//! At the thread's end, on its own stack, the values that have a destructor are destroyed, the
//! youngest first. A destructor may make further values; they are the youngest then. It may block,
//! and siblings run meanwhile.
//!
//! Invariants:
//! 1. A table is touched by its own thread only, and no reference into it is kept while anything of
//!    the user's runs.
//! 2. An entry's key is the address of a static `LocalKey<T>`, so it means one `T`; its node is
//!    null once the value has been destroyed, else a leaked `Box<Node<T>>`.
//! 3. A node stays where it is until it is destroyed, at the thread's end. A [`Use`] of its value
//!    keeps it from that: on the thread's own stack there is none any more by then, but a coroutine
//!    may have one, suspended in the middle of a `with`, and live on in another thread. Then value
//!    and node stay for ever.
//! 4. The list from `newest` on holds exactly the nodes whose values have a destructor and have not
//!    been destroyed.

use core::{
    cell::Cell,
    mem::{self, needs_drop},
    ops::Deref,
    ptr::{self, NonNull},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process,
};

use crate::sys::stderr::write_last_words;

/// A key: the address of its static.
pub(crate) type Key = *const ();

/// The beginning of each node.
#[derive(Debug)]
struct Header {
    key: Key,
    /// The next older one with a destructor.
    older: *mut Header,
    /// How many have a reference to the value.
    uses: Cell<usize>,
    /// Drops and frees the node.
    free: unsafe fn(*mut Header),
}

#[repr(C)]
struct Node<T> {
    header: Header,
    value: T,
}

/// A value while somebody uses it. It stays on the OS thread: it isn't `Send`.
#[derive(Debug)]
pub(crate) struct Use<T>(NonNull<Node<T>>);

impl<T> Use<T> {
    /// # Safety
    /// The node is alive: in the table, and not destroyed.
    #[inline]
    unsafe fn new(node: NonNull<Node<T>>) -> Self {
        // SAFETY: the caller vouches that it is alive. Each use has a frame or an object of its
        // own: they don't overflow the count.
        let uses = unsafe { &(*node.as_ptr()).header.uses };
        uses.set(uses.get() + 1);
        Self(node)
    }
}

impl<T> Deref for Use<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: kept by this use, and only ever shared (invariant 3).
        unsafe { &self.0.as_ref().value }
    }
}

impl<T> Drop for Use<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: kept by this use until now (invariant 3).
        let uses = unsafe { &self.0.as_ref().header.uses };
        uses.set(uses.get() - 1);
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Null if the place is free.
    key: Key,
    node: *mut Header,
}

const FREE: Entry = Entry { key: ptr::null(), node: ptr::null_mut() };

/// See the module.
#[derive(Debug)]
pub(crate) struct Table {
    /// A power of two of them, a quarter of them free at least.
    entries: Box<[Entry]>,
    used: usize,
    newest: *mut Header,
}

/// Where a thread keeps its table, if it has one.
pub(crate) type Slot = Cell<Option<NonNull<Table>>>;

/// What is found for a key in a thread's table.
#[derive(Debug)]
pub(crate) enum Found<T> {
    Value(Use<T>),
    /// It has never been made.
    Nothing,
    /// The thread ends, and it is gone.
    Destroyed,
}

/// Looks for the running thread's value of a key.
///
/// # Safety
/// `slot` is the running thread's, and `key` the address of a `LocalKey<T>`.
#[inline]
pub(crate) unsafe fn find<T>(slot: &Slot, key: Key) -> Found<T> {
    let Some(table) = slot.get() else { return Found::Nothing };
    // SAFETY: the thread's own, and no reference lives on (invariant 1).
    let entry = unsafe { table.as_ref() }.lookup(key);
    if entry.key.is_null() {
        return Found::Nothing;
    }
    match NonNull::new(entry.node.cast::<Node<T>>()) {
        // SAFETY: a node of this key's type, and alive (invariant 2).
        Some(node) => Found::Value(unsafe { Use::new(node) }),
        None => Found::Destroyed,
    }
}

/// Gives the running thread its value of a key, which it has not had. If the value's own
/// initialiser has made one in the meantime, this one takes its place, as in std.
///
/// # Safety
/// As for [`find`]; the key has not been destroyed.
#[cold]
pub(crate) unsafe fn insert<T: 'static>(slot: &Slot, key: Key, value: T) -> Use<T> {
    let header = Header { key, older: ptr::null_mut(), uses: Cell::new(0), free: free::<T> };
    let node = NonNull::from(Box::leak(Box::new(Node { header, value })));
    let table = slot.get().unwrap_or_else(|| {
        let table = Table { entries: Box::new([FREE; 4]), used: 0, newest: ptr::null_mut() };
        let table = NonNull::from(Box::leak(Box::new(table)));
        slot.set(Some(table));
        table
    });
    // SAFETY: the thread's own, and no other reference lives (invariant 1).
    let table = unsafe { &mut *table.as_ptr() };
    // SAFETY: the list's nodes are alive (invariant 4).
    let earlier = unsafe { table.take_out(key) };
    if needs_drop::<T>() {
        // SAFETY: the node is new, and nobody else's.
        unsafe { (*node.as_ptr()).header.older = table.newest };
        table.newest = node.as_ptr().cast();
    }
    table.put(Entry { key, node: node.as_ptr().cast() });
    // SAFETY: alive.
    let made = unsafe { Use::new(node) };
    if let Some(earlier) = earlier {
        // SAFETY: out of list and table; no reference into the table lives while its destructor
        // runs (invariant 1). A coroutine that the initialiser has left in a `with` keeps the value
        // (invariant 3).
        unsafe { ((*earlier.as_ptr()).free)(earlier.as_ptr()) };
    }
    made
}

/// # Safety
/// It is a `Node<T>`, and the caller has taken it out of the table: it has no owner (invariant 2).
unsafe fn free<T>(node: *mut Header) {
    // SAFETY: the caller vouches for the table. A node that is in use stays (invariant 3).
    unsafe {
        if (*node).uses.get() == 0 {
            drop(Box::from_raw(node.cast::<Node<T>>()));
        }
    }
}

/// Destroys what has a destructor. The keys stay destroyed until [`clear`].
///
/// # Safety
/// `slot` is the running thread's, or has never run; it is at its end.
#[inline]
pub(crate) unsafe fn destroy(slot: &Slot) {
    if let Some(table) = slot.get() {
        // SAFETY: the thread's own, which is at its end.
        unsafe { destroy_all(table.as_ptr()) };
    }
}

/// # Safety
/// The table of a thread that is at its end.
unsafe fn destroy_all(table: *mut Table) {
    // SAFETY: the thread's own; no reference lives while a destructor runs (invariant 1). Each node
    // of the list is alive, and out of list and table before it goes (invariants 2, 4).
    let all = catch_unwind(AssertUnwindSafe(|| unsafe {
        while let Some(node) = NonNull::new((*table).newest) {
            let header = node.as_ptr();
            (*table).newest = (*header).older;
            (&mut *table).mark_destroyed((*header).key);
            ((*header).free)(header);
        }
    }));
    if all.is_err() {
        // As in std: the others would be left, and there is nobody to hand the panic to.
        write_last_words(b"fatal: a thread-local panicked when it was destroyed\n");
        process::abort();
    }
}

/// Frees the table, and the values without a destructor.
///
/// # Safety
/// After [`destroy`], for the last time.
#[inline]
pub(crate) unsafe fn clear(slot: &Slot) {
    if let Some(table) = slot.take() {
        // SAFETY: the caller vouches that nobody uses it any more.
        unsafe { free_all(table) };
    }
}

/// # Safety
/// A table that nobody needs any more.
unsafe fn free_all(table: NonNull<Table>) {
    // SAFETY: from a leaked `Box`, and the caller gives it up.
    let table = unsafe { Box::from_raw(table.as_ptr()) };
    for entry in table.entries.iter().filter(|entry| !entry.node.is_null()) {
        // SAFETY: alive, and forgotten after this (invariant 2).
        unsafe { ((*entry.node).free)(entry.node) };
    }
}

impl Table {
    /// The place of a key: its entry, or the free one where it would go.
    #[inline]
    fn place(&self, key: Key) -> usize {
        let mask = self.entries.len() - 1;
        // A key is two words long.
        let mut place = key.addr() >> 4 & mask;
        loop {
            let found = self.entries[place].key;
            if found == key || found.is_null() {
                return place;
            }
            place = (place + 1) & mask;
        }
    }

    #[inline]
    fn lookup(&self, key: Key) -> Entry {
        self.entries[self.place(key)]
    }

    /// The key's node, if it has one, out of table and list.
    ///
    /// # Safety
    /// The nodes of the list are alive.
    unsafe fn take_out(&mut self, key: Key) -> Option<NonNull<Header>> {
        let place = self.place(key);
        let node = NonNull::new(mem::replace(&mut self.entries[place].node, ptr::null_mut()))?;
        let mut link = &raw mut self.newest;
        // SAFETY: `link` is the head, or in a node of the list, which the caller keeps alive.
        unsafe {
            while let Some(next) = NonNull::new(*link) {
                if next == node {
                    *link = (*next.as_ptr()).older;
                    break;
                }
                link = &raw mut (*next.as_ptr()).older;
            }
        }
        Some(node)
    }

    /// Adds an entry, or replaces the key's.
    fn put(&mut self, entry: Entry) {
        let place = self.place(entry.key);
        if self.entries[place].key == entry.key {
            self.entries[place] = entry;
            return;
        }
        if (self.used + 1) * 4 > self.entries.len() * 3 {
            let larger = vec![FREE; self.entries.len() * 2].into_boxed_slice();
            let entries = mem::replace(&mut self.entries, larger);
            for old in entries.iter().filter(|old| !old.key.is_null()) {
                let place = self.place(old.key);
                self.entries[place] = *old;
            }
        }
        let place = self.place(entry.key);
        self.entries[place] = entry;
        self.used += 1;
    }

    fn mark_destroyed(&mut self, key: Key) {
        let place = self.place(key);
        self.entries[place].node = ptr::null_mut();
    }
}
