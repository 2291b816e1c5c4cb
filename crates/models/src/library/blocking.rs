//! Its pool, and copies of it with one mistake each (`build.rs`).

pub(crate) use crate::pool::{Mutex, MutexGuard, Parker};

#[path = "../../../greenthread/src/blocking/lane.rs"]
pub(crate) mod lane;

macro_rules! mistakes {
    ($($name:ident),*) => { $(
        pub(crate) mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
        }
    )* };
}

mistakes!(
    finishes_early,
    idle_late,
    calls_nobody,
    comes_late,
    ends_although_called,
    leaves_the_token,
    stays_in_the_list,
    counts_the_unstarted,
    starts_once,
    wakes_once,
    keeps_the_queue,
    queues_all,
    withdraws_another,
    ends_silently,
    ends_unseen
);
