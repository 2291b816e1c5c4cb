use std::{collections::BTreeMap, sync::Mutex};

use super::Runtime;
use crate::{scheduler::shared::Observer, sync::mpsc, task::block::Task, thread};

/// The threads that have been born, by their numbers, and whether they have died.
#[derive(Debug, Default)]
struct Register(Mutex<BTreeMap<u64, bool>>);

impl Observer for Register {
    fn born(&self, thread: &Task) {
        assert_eq!(self.0.lock().unwrap().insert(thread.block.id.get(), false), None, "born twice");
    }

    fn died(&self, thread: &Task) {
        let was_dead = self.0.lock().unwrap().insert(thread.block.id.get(), true);
        assert_eq!(was_dead, Some(false), "it was born, and dies once");
    }
}

impl Register {
    fn alive(&self) -> usize {
        self.0.lock().unwrap().values().filter(|dead| !**dead).count()
    }
}

#[test]
fn an_observer_is_told_of_each_birth_and_each_death_once() {
    for workers in [1, 2, 8] {
        let runtime = Runtime::builder().workers(workers).cancellable(true).build().unwrap();
        let shared = runtime.shared.clone();
        let register: &'static Register = Box::leak(Box::default());
        runtime.shared.observe(register);
        runtime.run(|| {
            assert_eq!(register.alive(), 1, "the thread of `run`");
            // Run inline, on a stack of its own, parked, pinned, in a scope, panicking, detached.
            thread::spawn(|| ()).join().unwrap();
            thread::spawn(thread::yield_now).join().unwrap();
            let (parked, wait) = (thread::spawn(thread::park), thread::yield_now);
            wait();
            assert_eq!(register.alive(), 2);
            parked.thread().unpark();
            parked.join().unwrap();
            thread::Builder::new().spawn_local(|| ()).unwrap().join().unwrap();
            thread::scope(|scope| (0..100).for_each(|_| drop(scope.spawn(thread::yield_now))));
            assert!(thread::spawn(|| panic!("on purpose")).join().is_err());
            let (sender, receiver) = mpsc::channel();
            (0..100).for_each(|n| {
                let sender = sender.clone();
                drop(thread::spawn(move || sender.send(n)));
            });
            drop(sender);
            while receiver.recv().is_ok() {}
        });
        // Spawned by an OS thread.
        runtime.spawn(|| ()).join().unwrap();
        assert!(runtime.run(|| thread::Builder::new().stack_size(0).spawn(|| ()).is_err()));
        drop(runtime);
        assert_eq!(register.alive(), 0);
        assert_eq!(shared.census.listed(), 0);
        assert_eq!(register.0.lock().unwrap().len(), 1 + 4 + 100 + 1 + 100 + 1 + 1);
    }
}
