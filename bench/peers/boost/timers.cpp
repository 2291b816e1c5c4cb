// Very many fibers that sleep.

#include "bench.hpp"
#include "works.hpp"

#include <algorithm>
#include <cstdio>

// The percentages of a reported distribution. The Rust peers have the same list.
constexpr double PERCENTS[] = {
    0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97.5, 99,
    99.25, 99.5, 99.75, 99.9, 99.925, 99.95, 99.975, 99.99, 99.995, 99.999, 100,
};

// Each fiber sleeps once, the first for a millisecond, the last for a thousand, and says how late
// it woke.
void timers() {
    using namespace std::chrono;
    std::vector<std::int64_t> late(args.threads);
    const Mark start = Mark::now();
    spawn_and_join_all([&late](std::size_t i) {
        const std::uint64_t spread = static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15u >> 20;
        const auto due = steady_clock::now() + microseconds{1000 + spread % 999'000};
        boost::this_fiber::sleep_until(due);
        late[i] = nanoseconds{steady_clock::now() - due}.count();
    });
    const double cpu = static_cast<double>(start.elapsed().cpu.count()) / args.threads;
    std::sort(late.begin(), late.end());
    const auto at = [&late](double percent) { return late[static_cast<std::size_t>((late.size() - 1) * percent / 100)]; };

    report("cpu", cpu, "ns", cpu);
    std::printf("late p50\t%ld\tns\t%.3f\t\t", at(50), cpu);
    for (const double percent : PERCENTS) {
        if ((100 - percent) / 100 * late.size() >= 1 || percent == 100) {
            std::printf("%s%g:%ld", percent == 0 ? "" : " ", percent, at(percent));
        }
    }
    std::printf("\n");
    report("late p99", at(99), "ns", cpu);
}
