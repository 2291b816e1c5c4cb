// One lock, many fibers. Boost.Fiber has no lock with readers and writers.

#include "bench.hpp"
#include "works.hpp"

#include <mutex>

using boost::this_fiber::yield;

void mutex(bool hold) {
    Rounds rounds;
    while (rounds.go_on()) {
        Lap lap{args.threads};
        boost::fibers::mutex lock;
        std::size_t sum = 0;
        spawn_and_join_all([&](std::size_t) {
            lap.arrive();
            while (!lap.on()) yield();
            for (std::size_t i = 0; i < args.n; ++i) {
                const std::lock_guard<boost::fibers::mutex> locked{lock};
                ++sum;
                if (hold) yield();
            }
            lap.leave();
        });
        rounds.add(args.threads * args.n, lap.span());
        check(sum == args.threads * args.n);
    }
    rounds.report();
}
