//! A thread whose first function returns. To whom?
include!(concat!(env!("OUT_DIR"), "/fell-off.rs"));

fn main() {
    spawn(|| println!("the thread has done its work"));
    run();
    println!("and so has main");
}
