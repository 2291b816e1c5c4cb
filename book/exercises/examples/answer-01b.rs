//! A harder exercise of chapter 1: two trees, walked in turns.
//!
//! Two trees can have the same leaves in the same order, though their branches differ. To find out
//! whether they do, one compares them leaf by leaf, and stops at the first difference.
//!
//! A `Walk` has a stack of its own, of nodes that it still has to visit. The answer to
//! `cargo run -p exercises -- check 1b`.

use std::env;

enum Tree {
    Leaf(u32),
    Branch(Box<Tree>, Box<Tree>),
}

use Tree::{Branch, Leaf};

/// A tree whose branches lean to the left: `(((1 2) 3) 4)`.
fn left(numbers: &[u32]) -> Tree {
    let (last, others) = numbers.split_last().expect("a tree has a leaf");
    if others.is_empty() { Leaf(*last) } else { Branch(left(others).into(), Leaf(*last).into()) }
}

/// A tree whose branches lean to the right: `(1 (2 (3 4)))`.
fn right(numbers: &[u32]) -> Tree {
    let (first, others) = numbers.split_first().expect("a tree has a leaf");
    if others.is_empty() { Leaf(*first) } else { Branch(Leaf(*first).into(), right(others).into()) }
}

/// A walk through a tree, from left to right.
struct Walk<'a> {
    /// What is still to be visited. The next node is the last one.
    open: Vec<&'a Tree>,
}

impl<'a> Walk<'a> {
    fn new(tree: &'a Tree, _visited: &mut usize) -> Self {
        Self { open: vec![tree] }
    }

    /// The next leaf. Visits the nodes on the way to it, and no others.
    fn next(&mut self, visited: &mut usize) -> Option<u32> {
        loop {
            let node = self.open.pop()?;
            *visited += 1;
            match node {
                Leaf(number) => return Some(*number),
                Branch(left, right) => self.open.extend([&**right, &**left]),
            }
        }
    }
}

/// The arguments: two lists of numbers, `1,2,3` and `1,2,4`. The first becomes a tree that leans to
/// the left, the second one that leans to the right.
fn main() {
    let lists: Vec<Vec<u32>> = env::args()
        .skip(1)
        .map(|list| list.split(',').map(|number| number.parse().expect("a number")).collect())
        .collect();
    let [first, second] = &lists[..] else { panic!("two lists of numbers are wanted") };
    let (first, second) = (left(first), right(second));
    let mut visited = 0;
    let same = same_leaves(&first, &second, &mut visited);
    println!("the leaves are {}", if same { "the same" } else { "not the same" });
    println!("{visited} nodes were visited");
}

/// Compares two trees leaf by leaf. Counts the nodes, leaves and branches, that it has visited.
fn same_leaves(first: &Tree, second: &Tree, visited: &mut usize) -> bool {
    let (mut first, mut second) = (Walk::new(first, visited), Walk::new(second, visited));
    loop {
        match (first.next(visited), second.next(visited)) {
            (None, None) => return true,
            (one, two) if one != two => return false,
            _ => {}
        }
    }
}
