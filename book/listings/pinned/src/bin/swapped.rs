//! Two claims change places while they wait.

#[path = "../claim.rs"]
mod claim;
use claim::Claim;

fn main() {
    let mut claims = [Claim::new("one"), Claim::new("two")];
    begin(&mut claims);
    end(&mut claims);
    println!("once more, and now they change places:");
    let mut claims = [Claim::new("one"), Claim::new("two")];
    begin(&mut claims);
    claims.swap(0, 1);
    end(&mut claims);
}

fn begin(claims: &mut [Claim]) {
    for claim in claims {
        claim.turn();
    }
}

fn end(claims: &mut [Claim]) {
    for claim in claims {
        claim.turn();
    }
}
