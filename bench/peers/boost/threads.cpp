// Starting, yielding, parking.

#include "bench.hpp"
#include "works.hpp"

#include <chrono>
#include <mutex>
#include <thread>

namespace fibers = boost::fibers;
using boost::this_fiber::yield;

void yields() {
    Rounds rounds;
    while (rounds.go_on()) {
        Lap lap{args.threads};
        spawn_and_join_all([&lap](std::size_t) {
            lap.arrive();
            while (!lap.on()) yield();
            for (std::size_t i = 0; i < args.n; ++i) yield();
            lap.leave();
        });
        rounds.add(args.threads * args.n, lap.span());
    }
    rounds.report();
}

// A fiber has no result: it goes to a variable that both know.
void spawn_join() {
    Rounds rounds;
    while (rounds.go_on()) {
        const Mark start = Mark::now();
        std::size_t sum = 0;
        for (std::size_t i = 0; i < args.n; ++i) {
            std::size_t result = 0;
            spawn([&result, i] { result = i; }).join();
            sum += result;
        }
        rounds.add(args.n, start.elapsed());
        check(sum == args.n * (args.n - 1) / 2);
    }
    rounds.report();
}

void spawn_all() {
    Rounds rounds;
    std::vector<fibers::fiber> fibers;
    fibers.reserve(args.n);
    std::vector<std::size_t> results(args.n);
    while (rounds.go_on()) {
        const Mark start = Mark::now();
        for (std::size_t i = 0; i < args.n; ++i) {
            fibers.push_back(spawn([&results, i] { results[i] = i; }));
        }
        std::size_t sum = 0;
        for (std::size_t i = 0; i < args.n; ++i) {
            fibers[i].join();
            sum += results[i];
        }
        fibers.clear();
        rounds.add(args.n, start.elapsed());
        check(sum == args.n * (args.n - 1) / 2);
    }
    rounds.report();
}

// Stacks have 64 KiB and no guard: Boost's guarded ones take two kernel maps each. A fiber can't be
// woken by its handle, so all wait at one condition variable and are notified one by one.
void parked() {
    const std::size_t before = memory();
    Lap lap{args.threads};
    fibers::mutex lock;
    fibers::condition_variable gate;
    bool go = false;
    std::vector<fibers::fiber> all;
    all.reserve(args.threads);
    fibers::fixedsize_stack stacks{64 * 1024};
    const Mark begin = Mark::now();
    for (std::size_t i = 0; i < args.threads; ++i) {
        all.emplace_back(fibers::launch::post, std::allocator_arg, stacks, [&] {
            std::unique_lock<fibers::mutex> locked{lock};
            lap.arrive();
            gate.wait(locked, [&go] { return go; });
        });
    }
    while (!lap.on()) yield();
    const Span start = lap.started().since(begin);
    const std::size_t bytes = memory() - before;

    const Mark wake = Mark::now();
    {
        std::unique_lock<fibers::mutex> locked{lock};
        go = true;
    }
    for (std::size_t i = 0; i < args.threads; ++i) gate.notify_one();
    for (auto& fiber : all) fiber.join();
    const Span woken = wake.elapsed();
    start.report("start", args.threads);
    woken.report("wake", args.threads);
    report("memory", static_cast<double>(bytes) / args.threads, "bytes", 0);
    std::this_thread::sleep_for(std::chrono::seconds{3});
    const std::size_t after = memory();
    report("left", static_cast<double>(after > before ? after - before : 0) / args.threads, "bytes", 0);
}
