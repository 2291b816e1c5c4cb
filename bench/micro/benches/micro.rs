//! The small works by time: `cargo bench -p micro [NAME]`.

use divan::{Bencher, counter::ItemsCount};
use greenthread::Runtime;
use micro::{Meter, works};

struct Timed<'a, 'b>(Bencher<'a, 'b>);

impl Meter for Timed<'_, '_> {
    fn measure(self, operations: usize, mut round: impl FnMut()) {
        self.0.counter(ItemsCount::new(operations)).bench_local(&mut round);
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    works::<Timed>().into_iter().map(|work| work.name)
}

#[divan::bench(args = names())]
fn work(bencher: Bencher, name: &str) {
    let work = works::<Timed>().into_iter().find(|work| work.name == name).expect("one of the names");
    (work.run)(Timed(bencher));
}

fn main() {
    let runtime = Runtime::builder().workers(1).build().expect("a runtime");
    runtime.run(divan::main);
}
