//! Two threads wait for each other's end.

use std::cell::Cell;
use std::rc::Rc;

use a_safe_face::{JoinHandle, run, spawn};

fn main() {
    run(|| {
        let place: Rc<Cell<Option<JoinHandle<()>>>> = Rc::default();
        let other = place.clone();
        let one = spawn(move || other.take().expect("two has been spawned by now").join());
        let two = spawn(move || one.join());
        place.set(Some(two));
    });
}
