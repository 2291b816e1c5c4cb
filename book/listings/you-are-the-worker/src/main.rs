// ANCHOR: print
//! Prints how many states there are, and who loses. With the argument `js` it prints the graph, for
//! the page that plays it.

use you_are_the_worker::{
    End, Graph, Move, NAMES, PATIENCE, State, Way, Worker, careful, looks_late, newest_first,
    restless, without_flag, without_second_look,
};

fn main() {
    let graph = Graph::new();
    if std::env::args().nth(1).as_deref() == Some("js") {
        print_script(&graph);
        return;
    }
    let moves: usize = graph.edges.iter().map(Vec::len).sum();
    println!("{} states, {moves} moves", graph.states.len());
    let ways: [(&str, Way); 6] = [
        ("the careful worker", careful),
        ("sleeps without the flag", without_flag),
        ("doesn't look again", without_second_look),
        ("looks too late", looks_late),
        ("runs the newest first", newest_first),
        ("never sleeps", restless),
    ];
    for (name, way) in ways {
        let ends: Vec<String> = graph.ends(way).iter().map(|end| end_name(*end)).collect();
        println!("{name}: {}", ends.join(", "));
    }
}
// ANCHOR_END: print

// ANCHOR: script
/// Each state is one line: what it is, whether it can be won, the careful worker's move, and for
/// each move the outcomes.
fn print_script(graph: &Graph) {
    println!("const GRAPH = {{");
    println!("names: \"{}\", patience: {PATIENCE},", NAMES.iter().collect::<String>());
    println!("states: [");
    for ((state, edges), safe) in graph.states.iter().zip(&graph.edges).zip(&graph.safe) {
        let advice = match (state.end, state.worker) {
            (Some(_), _) => "",
            (None, Worker::Asleep) => "wait",
            (None, _) => move_name(careful(state)),
        };
        let edges = edges.iter().map(|(what, outcomes)| {
            let outcomes = outcomes.iter().map(|(answered, next)| {
                let answered =
                    answered.map_or(String::new(), |thread| NAMES[thread].to_string());
                format!("[\"{answered}\",{next}]")
            });
            format!("{}:[{}]", move_name(*what), outcomes.collect::<Vec<_>>().join(","))
        });
        let edges = edges.collect::<Vec<_>>().join(",");
        println!("[\"{}\",{},\"{advice}\",{{{edges}}}],", described(state), u8::from(*safe));
    }
    println!("]}};");
}

fn move_name(what: Move) -> &'static str {
    match what {
        Move::Run(thread) => ["A", "B", "C"][thread],
        Move::Look => "look",
        Move::Announce => "flag",
        Move::Sleep => "sleep",
        Move::Wait => "wait",
    }
}

/// An end with its thread, or else the queue, the inbox, the parked threads, the turns, the waits,
/// the worker, the bell and the looks.
fn described(state: &State) -> String {
    let names = |threads: &[usize]| threads.iter().map(|it| NAMES[*it]).collect::<String>();
    let digits = |numbers: [u8; 3]| numbers.map(|it| it.to_string()).concat();
    match state.end {
        Some(end) => end_name(end),
        None => format!(
            "{}|{}|{}|{}|{}|{}|{}|{}",
            names(&state.queue),
            names(&state.inbox),
            names(&state.parked),
            digits(state.turns),
            digits(state.waited),
            ["awake", "flag", "asleep"][state.worker as usize],
            u8::from(state.bell),
            state.looks
        ),
    }
}

fn end_name(end: End) -> String {
    match end {
        End::Won => "won".to_owned(),
        End::RanHot => "hot".to_owned(),
        End::Starved(thread) => format!("starved {}", NAMES[thread]),
        End::SleptAtWork(thread) => format!("slept {}", NAMES[thread]),
        End::LostWakeUp(thread) => format!("lost {}", NAMES[thread]),
    }
}
// ANCHOR_END: script
