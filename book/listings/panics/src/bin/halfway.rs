//! A generator that is dropped half-way: what is on its stack is dropped, too.

use panics::Generator;

struct File(&'static str);

impl Drop for File {
    fn drop(&mut self) {
        println!("{} is written to the disk", self.0);
    }
}

fn main() -> std::io::Result<()> {
    let mut squares = Generator::new(|squares| {
        let _file = File("the table");
        for number in 1_u64.. {
            squares.give(number * number);
        }
    })?;
    for square in squares.by_ref().take(3) {
        println!("{square}");
    }
    drop(squares);
    println!("and main goes on");
    Ok(())
}
