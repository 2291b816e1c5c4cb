//! `time`: this crate's `Instant` behaves as std's.

use std::{collections::HashSet, hash::RandomState, time as std_time};

use greenthread::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::common::everywhere;

/// Runs the test on green threads and on an OS thread.
fn both(test: fn()) {
    everywhere(test);
    test();
}

#[test]
fn it_never_goes_back() {
    both(|| {
        let mut last = Instant::now();
        for n in 0..1_000 {
            if n % 100 == 0 {
                thread::sleep(Duration::from_micros(10));
            }
            let now = Instant::now();
            assert!(now >= last);
            last = now;
        }
    });
}

#[test]
fn it_never_goes_back_from_thread_to_thread() {
    everywhere(|| {
        let mut last = Instant::now();
        for _ in 0..100 {
            let there = thread::spawn(|| {
                thread::yield_now();
                Instant::now()
            });
            let there = there.join().unwrap();
            assert!(there >= last);
            last = Instant::now();
            assert!(last >= there);
        }
    });
}

#[test]
fn sums_and_differences() {
    both(|| {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let later = now + second;
        assert_eq!(later - second, now);
        assert_eq!(later - now, second);
        assert_eq!(now - later, Duration::ZERO);
        assert_eq!(later.duration_since(now), second);
        assert_eq!(now.duration_since(later), Duration::ZERO);
        assert_eq!(now.saturating_duration_since(later), Duration::ZERO);
        assert_eq!(later.saturating_duration_since(now), second);
        assert_eq!(now.checked_duration_since(later), None);
        assert_eq!(now.checked_duration_since(now), Some(Duration::ZERO));
        let mut moved = now;
        moved += second;
        assert_eq!(moved, later);
        moved -= second;
        assert_eq!(moved, now);
        assert_eq!(later.elapsed(), Duration::ZERO);
        let fine = Duration::new(0, 1);
        assert!(now + fine > now && now - fine < now);
        assert_eq!((now + fine) - now, fine);
        // Many small steps and one large step have the same sum.
        let steps = (0..1_000).fold(now, |at, _| at + Duration::from_nanos(1_234_567));
        assert_eq!(steps, now + Duration::from_nanos(1_234_567_000));
    });
}

#[test]
fn what_can_not_be_represented() {
    both(|| {
        let now = Instant::now();
        assert_eq!(now.checked_add(Duration::MAX), None);
        assert_eq!(now.checked_sub(Duration::MAX), None);
        let far = now.checked_add(Duration::from_secs(1 << 40)).unwrap();
        assert_eq!(far.checked_sub(Duration::from_secs(1 << 40)), Some(now));
        assert!(std::panic::catch_unwind(|| now + Duration::MAX).is_err());
        assert!(std::panic::catch_unwind(|| now - Duration::MAX).is_err());
    });
}

#[test]
fn from_and_into_std() {
    both(|| {
        let std = std_time::Instant::now();
        let ours = Instant::from(std);
        assert_eq!(std_time::Instant::from(ours), std);
        let later: Instant = (std + Duration::from_secs(3)).into();
        assert_eq!(later - ours, Duration::from_secs(3));
        // Both types use the same clock.
        let (before, between, after) = (std_time::Instant::now(), Instant::now(), std_time::Instant::now());
        assert!(before <= between.into() && after >= between.into());
        assert_eq!(format!("{ours:?}"), format!("{std:?}"));
    });
}

#[test]
fn in_collections() {
    both(|| {
        let now = Instant::now();
        let [a, b, c] = [0, 1, 2].map(|n| now + Duration::from_millis(n));
        let mut list = [c, a, b];
        list.sort();
        assert_eq!(list, [a, b, c]);
        assert_eq!((a.max(b), a.min(b), c.clamp(a, b)), (b, a, b));
        assert_eq!(a.cmp(&c), a.partial_cmp(&c).unwrap());
        let set: HashSet<Instant, RandomState> = [a, b, a, c].into_iter().collect();
        assert_eq!(set.len(), 3);
        fn all<T: Copy + Send + Sync + Unpin + std::panic::UnwindSafe + std::panic::RefUnwindSafe>(_: T) {}
        all(now);
    });
}

#[test]
fn what_is_std_s_own() {
    both(|| {
        let now: std_time::SystemTime = SystemTime::now();
        assert!(now.duration_since(UNIX_EPOCH).unwrap() > Duration::from_secs(1_600_000_000));
        let error: greenthread::time::SystemTimeError = UNIX_EPOCH.duration_since(now).unwrap_err();
        assert!(error.duration() > Duration::ZERO);
        let error: greenthread::time::TryFromFloatSecsError = Duration::try_from_secs_f32(-1.0).unwrap_err();
        assert!(!error.to_string().is_empty());
    });
}

#[test]
fn sleeps_are_measured_by_it() {
    both(|| {
        let start = Instant::now();
        thread::sleep(Duration::from_millis(2));
        assert!(start.elapsed() >= Duration::from_millis(2));
        thread::park_timeout(Duration::from_millis(2));
        assert!(start.elapsed() >= Duration::from_millis(4));
        let deadline = start + Duration::from_millis(6);
        thread::sleep_until(deadline);
        assert!(Instant::now() >= deadline);
    });
}
