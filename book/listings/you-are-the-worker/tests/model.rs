//! What the model says of workers, careful and careless.

use std::collections::BTreeSet;

use you_are_the_worker::{
    End, Graph, Move, State, Way, Worker, careful, looks_late, newest_first, restless,
    without_flag, without_second_look,
};

fn ends(way: Way) -> BTreeSet<End> {
    Graph::new().ends(way)
}

#[test]
fn a_careful_worker_wins_whatever_the_sibling_does() {
    assert_eq!(ends(careful), [End::Won].into());
    assert_eq!(Graph::new().safe.last(), Some(&true));
}

#[test]
fn each_carelessness_may_lose_in_its_own_way() {
    let lost = |ends: BTreeSet<End>| ends.iter().any(|end| matches!(end, End::LostWakeUp(_)));
    assert!(lost(ends(without_flag)));
    assert!(lost(ends(without_second_look)));
    assert!(ends(looks_late).iter().any(|end| matches!(end, End::Starved(1 | 2))));
    assert!(ends(newest_first).iter().any(|end| matches!(end, End::Starved(_))));
    assert!(ends(restless).contains(&End::RanHot));
}

#[test]
fn the_flag_makes_a_difference_only_together_with_a_second_look() {
    let mut state =
        State { queue: Vec::new(), parked: vec![1], turns: [0, 1, 0], ..State::first() };
    // The answer comes between the look and the sleep, and nobody rings.
    let put = |state: &State, what| {
        let outcomes = state.outcomes(what);
        outcomes.into_iter().find(|(answered, _)| *answered == Some(1)).unwrap().1
    };
    assert_eq!(put(&state, Move::Look).after(Move::Sleep).end, Some(End::LostWakeUp(1)));
    // It comes when the flag is up: the bell rings, and the worker doesn't sleep.
    let rung = put(&state.after(Move::Announce), Move::Look).after(Move::Sleep);
    assert_eq!((rung.worker, rung.end), (Worker::Awake, None));
    // It comes before the flag is up: the second look finds it.
    state = put(&state, Move::Look).after(Move::Announce).after(Move::Look);
    assert_eq!(state.queue, [1]);
}

#[test]
fn no_play_goes_on_for_ever() {
    let graph = Graph::new();
    for (number, edges) in graph.edges.iter().enumerate() {
        let nexts = edges.iter().flat_map(|(_, outcomes)| outcomes);
        assert!(nexts.clone().all(|(_, next)| *next < number));
        assert_eq!(edges.is_empty(), graph.states[number].end.is_some());
    }
}
