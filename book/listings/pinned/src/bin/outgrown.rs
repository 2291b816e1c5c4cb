//! A claim waits in a `Vec`, which becomes too small.

use std::env;
use std::process::Command;

#[path = "../claim.rs"]
mod claim;
use claim::Claim;

/// Starts itself again, as a child, and tells how that has ended.
fn main() {
    if env::args().nth(1).is_some_and(|it| it == "child") {
        return child();
    }
    let program = env::current_exe().expect("this program has a file");
    let child = Command::new(program).arg("child").output().expect("it can be started");
    print!("{}", String::from_utf8_lossy(&child.stdout));
    println!("the child has ended: {}", child.status);
}

fn child() {
    let mut claims = vec![Claim::new("one")];
    claims[0].turn();
    // Something lies behind the `Vec`, so that it can't grow where it is.
    let neighbour = vec![0_u64; 100];
    claims.push(Claim::new("two"));
    // It has moved, and its old memory is free for others.
    let savings = vec![100_u64; size_of::<Claim>() / 8];
    println!("savings: {}", savings.iter().sum::<u64>());
    claims[0].turn();
    println!("savings: {}", savings.iter().sum::<u64>());
    drop(neighbour);
}
