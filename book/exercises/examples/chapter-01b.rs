//! A harder exercise of chapter 1: two trees, walked in turns.
//!
//! Two trees can have the same leaves in the same order, though their branches differ. To find out
//! whether they do, one compares them leaf by leaf, and stops at the first difference.
//!
//! As it stands, `Walk::new` visits the whole tree by recursion, and collects its leaves. So all
//! nodes are visited, even where the first leaves differ. A recursion can't stop half-way: what it
//! still has to do stands in the frames of its calls. Take it apart. Let a `Walk` remember that by
//! itself, and let `next` visit no more nodes than it must. Then run
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
struct Walk {
    leaves: Vec<u32>,
    index: usize,
}

impl Walk {
    fn new(tree: &Tree, visited: &mut usize) -> Self {
        let mut leaves = Vec::new();
        collect(tree, &mut leaves, visited);
        Self { leaves, index: 0 }
    }

    /// The next leaf.
    fn next(&mut self, _visited: &mut usize) -> Option<u32> {
        self.index += 1;
        self.leaves.get(self.index - 1).copied()
    }
}

fn collect(tree: &Tree, leaves: &mut Vec<u32>, visited: &mut usize) {
    *visited += 1;
    match tree {
        Leaf(number) => leaves.push(*number),
        Branch(left, right) => {
            collect(left, leaves, visited);
            collect(right, leaves, visited);
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
