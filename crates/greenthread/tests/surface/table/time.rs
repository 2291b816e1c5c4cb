// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// constant time::UNIX_EPOCH
item! { const CHECK: std::time::SystemTime = time::UNIX_EPOCH; }

// struct time::Duration
same! { [] time::Duration = std::time::Duration }

// struct time::Instant
item! { fn now() -> time::Instant { time::Instant::now() } }
item! { fn duration_since(this: &time::Instant, earlier: time::Instant) -> std::time::Duration { time::Instant::duration_since(this, earlier) } }
item! { fn checked_duration_since(this: &time::Instant, earlier: time::Instant) -> Option<std::time::Duration> { time::Instant::checked_duration_since(this, earlier) } }
item! { fn saturating_duration_since(this: &time::Instant, earlier: time::Instant) -> std::time::Duration { time::Instant::saturating_duration_since(this, earlier) } }
item! { fn elapsed(this: &time::Instant) -> std::time::Duration { time::Instant::elapsed(this) } }
item! { fn checked_add(this: &time::Instant, duration: std::time::Duration) -> Option<time::Instant> { time::Instant::checked_add(this, duration) } }
item! { fn checked_sub(this: &time::Instant, duration: std::time::Duration) -> Option<time::Instant> { time::Instant::checked_sub(this, duration) } }
implements! { time::Instant: std::ops::Add<std::time::Duration, Output = time::Instant> }
implements! { time::Instant: std::ops::AddAssign<std::time::Duration> }
implements! { time::Instant: Clone }
implements! { time::Instant: std::fmt::Debug }
implements! { time::Instant: std::hash::Hash }
implements! { time::Instant: Ord }
implements! { time::Instant: PartialEq }
implements! { time::Instant: PartialOrd }
implements! { time::Instant: std::ops::Sub<std::time::Duration, Output = time::Instant> }
implements! { time::Instant: std::ops::Sub<Output = std::time::Duration> }
implements! { time::Instant: std::ops::SubAssign<std::time::Duration> }
implements! { time::Instant: Copy }
implements! { time::Instant: Eq }
implements! { time::Instant: std::panic::RefUnwindSafe }
implements! { time::Instant: Send }
implements! { time::Instant: Sync }
implements! { time::Instant: Unpin }
implements! { time::Instant: std::panic::UnwindSafe }

// struct time::SystemTime
same! { [] time::SystemTime = std::time::SystemTime }

// struct time::SystemTimeError
same! { [] time::SystemTimeError = std::time::SystemTimeError }

// struct time::TryFromFloatSecsError
same! { [] time::TryFromFloatSecsError = std::time::TryFromFloatSecsError }
