//! What belongs to a thread that never gets to its end is never dropped.
include!(concat!(env!("OUT_DIR"), "/toy.rs"));

struct File(&'static str);

impl Drop for File {
    fn drop(&mut self) {
        println!("{} is written to the disk", self.0);
    }
}

fn main() {
    spawn(|| {
        let _file = File("the diary");
        yield_now();
    });
    spawn(|| {
        let _file = File("the will");
        println!("two ends the program");
        std::process::exit(0);
    });
    run();
}
