//! Each primitive loses nothing when one that waits at it is cancelled.

use super::*;

behaviours! {
    fn a_receiver_that_is_cancelled_takes_no_message(world) {
        for capacity in [0, 1, 5] {
            let (sender, receiver) = channel::bounded(capacity);
            let theirs = receiver.clone();
            let (token, thread) = under_token(world, move || theirs.recv());
            thread::sleep(SHORT);
            token.cancel();
            assert!(thread.end().is_err());
            let sends = world.spawn(move || sender.send(7));
            assert_eq!(receiver.recv(), Ok(7));
            sends.end().unwrap();
        }
    }

    fn a_sender_that_is_cancelled_sends_nothing(world) {
        for capacity in [0, 1] {
            let (sender, receiver) = channel::bounded(capacity);
            (0..capacity).for_each(|_| sender.send(0).unwrap());
            let theirs = sender.clone();
            let (token, thread) = under_token(world, move || theirs.send(1));
            thread::sleep(SHORT);
            token.cancel();
            assert!(thread.end().is_err());
            let sends = world.spawn(move || sender.send(2));
            let got: Vec<_> = receiver.iter().collect();
            assert_eq!(got, [&vec![0; capacity][..], &[2]].concat());
            sends.end().unwrap();
        }
    }

    fn senders_behind_one_that_is_cancelled_are_served(world) {
        let (sender, receiver) = channel::bounded(0);
        let threads = [0, 1, 2].map(|number| {
            let theirs = sender.clone();
            under_token(world, move || theirs.send(number))
        });
        thread::sleep(SHORT);
        threads[1].0.cancel();
        let threads = threads.map(|(_, thread)| thread);
        drop(sender);
        let mut got: Vec<_> = receiver.iter().collect();
        got.sort_unstable();
        assert!(got == [0, 1, 2] || got == [0, 2]);
        let sent: Vec<_> = (0..3).zip(threads).filter_map(|(n, thread)| thread.end().ok().map(|_| n)).collect();
        assert_eq!(sent, got);
    }

    fn the_last_message_goes_to_one_that_is_not_cancelled_or_comes_back(world) {
        for round in 0..50 {
            let (sender, receiver) = channel::bounded(0);
            let theirs = receiver.clone();
            let (token, thread) = under_token(world, move || theirs.recv().unwrap());
            let sends = world.spawn(move || {
                crate::common::world::Random::new(round).dawdle();
                sender.send(7).unwrap();
            });
            crate::common::world::Random::new(round + 1000).dawdle();
            token.cancel();
            assert_eq!(thread.end().unwrap_or_else(|_| receiver.recv().unwrap()), 7);
            sends.end();
        }
    }

    fn a_channel_that_need_not_wait_is_used_by_a_cancelled_thread(_) {
        let (token, (sender, receiver)) = (Token::new(), channel::bounded(1));
        let result = token.run(|| {
            token.cancel();
            sender.send(7).unwrap();
            assert_eq!(receiver.recv(), Ok(7));
            assert!(is_unwound(|| receiver.recv()));
            assert_eq!(sender.send(8), Ok(()));
            assert!(is_unwound(|| sender.send(9)));
        });
        assert!(result.is_ok());
        assert_eq!(receiver.try_recv(), Ok(8));
    }

    fn a_select_that_is_cancelled_takes_no_message(world) {
        let ((one, from_one), (two, from_two)) = (channel::bounded(0), channel::bounded(1));
        let theirs = (from_one.clone(), from_two.clone());
        let (token, thread) = under_token(world, move || {
            greenthread::channel::select! {
                recv(theirs.0) -> message => message,
                recv(theirs.1) -> message => message,
            }
        });
        thread::sleep(SHORT);
        token.cancel();
        assert!(thread.end().is_err());
        let sends = world.spawn(move || {
            two.send(2).unwrap();
            one.send(1)
        });
        assert_eq!((from_one.recv(), from_two.recv()), (Ok(1), Ok(2)));
        sends.end().unwrap();
    }

    fn a_message_that_is_never_made_leaves_the_receiver_waiting(world) {
        let (sender, receiver) = channel::bounded(0);
        let receives = world.spawn(move || receiver.recv());
        let theirs = sender.clone();
        let (token, thread) = under_token(world, move || {
            greenthread::channel::select! { send(theirs, { thread::sleep(LONG); 1 }) -> result => result }
        });
        thread::sleep(SHORT);
        token.cancel();
        assert!(thread.end().is_err());
        sender.send(2).unwrap();
        assert_eq!(receives.end(), Ok(2));
    }

    fn permits_pass_a_thread_that_is_cancelled(world) {
        let semaphore = Arc::new(sync::Semaphore::new(0));
        let threads: Vec<_> = [1, 3, 1]
            .map(|permits| {
                let theirs = semaphore.clone();
                let thread = under_token(world, move || drop(theirs.acquire_many(permits)));
                thread::sleep(SHORT);
                thread
            })
            .into();
        threads[1].0.cancel();
        semaphore.add_permits(1);
        let results: Vec<_> = threads.into_iter().map(|(_, thread)| thread.end().is_ok()).collect();
        assert_eq!(results, [true, false, true]);
        assert_eq!(semaphore.available_permits(), 1);
    }

    fn a_lock_is_had_and_given_back_by_a_thread_that_is_cancelled(world) {
        let lock = Arc::new(sync::Mutex::new(0));
        let guard = lock.lock().unwrap();
        let theirs = lock.clone();
        let (token, thread) = under_token(world, move || {
            *theirs.lock().unwrap() += 1;
            forever()
        });
        thread::sleep(SHORT);
        token.cancel();
        drop(guard);
        assert!(thread.end().is_err());
        assert_eq!(*lock.lock().unwrap(), 1);
    }

    fn a_shield_keeps_a_lock_clean(_) {
        let (token, lock) = (Token::new(), sync::Mutex::new(0));
        let result = token.run(|| {
            token.cancel();
            cancel::shield(|| {
                let mut value = lock.lock().unwrap();
                thread::sleep(SHORT);
                *value += 1;
            });
            forever()
        });
        assert!(result.is_err());
        assert_eq!(*lock.lock().unwrap(), 1);
        let result = token.run(|| {
            let _value = lock.lock().unwrap();
            forever()
        });
        assert!(result.is_err() && lock.is_poisoned());
    }

    fn a_notification_passes_a_thread_that_is_cancelled(world) {
        let shared = Arc::new((sync::nonpoison::Mutex::new(0), sync::nonpoison::Condvar::new()));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let theirs = shared.clone();
                under_token(world, move || {
                    let mut value = theirs.0.lock();
                    while *value == 0 {
                        theirs.1.wait(&mut value);
                    }
                    *value -= 1;
                })
            })
            .collect();
        thread::sleep(SHORT);
        threads[0].0.cancel();
        for _ in 0..2 {
            *shared.0.lock() += 1;
            shared.1.notify_one();
        }
        let mut threads = threads.into_iter().map(|(_, thread)| thread);
        if threads.next().unwrap().end().is_ok() {
            // It was notified first.
            *shared.0.lock() += 1;
            shared.1.notify_one();
        }
        assert!(threads.all(|thread| thread.end().is_ok()));
        assert_eq!(*shared.0.lock(), 0);
    }

    fn a_condvar_holds_its_lock_while_a_thread_is_unwound(world) {
        struct Holds<'a>(&'a sync::nonpoison::Mutex<()>, &'a AtomicUsize);
        impl Drop for Holds<'_> {
            fn drop(&mut self) {
                self.1.fetch_add(usize::from(self.0.try_lock().is_err()), SeqCst);
            }
        }
        let shared = Arc::new((sync::nonpoison::Mutex::new(()), sync::nonpoison::Condvar::new()));
        let held = Arc::new(AtomicUsize::new(0));
        let (theirs, mark) = (shared.clone(), held.clone());
        let (token, thread) = under_token(world, move || {
            let mut guard = theirs.0.lock();
            let _holds = Holds(&theirs.0, &mark);
            theirs.1.wait(&mut guard);
        });
        thread::sleep(SHORT);
        token.cancel();
        assert!(thread.end().is_err());
        assert_eq!(held.load(SeqCst), 1);
        drop(shared.0.lock());
    }

    fn a_barrier_waits_for_another_in_place_of_one_that_is_cancelled(world) {
        let barrier = Arc::new(sync::Barrier::new(2));
        let theirs = barrier.clone();
        let (token, thread) = under_token(world, move || _ = theirs.wait());
        thread::sleep(SHORT);
        token.cancel();
        assert!(thread.end().is_err());
        let others: Vec<_> = (0..4)
            .map(|_| {
                let theirs = barrier.clone();
                world.spawn(move || theirs.wait().is_leader())
            })
            .collect();
        assert_eq!(others.into_iter().map(Handle::end).filter(|leads| *leads).count(), 2);
    }

    fn a_group_goes_on_without_the_one_that_waited(world) {
        let group = sync::WaitGroup::new();
        let (member, waits) = (group.clone(), group.clone());
        let (token, thread) = under_token(world, move || waits.wait());
        thread::sleep(SHORT);
        token.cancel();
        assert!(thread.end().is_err());
        let leaves = world.spawn(move || drop(member));
        group.wait();
        leaves.end();
    }

    fn an_initialisation_that_is_cancelled_is_begun_anew(world) {
        let cell = Arc::new(sync::OnceLock::new());
        let theirs = cell.clone();
        let (token, thread) = under_token(world, move || *theirs.get_or_init(|| forever()));
        let theirs = cell.clone();
        let other = world.spawn(move || *theirs.get_or_init(|| 7));
        thread::sleep(SHORT);
        token.cancel();
        assert_eq!(other.end(), 7);
        assert_eq!(thread.end().unwrap_or(7), 7);
    }

    fn a_thread_goes_on_when_its_joiner_is_cancelled(world) {
        let (sender, receiver) = channel::bounded(1);
        let (go_on, may_go_on) = channel::bounded::<()>(0);
        let (token, thread) = under_token(world, move || {
            let other = thread::spawn(move || {
                may_go_on.recv().unwrap();
                sender.send(7).unwrap();
            });
            thread::sleep(SHORT);
            other.join().unwrap();
        });
        thread::sleep(SHORT * 2);
        token.cancel();
        assert!(thread.end().is_err());
        go_on.send(()).unwrap();
        assert_eq!(receiver.recv(), Ok(7));
    }

    fn a_token_of_park_is_taken_by_a_cancelled_thread(_) {
        let token = Token::new();
        let result = token.run(|| {
            token.cancel();
            thread::current().unpark();
            thread::park();
            assert!(is_unwound(thread::park));
        });
        assert!(result.is_ok());
    }

    fn timers_and_empty_channels_are_points(world) {
        let waits: [fn(); 4] = [
            || _ = channel::after(LONG).recv(),
            || _ = channel::tick(LONG).recv(),
            || _ = channel::never::<()>().recv(),
            || {
                greenthread::channel::select! {
                    recv(channel::never::<()>()) -> _ => (),
                    recv(channel::after(LONG)) -> _ => (),
                }
            },
        ];
        for wait in waits {
            let (token, thread) = under_token(world, wait);
            thread::sleep(SHORT);
            token.cancel();
            assert!(thread.end().is_err());
        }
    }
}
