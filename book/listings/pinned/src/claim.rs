//! `claim`, taken apart by hand.

use std::ptr;

/// A claim that is under way: its variables, and where it stands.
pub(crate) struct Claim {
    name: &'static str,
    owner: &'static str,
    mine: *mut &'static str,
    place: Place,
}

enum Place {
    Begin,
    Yield,
    Ended,
}

impl Claim {
    /// What a call is: nothing has been run yet.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, owner: "nobody", mine: ptr::null_mut(), place: Place::Begin }
    }

    /// Goes on up to the next place where it yields. Returns whether there is one.
    pub(crate) fn turn(&mut self) -> bool {
        match self.place {
            Place::Begin => {
                self.mine = &raw mut self.owner;
                self.place = Place::Yield;
                true
            }
            Place::Yield => {
                // SAFETY: We hope that `owner` still lies where it was.
                unsafe { *self.mine = self.name };
                println!("{}: this is {}'s", self.name, self.owner);
                self.place = Place::Ended;
                false
            }
            Place::Ended => false,
        }
    }
}
