// ANCHOR: head
//! A worker, the threads that it runs, and a sibling that answers them: all states there are.
//!
//! The worker moves. After each of its moves the sibling may answer one thread. The worker doesn't
//! see that.

use std::collections::{BTreeMap, BTreeSet};
// ANCHOR_END: head

// ANCHOR: state
/// The threads, by their places in arrays: `A` computes, `B` and `C` ask the sibling for something.
pub const NAMES: [char; 3] = ['A', 'B', 'C'];

/// How many turns each thread needs.
const TURNS: [u8; 3] = [3, 2, 2];

/// How many turns of others a ready thread waits for before its client hangs up.
pub const PATIENCE: u8 = 2;

/// How often a worker may look into its inbox for nothing, before it has wasted a processor.
pub const LOOKS: u8 = 3;

/// All that there is. The worker knows its queue and its own flag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// The ready threads that the worker knows, the oldest first.
    pub queue: Vec<usize>,
    /// The ready threads that the sibling has put into the worker's inbox.
    pub inbox: Vec<usize>,
    /// The threads that wait for the sibling's answer.
    pub parked: Vec<usize>,
    /// The turns that each thread still needs.
    pub turns: [u8; 3],
    /// The turns of others that each ready thread has waited for.
    pub waited: [u8; 3],
    /// What the worker does.
    pub worker: Worker,
    /// The sibling has rung, and the worker has not slept since.
    pub bell: bool,
    /// How often in a row the worker has found nothing.
    pub looks: u8,
    /// Whether it has ended, and how.
    pub end: Option<End>,
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worker {
    /// Its flag is down.
    Awake,
    /// Its flag is up: the sibling rings when it puts something into the inbox.
    Announced,
    /// Its flag is up, and it does nothing until the bell rings.
    Asleep,
}

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// All threads have ended.
    Won,
    /// This ready thread has waited for too long.
    Starved(usize),
    /// The worker sleeps, and this thread is ready in its own queue.
    SleptAtWork(usize),
    /// The worker sleeps, this thread is in its inbox, and nobody will ring for it.
    LostWakeUp(usize),
    /// The worker has looked again and again for nothing.
    RanHot,
}
// ANCHOR_END: state

// ANCHOR: moves
/// What the worker may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Move {
    /// Give this thread a turn.
    Run(usize),
    /// Take all threads out of the inbox.
    Look,
    /// Raise the flag.
    Announce,
    /// Do nothing until the bell rings.
    Sleep,
    /// The only one for a worker that sleeps: time passes.
    Wait,
}

impl State {
    /// All threads are ready, and nobody has waited yet.
    pub fn first() -> Self {
        Self { queue: vec![0, 1, 2], turns: TURNS, ..Self::empty() }
    }

    fn empty() -> Self {
        Self {
            queue: Vec::new(),
            inbox: Vec::new(),
            parked: Vec::new(),
            turns: [0; 3],
            waited: [0; 3],
            worker: Worker::Awake,
            bell: false,
            looks: 0,
            end: None,
        }
    }

    /// What the worker may do now.
    pub fn moves(&self) -> Vec<Move> {
        match (self.end, self.worker) {
            (Some(_), _) => Vec::new(),
            (None, Worker::Asleep) => vec![Move::Wait],
            (None, worker) => {
                let mut moves: Vec<Move> = self.queue.iter().copied().map(Move::Run).collect();
                moves.push(Move::Look);
                if worker == Worker::Awake && self.queue.is_empty() {
                    moves.push(Move::Announce);
                }
                moves.push(Move::Sleep);
                moves
            }
        }
    }

    /// The state behind a move, before the sibling's steps.
    pub fn after(&self, what: Move) -> Self {
        let mut next = self.clone();
        match what {
            Move::Run(thread) => next.run(thread),
            Move::Look if self.inbox.is_empty() => next.looks += 1,
            Move::Look => {
                next.looks = 0;
                next.queue.append(&mut next.inbox);
                next.worker = Worker::Awake;
            }
            Move::Announce => next.worker = Worker::Announced,
            Move::Sleep => {
                next.looks = 0;
                next.worker = Worker::Asleep;
            }
            Move::Wait => {}
        }
        next.settled()
    }

    fn run(&mut self, thread: usize) {
        self.queue.retain(|other| *other != thread);
        self.worker = Worker::Awake;
        self.looks = 0;
        for other in self.queue.iter().chain(&self.inbox) {
            self.waited[*other] += 1;
        }
        self.waited[thread] = 0;
        self.turns[thread] -= 1;
        match (self.turns[thread], thread) {
            (0, _) => {}
            // A yields.
            (_, 0) => self.queue.push(thread),
            _ => self.parked.push(thread),
        }
    }
}
// ANCHOR_END: moves

// ANCHOR: sibling
impl State {
    /// The sibling has an answer for this thread. It puts the thread into the inbox, looks at the
    /// flag, and rings if that is up.
    fn answered(&self, thread: usize) -> Self {
        let mut next = self.clone();
        next.parked.retain(|other| *other != thread);
        next.inbox.push(thread);
        next.bell |= self.worker != Worker::Awake;
        next.settled()
    }

    /// All that a move may lead to, with the thread that the sibling answers, if it does. A worker
    /// that sleeps waits until it does.
    pub fn outcomes(&self, what: Move) -> Vec<(Option<usize>, State)> {
        let next = self.after(what);
        let mut outcomes = Vec::new();
        if next.end.is_none() {
            outcomes.extend(
                next.parked.iter().map(|thread| (Some(*thread), next.answered(*thread))),
            );
        }
        if what != Move::Wait {
            outcomes.push((None, next));
        }
        outcomes
    }
}
// ANCHOR_END: sibling

// ANCHOR: ends
impl State {
    /// Puts threads in order, lets the bell wake the worker, and finds out whether this is an end.
    /// An end has nothing but its reason.
    fn settled(mut self) -> Self {
        // Those that have waited for longest come first.
        self.queue.sort_by_key(|thread| (3 - self.waited[*thread].min(3), *thread));
        self.inbox.sort();
        self.parked.sort();
        if self.worker == Worker::Asleep && self.bell {
            (self.worker, self.bell) = (Worker::Awake, false);
        }
        let asleep = self.worker == Worker::Asleep;
        let end = if self.turns == [0; 3] {
            End::Won
        } else if let Some(thread) = (0..3).find(|thread| self.waited[*thread] > PATIENCE) {
            End::Starved(thread)
        } else if asleep && let Some(thread) = self.queue.first() {
            End::SleptAtWork(*thread)
        } else if asleep && let Some(thread) = self.inbox.first() {
            End::LostWakeUp(*thread)
        } else if self.looks >= LOOKS {
            End::RanHot
        } else {
            return self;
        };
        Self { end: Some(end), ..Self::empty() }
    }
}
// ANCHOR_END: ends

// ANCHOR: graph
/// The moves from a state, and what each may lead to: the thread that is answered, and the number
/// of a state.
pub type Edges = Vec<(Move, Vec<(Option<usize>, usize)>)>;

/// All states that can be reached, and the moves from each. The last one is the first of a play.
#[derive(Debug, Default)]
pub struct Graph {
    /// The states.
    pub states: Vec<State>,
    /// The moves from each.
    pub edges: Vec<Edges>,
    /// Whether the worker can still win, whatever the sibling does.
    pub safe: Vec<bool>,
    numbers: BTreeMap<State, usize>,
}

impl Graph {
    /// Goes everywhere, from the first state on. No play goes round in a circle, as each move uses
    /// up a turn, a look, an answer or a bell.
    pub fn new() -> Self {
        let mut graph = Self::default();
        graph.visit(State::first());
        graph
    }

    /// Gives a state its number, behind those of all states that it leads to.
    fn visit(&mut self, state: State) -> usize {
        if let Some(number) = self.numbers.get(&state) {
            return *number;
        }
        let mut edges = Edges::new();
        for what in state.moves() {
            let outcomes = state.outcomes(what).into_iter();
            let outcomes = outcomes.map(|(answered, next)| (answered, self.visit(next)));
            edges.push((what, outcomes.collect()));
        }
        let is_safe =
            |outcomes: &[(_, usize)]| outcomes.iter().all(|(_, next)| self.safe[*next]);
        let can_win = edges.iter().any(|(_, outcomes)| is_safe(outcomes));
        self.safe.push(can_win || state.end == Some(End::Won));
        self.edges.push(edges);
        self.numbers.insert(state.clone(), self.states.len());
        self.states.push(state);
        self.states.len() - 1
    }

    /// All ends that a worker may come to that always plays in the same way.
    pub fn ends(&self, way: Way) -> BTreeSet<End> {
        let mut ends = BTreeSet::new();
        let (mut seen, mut todo) = (BTreeSet::new(), vec![self.states.len() - 1]);
        while let Some(number) = todo.pop() {
            let state = &self.states[number];
            ends.extend(state.end);
            if !seen.insert(number) || state.end.is_some() {
                continue;
            }
            let what = if state.worker == Worker::Asleep { Move::Wait } else { way(state) };
            let edges = self.edges[number].iter().filter(|(other, _)| *other == what);
            todo.extend(edges.flat_map(|(_, outcomes)| outcomes.iter().map(|(_, next)| next)));
        }
        ends
    }
}
// ANCHOR_END: graph

// ANCHOR: ways
/// What a worker does, by what it can see.
pub type Way = fn(&State) -> Move;

/// Looks until nothing is there, and runs the thread that has waited for longest. Before it sleeps,
/// it raises its flag and looks once more. It asks for nothing that a worker can't see.
pub fn careful(state: &State) -> Move {
    match (state.queue.first(), state.looks, state.worker) {
        (_, 0, _) => Move::Look,
        (Some(oldest), ..) => Move::Run(*oldest),
        (None, 1, Worker::Awake) => Move::Announce,
        (None, 1, _) => Move::Look,
        (None, ..) => Move::Sleep,
    }
}

/// Sleeps when it has found nothing.
pub fn without_flag(state: &State) -> Move {
    match careful(state) {
        Move::Announce => Move::Sleep,
        what => what,
    }
}

/// Raises its flag, and sleeps.
pub fn without_second_look(state: &State) -> Move {
    if state.worker == Worker::Announced { Move::Sleep } else { careful(state) }
}

/// Looks only when it has nothing else to do.
pub fn looks_late(state: &State) -> Move {
    state.queue.first().map_or_else(|| careful(state), |oldest| Move::Run(*oldest))
}

/// Runs the thread that was ready last.
pub fn newest_first(state: &State) -> Move {
    match (careful(state), state.queue.last()) {
        (Move::Run(_), Some(newest)) => Move::Run(*newest),
        (what, _) => what,
    }
}

/// Never sleeps.
pub fn restless(state: &State) -> Move {
    state.queue.first().map_or(Move::Look, |_| careful(state))
}
// ANCHOR_END: ways
