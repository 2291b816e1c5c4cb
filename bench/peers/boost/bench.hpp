// The common parts of the works: arguments, clocks, rounds and the report, as in `bench/common` for
// the Rust peers; and the start of a fiber.
#pragma once

#include <atomic>
#include <boost/fiber/all.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// One line of the work list: `boost WORK WORKERS THREADS N SECONDS`.
struct Args {
    std::string work;
    std::size_t workers;
    std::size_t threads;
    std::size_t n;
    double seconds;
};

extern Args args;

struct Span {
    std::chrono::nanoseconds time{0};
    std::chrono::nanoseconds cpu{0};

    void report(const char* metric, std::size_t ops, const std::string& note = "") const;
};

// A moment: the clock on the wall and the CPU time that the whole process has used.
struct Mark {
    std::chrono::steady_clock::time_point time;
    std::chrono::nanoseconds cpu;

    static Mark now();
    Span elapsed() const;
    Span since(const Mark& earlier) const { return {time - earlier.time, cpu - earlier.cpu}; }
};

// One measurement, one line: metric, value, unit, CPU nanoseconds per operation, note.
void report(const std::string& metric, double value, const char* unit, double cpu, const std::string& note = "");

// Bytes of memory in use by this process: resident pages and the page tables that map them.
std::size_t memory();

void check(bool right);

// Adds up rounds until enough time has been measured. The first one is warm-up and is not counted.
class Rounds {
public:
    bool go_on() const;
    void add(std::size_t ops, Span span);
    void report(const std::string& note = "") const { total.report("time", ops, note); }

private:
    bool warm = false;
    Span total;
    std::size_t ops = 0;
};

// Times what several fibers do from the moment when all are there until the last one leaves.
class Lap {
public:
    explicit Lap(std::size_t fibers) : fibers{fibers} {}
    void arrive();
    bool on() const { return all_here.load(std::memory_order_acquire); }
    void leave();
    Mark started() const { return start; }
    Span span() const { return spent; }

private:
    const std::size_t fibers;
    std::atomic<std::size_t> here{0}, left{0};
    std::atomic<bool> all_here{false};
    Mark start{};
    Span spent;
};

// The OS threads on which two partners run. Every 1024th time they compare.
class Whereabouts {
public:
    void tell(std::size_t i);
    void compare(std::size_t i);
    std::string note() const;

private:
    std::atomic<int> other{0};
    std::size_t asked = 0, apart = 0;
};

// Stacks that malloc has in its heap rather than in a map for each; Boost's own skynet has 8 KiB.
constexpr std::size_t STACK = 16 * 1024;

// One OS thread keeps stacks in a pool, which several may not share.
template <class F>
boost::fibers::fiber spawn(F f) {
    using namespace boost::fibers;
    if (args.workers == 1) {
        static pooled_fixedsize_stack pool{STACK};
        return fiber{launch::post, std::allocator_arg, pool, std::move(f)};
    }
    return fiber{launch::post, std::allocator_arg, fixedsize_stack{STACK}, std::move(f)};
}

// Starts `args.threads` fibers and joins them.
template <class F>
void spawn_and_join_all(F f) {
    std::vector<boost::fibers::fiber> fibers;
    fibers.reserve(args.threads);
    for (std::size_t i = 0; i < args.threads; ++i) fibers.push_back(spawn([f, i] { f(i); }));
    for (auto& fiber : fibers) fiber.join();
}
