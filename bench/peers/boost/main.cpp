// Boost.Fiber: the same works, the same arguments and the same report as the Rust peers. One worker
// has the round_robin scheduler, several have work_stealing.

#include "bench.hpp"
#include "works.hpp"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace fibers = boost::fibers;

Args args;

static std::function<void()> work_named(const std::string& name) {
    static const std::map<std::string, std::function<void()>> works{
        {"yield", yields},
        {"spawn-join", spawn_join},
        {"spawn-all", spawn_all},
        {"pingpong", [] { pingpong(false); }},
        {"pingpong-apart", [] { pingpong(true); }},
        {"many-to-one", [] { many_to_one(false); }},
        {"many-to-one-apart", [] { many_to_one(true); }},
        {"many-to-many", many_to_many},
        {"mutex", [] { mutex(false); }},
        {"mutex-held", [] { mutex(true); }},
        {"skynet-joins", skynet_joins},
        {"skynet-channels", skynet_channels},
        {"fib", fib},
        {"timers", timers},
        {"parked", parked},
    };
    const auto found = works.find(name);
    if (found == works.end()) {
        std::fprintf(stderr, "boost: no work named \"%s\"\n", name.c_str());
        std::exit(1);
    }
    return found->second;
}

int main(int count, char** argv) {
    if (count != 6) {
        std::fputs("usage: peer-boost WORK WORKERS THREADS N SECONDS\n", stderr);
        return 1;
    }
    args = {argv[1], std::stoul(argv[2]), std::stoul(argv[3]), std::stoul(argv[4]), std::stod(argv[5])};
    const auto work = work_named(args.work);

    fibers::mutex lock;
    fibers::condition_variable_any changed;
    bool done = false;
    const auto others = static_cast<std::uint32_t>(args.workers) - 1;
    std::vector<std::thread> workers;
    for (std::uint32_t i = 0; i < others; ++i) {
        workers.emplace_back([&] {
            fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(others + 1);
            std::unique_lock<fibers::mutex> locked{lock};
            changed.wait(locked, [&] { return done; });
        });
    }
    if (others > 0) fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(others + 1);

    // In a fiber of its own, because that of `main` stays on this OS thread.
    spawn(work).join();
    {
        std::unique_lock<fibers::mutex> locked{lock};
        done = true;
    }
    changed.notify_all();
    for (auto& worker : workers) worker.join();
    std::fflush(stdout);
    return 0;
}
