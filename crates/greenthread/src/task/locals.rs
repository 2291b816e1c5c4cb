//! A green thread's values of the thread-locals that it has used (`thread::LocalKey`).
//!
//! A thread that uses none has a null pointer. The first use makes a small hash table from the
//! keys' addresses to boxes with the values. The table grows with the number of keys that this
//! thread uses, not with the number of keys in the program.
//!
//! At the thread's end, on its own stack, the values that have a destructor are destroyed, the
//! youngest first. A destructor may make further values, which are then the youngest. It may block;
//! siblings run meanwhile.
//!
//! Invariants:
//! 1. Only its own thread touches a table, and no reference into it is kept while code of the user
//!    runs.
//! 2. An entry's key is the address of a static `LocalKey<T>`, so it determines `T`. Its node is a
//!    leaked `Box<Node<T>>`, or null once the value has been destroyed.
//! 3. A node does not move until it is destroyed, at the thread's end. If there is a [`Use`] of its
//!    value by then, the node and its value are leaked. No frame of the thread's own stack has one
//!    by then. But a coroutine that is suspended in the middle of a `with` may have one, and may
//!    live on in another thread.
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
    /// The next older node with a destructor.
    older: *mut Header,
    /// The number of `Use`s of the value.
    uses: Cell<usize>,
    /// Drops and frees the node.
    free: unsafe fn(*mut Header),
}

#[repr(C)]
struct Node<T> {
    header: Header,
    value: T,
}

/// A reference to a value, counted in its node. It isn't `Send`, so it stays on its OS thread.
#[derive(Debug)]
pub(crate) struct Use<T>(NonNull<Node<T>>);

impl<T> Use<T> {
    /// # Safety
    /// The node is alive: in the table, and not destroyed.
    #[inline]
    unsafe fn new(node: NonNull<Node<T>>) -> Self {
        // SAFETY: the caller vouches that the node is alive. Each use takes memory of its own, so
        // the count can't overflow.
        let uses = unsafe { &(*node.as_ptr()).header.uses };
        uses.set(uses.get() + 1);
        Self(node)
    }
}

impl<T> Deref for Use<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this use keeps the node (invariant 3), and the value is only borrowed as shared.
        unsafe { &self.0.as_ref().value }
    }
}

impl<T> Drop for Use<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this use has kept the node until now (invariant 3).
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
    /// Their number is a power of two. At least a quarter of them is free.
    entries: Box<[Entry]>,
    used: usize,
    newest: *mut Header,
}

/// Where a thread keeps its table, if it has one.
pub(crate) type Slot = Cell<Option<NonNull<Table>>>;

/// The result of a look-up in a thread's table.
#[derive(Debug)]
pub(crate) enum Found<T> {
    Value(Use<T>),
    /// The value has never been made.
    Nothing,
    /// The thread is at its end, and the value has been destroyed.
    Destroyed,
}

/// Looks for the running thread's value of a key.
///
/// # Safety
/// `slot` is the running thread's, and `key` the address of a `LocalKey<T>`.
#[inline]
pub(crate) unsafe fn find<T>(slot: &Slot, key: Key) -> Found<T> {
    let Some(table) = slot.get() else { return Found::Nothing };
    // SAFETY: this is the table's thread, and no other reference into the table lives (invariant
    // 1).
    let entry = unsafe { table.as_ref() }.lookup(key);
    if entry.key.is_null() {
        return Found::Nothing;
    }
    match NonNull::new(entry.node.cast::<Node<T>>()) {
        // SAFETY: the node is of this key's type, and alive (invariant 2).
        Some(node) => Found::Value(unsafe { Use::new(node) }),
        None => Found::Destroyed,
    }
}

/// Gives the running thread its value of a key. If the value's own initialiser has set a value for
/// the same key, this one replaces it, as in std.
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
    // SAFETY: this is the table's thread, and no other reference into the table lives (invariant
    // 1).
    let table = unsafe { &mut *table.as_ptr() };
    // SAFETY: the list's nodes are alive (invariant 4).
    let earlier = unsafe { table.take_out(key) };
    if needs_drop::<T>() {
        // SAFETY: the node is new, so no other reference to it lives.
        unsafe { (*node.as_ptr()).header.older = table.newest };
        table.newest = node.as_ptr().cast();
    }
    table.put(Entry { key, node: node.as_ptr().cast() });
    // SAFETY: the node is alive: it was just put into the table.
    let made = unsafe { Use::new(node) };
    if let Some(earlier) = earlier {
        // SAFETY: the node is out of the list and the table, and no reference into the table is
        // used after this (invariant 1). If a coroutine still uses the value, `free` leaks it
        // (invariant 3).
        unsafe { ((*earlier.as_ptr()).free)(earlier.as_ptr()) };
    }
    made
}

/// # Safety
/// `node` is a `Node<T>` that the caller has taken out of the table and the list (invariants 2, 4).
unsafe fn free<T>(node: *mut Header) {
    // SAFETY: the node is a leaked box (invariant 2), and nothing else refers to it. A node in use
    // is leaked (invariant 3).
    unsafe {
        if (*node).uses.get() == 0 {
            drop(Box::from_raw(node.cast::<Node<T>>()));
        }
    }
}

/// Destroys the values that have a destructor. The keys stay destroyed until [`clear`].
///
/// # Safety
/// `slot` belongs to the running thread, which is at its end, or to a thread that has never run.
#[inline]
pub(crate) unsafe fn destroy(slot: &Slot) {
    if let Some(table) = slot.get() {
        // SAFETY: the caller vouches that the thread is at its end.
        unsafe { destroy_all(table.as_ptr()) };
    }
}

/// # Safety
/// `table` is the table of a thread that is at its end, and no reference into it lives.
unsafe fn destroy_all(table: *mut Table) {
    // SAFETY: no reference into the table lives while a destructor runs (invariant 1). Each node of
    // the list is alive, and is taken out of the list and the table before it is freed (invariants
    // 2, 4).
    let all = catch_unwind(AssertUnwindSafe(|| unsafe {
        while let Some(node) = NonNull::new((*table).newest) {
            let header = node.as_ptr();
            (*table).newest = (*header).older;
            (&mut *table).mark_destroyed((*header).key);
            ((*header).free)(header);
        }
    }));
    if all.is_err() {
        // As in std: the other values would be left, and there is no joiner to give the panic to.
        write_last_words(b"fatal: a thread-local panicked when it was destroyed\n");
        process::abort();
    }
}

/// Frees the table, and the values without a destructor.
///
/// # Safety
/// [`destroy`] has been called, and the thread uses no thread-local after this.
#[inline]
pub(crate) unsafe fn clear(slot: &Slot) {
    if let Some(table) = slot.take() {
        // SAFETY: the caller vouches that the thread does not use the table any more.
        unsafe { free_all(table) };
    }
}

/// # Safety
/// The caller gives the table up.
unsafe fn free_all(table: NonNull<Table>) {
    // SAFETY: the table came from a leaked `Box`, and the caller gives it up.
    let table = unsafe { Box::from_raw(table.as_ptr()) };
    for entry in table.entries.iter().filter(|entry| !entry.node.is_null()) {
        // SAFETY: the node is alive (invariant 2), and the table is dropped after this.
        unsafe { ((*entry.node).free)(entry.node) };
    }
}

impl Table {
    /// The index of a key's entry, or of the free entry where it would go.
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

    /// Takes the key's node, if there is one, out of the table and the list.
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
