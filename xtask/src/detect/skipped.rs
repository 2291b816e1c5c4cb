//! The one list of tests that don't run under a tool.

use Tool::{Asan, Tsan, Valgrind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Valgrind,
    Asan,
    Tsan,
}

pub(super) struct Skip {
    /// A package, its program, and the path of a test, of the beginnings of some, or of a module.
    pub(super) test: &'static str,
    pub(super) by: &'static [Tool],
    pub(super) why: &'static str,
}

const fn skip(test: &'static str, by: &'static [Tool], why: &'static str) -> Skip {
    Skip { test, by, why }
}

const STARTS_A_TOOL: &str =
    "it starts a debugger or Valgrind, which can't run or read a program with a sanitizer";
const NO_TABLES: &str = "a sanitizer's module constructor has no unwind table, and makes LLVM write those of naked \
    functions to .debug_frame, where only debuggers look";
const INNER: &str =
    "gdb follows no caller whose stack lies below its callee's, and there the sanitizer puts it";
const LIMITS_ADDRESSES: &str = "it limits the address space, of which the tool takes terabytes";
const MEASURES_MEMORY: &str = "it measures memory, and most of it is the tool's";
const MEASURES_TIME: &str = "it measures time, and most of it is the tool's";
const REFUSES_CALLS: &str = "it has system calls refused to the program, and so to the tool in it";
const COUNTS_SWITCHES: &str =
    "it counts the switches of the process's OS threads, of which one is the tool's";

#[rustfmt::skip]
pub(super) const SKIPPED: &[Skip] = &[
    skip("greenthread-context/valgrind::clean_under_valgrind", &[Asan, Tsan], STARTS_A_TOOL),
    skip("greenthread-context/walking::gdb_walks_a_green_stack", &[Asan, Tsan], INNER),
    skip("greenthread-context/walking::the_bridge_leads_into", &[Asan, Tsan], NO_TABLES),
    skip("greenthread-context/walking::a_walk_of_a_coroutine", &[Asan, Tsan], NO_TABLES),
    skip("greenthread/lib::stack::tests::memory_goes_back", &[Tsan], MEASURES_MEMORY),
    skip("greenthread/lib::stack::tests::warm_stacks_keep_their_tops", &[Tsan], MEASURES_MEMORY),
    skip("greenthread/lib::stack::tests::a_hundred_thousand_stacks_are_few_maps", &[Tsan], MEASURES_TIME),
    skip("greenthread/lib::stack::tests::a_hundred_thousand_stacks_are_few_maps", &[Valgrind],
        "Valgrind looks for a stack in a list of all, which takes hours with so many"),
    skip("greenthread/lib::stack::tests::overflowing::is_reported_and_nothing_else_is", &[Valgrind],
        "it writes to address 4096 on purpose, which is an error to the tool"),
    skip("greenthread/lib::stack::tests::when_maps_run_out_the_error_says_what_to_do", &[Valgrind],
        "it uses up the maps, and Valgrind ends the process when its own table of them is full"),
    skip("greenthread/thread::inline_join::a_thread_that_has_waited_for_a_stack", &[Asan, Tsan], LIMITS_ADDRESSES),
    skip("greenthread/thread::spawn_local::local_threads_wait_for_a_stack", &[Asan, Tsan], LIMITS_ADDRESSES),
    skip("greenthread/runtime::reports::ten_million_threads_with_a_gigabyte", &[Asan],
        "the tool marks all of each stack, and these have a gigabyte each"),
    skip("greenthread/memory::given_back", &[Valgrind, Asan, Tsan], MEASURES_MEMORY),
    skip("greenthread/runtime::reports::the_limit_of_maps_is_named", &[Tsan],
        "it uses up the maps, of which the tool needs some"),
    skip("greenthread/runtime::starved", &[Tsan], LIMITS_ADDRESSES),
    skip("greenthread/runtime::lifecycle::idle_workers_make_no_context_switch", &[Tsan], COUNTS_SWITCHES),
    skip("greenthread/runtime::blocking::a_burst_leaves_nothing_behind", &[Tsan], COUNTS_SWITCHES),
    skip("greenthread/injected::every_answer_is_an_end_or_an_error", &[Asan, Tsan], REFUSES_CALLS),
];
