//! The spin locks: they exclude, and a holder sees what the holders before it wrote.
//!
//! The checker comes to no end with three threads at a lock that spins. Hence there are two threads
//! here. In the models of everything that is built on this lock, one that sleeps stands in for it
//! (`locks::spin`).

use std::sync::Arc;

use crate::{
    atomic::Bug,
    harness::{check, finds, spawn},
    library::inner::{
        spin::{SpinGuard, SpinLock},
        tree_lock::TreeLock,
    },
    locks::Guarded,
};

pub(crate) mod atomic {
    use crate::atomic;
    pub(crate) use crate::atomic::Ordering;

    /// A store is made an exchange whose result is ignored. The checker would order a plain store
    /// before an exchange that has read the value before it, as if the exchange had undone the
    /// store. The lock would stay locked.
    macro_rules! exchanging {
        ($($name:ident: $value:ty),*) => {$(
            #[derive(Debug)]
            pub(crate) struct $name(atomic::$name);

            #[allow(dead_code, reason = "no lock uses everything")]
            impl $name {
                pub(crate) fn new(value: $value) -> Self {
                    Self(atomic::$name::new(value))
                }

                pub(crate) fn load(&self, order: Ordering) -> $value {
                    self.0.load(order)
                }

                pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                    self.0.swap(value, order)
                }

                pub(crate) fn store(&self, value: $value, order: Ordering) {
                    self.0.swap(value, order);
                }
            }
        )*};
    }

    exchanging!(AtomicBool: bool, AtomicU32: u32);
}

/// Each thread adds one as often as `times` says.
fn add(times: &[u32], lock: impl Fn(&SpinLock<Guarded>) -> SpinGuard<'_, Guarded> + Copy + 'static) {
    let shared = Arc::new(SpinLock::new(Guarded::new()));
    let add = move |shared: &SpinLock<Guarded>, times| (0..times).for_each(|_| _ = lock(shared).add_one());
    let others: Vec<_> = times[1..]
        .iter()
        .map(|&times| {
            let shared = shared.clone();
            spawn(move || add(&shared, times))
        })
        .collect();
    add(&shared, times[0]);
    others.into_iter().for_each(|other| other.join());
    assert_eq!(lock(&shared).read(), times.iter().sum());
}

/// Forgets the guard and takes it back later, as a channel does whose lock is held over a wake-up.
fn lock_and_forget(shared: &SpinLock<Guarded>) -> SpinGuard<'_, Guarded> {
    std::mem::forget(shared.lock());
    // SAFETY: held by the guard that was forgotten.
    unsafe { shared.assume_locked() }
}

#[test]
fn holders_exclude_each_other() {
    check(Some(3), || add(&[2, 2], SpinLock::lock));
    check(Some(3), || add(&[1, 3], SpinLock::lock));
}

#[test]
fn a_guard_is_forgotten_and_taken_back() {
    check(Some(3), || add(&[1, 1], lock_and_forget));
}

#[test]
fn finds_an_unlock_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", || add(&[1, 1], SpinLock::lock));
}

#[test]
fn finds_a_lock_that_acquires_nothing() {
    finds(Bug::NoAcquire, "Causality violation", || add(&[1, 1], SpinLock::lock));
}

#[test]
fn finds_a_torn_swap() {
    finds(Bug::TornSwap, "", || add(&[1, 1], SpinLock::lock));
}

/// The lock of a list of scopes, with an explicit unlock.
fn add_in_a_list() {
    #[allow(clippy::arc_with_non_send_sync, reason = "all threads of a model run on one OS thread")]
    let shared = Arc::new((TreeLock::new(), Guarded::new()));
    let add = |shared: &(TreeLock, Guarded)| {
        shared.0.lock();
        let value = shared.1.add_one();
        shared.0.unlock();
        value
    };
    let other = {
        let shared = shared.clone();
        spawn(move || (0..2).for_each(|_| _ = add(&shared)))
    };
    add(&shared);
    other.join();
    assert_eq!(add(&shared), 4);
}

#[test]
fn a_list_is_locked() {
    check(Some(3), add_in_a_list);
}

#[test]
fn finds_a_list_that_releases_nothing() {
    finds(Bug::NoRelease, "Causality violation", add_in_a_list);
}
