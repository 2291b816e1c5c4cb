//! Time.

use std::time::Duration;

use greenthread::{
    channel::bounded,
    thread::{self, spawn},
};

use crate::Meter;

const LONG: Duration = Duration::from_secs(3600);

pub(crate) fn sleep(meter: impl Meter) {
    meter.measure(1, || thread::sleep(Duration::from_nanos(1)));
}

/// A round trip with a timeout for the way back, beside this many threads that wait for timers.
pub(crate) fn timeouts(meter: impl Meter, sleepers: u32) {
    let (end, over) = bounded::<()>(0);
    let sleepers: Vec<_> = (0..sleepers)
        .map(|i| {
            let over = over.clone();
            spawn(move || {
                _ = over.recv_timeout(LONG + Duration::from_millis(u64::from(i.reverse_bits() >> 12)))
            })
        })
        .collect();
    let (to_other, from_us) = bounded::<usize>(1);
    let (to_us, from_other) = bounded(1);
    let other = spawn(move || from_us.iter().for_each(|message| to_us.send(message).expect("we live")));
    meter.measure(1, || {
        to_other.send(7).expect("the other lives");
        assert_eq!(from_other.recv_timeout(LONG), Ok(7));
    });
    drop((end, to_other));
    other.join().expect("no panic");
    sleepers.into_iter().for_each(|sleeper| sleeper.join().expect("no panic"));
}
