//! tokio's paused clock, as tests of programs use it.

use std::time::Duration;

use greenthread::{Runtime, block_on, thread};
use greenthread_tokio::RuntimeExt;
use tokio::time::{Instant, sleep, timeout};

/// tokio's time runs ahead of the system's, by as much as it has slept for nothing. With a task,
/// the worker's own timer is set all the while.
#[test]
fn hours_pass_at_once() {
    let runtime =
        Runtime::builder().workers(1).tokio_with(|tokio| _ = tokio.start_paused(true)).build().unwrap();
    runtime.run(|| {
        const HOUR: Duration = Duration::from_secs(3600);
        let begin = Instant::now();
        let task = tokio::spawn(async {
            for _ in 0..3 {
                sleep(HOUR).await;
            }
        });
        block_on(sleep(HOUR));
        assert!(begin.elapsed() < 2 * HOUR);
        let child = thread::spawn(|| block_on(timeout(HOUR, std::future::pending::<()>())));
        assert!(child.join().unwrap().is_err());
        block_on(task).unwrap();
        assert!(begin.elapsed() >= 3 * HOUR);
    });
}
