// Channels. A buffered_channel made for N, which is a power of two, has room for N - 1 messages.

#include "bench.hpp"
#include "works.hpp"

#include <chrono>

namespace fibers = boost::fibers;
using Channel = fibers::buffered_channel<std::size_t>;
using fibers::channel_op_status;

constexpr std::size_t ROOM = 128;

// Keeps this worker busy until `started` is as large as wanted.
static void spin_until(const std::atomic<std::size_t>& started, std::size_t wanted) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::milliseconds{100};
    while (started.load(std::memory_order_acquire) < wanted && std::chrono::steady_clock::now() < patience) {}
}

void pingpong(bool apart) {
    const std::size_t n = args.n, warm_up = n / 10;
    Rounds rounds;
    Whereabouts place;
    while (rounds.go_on()) {
        Channel to_a{2}, to_b{2};
        std::atomic<std::size_t> started{0};
        Span span;
        auto a = spawn([&] {
            auto b = spawn([&] {
                started.store(1, std::memory_order_release);
                for (std::size_t i = 0; i < warm_up + n; ++i) {
                    const std::size_t message = to_b.value_pop();
                    place.tell(i);
                    to_a.push(message);
                }
            });
            if (apart) spin_until(started, 1);
            Mark start = Mark::now();
            for (std::size_t i = 0; i < warm_up + n; ++i) {
                if (i == warm_up) start = Mark::now();
                to_b.push(i);
                check(to_a.value_pop() == i);
                place.compare(i);
            }
            span = start.elapsed();
            b.join();
        });
        a.join();
        rounds.add(n, span);
    }
    rounds.report(place.note());
}

void many_to_one(bool apart) {
    const std::size_t senders = args.threads - 1, n = args.n;
    Rounds rounds;
    Whereabouts place;
    while (rounds.go_on()) {
        Mark start = Mark::now();
        Channel channel{ROOM};
        std::atomic<std::size_t> started{0}, sending{senders};
        std::vector<fibers::fiber> all;
        for (std::size_t s = 0; s < senders; ++s) {
            all.push_back(spawn([&] {
                started.fetch_add(1, std::memory_order_release);
                for (std::size_t i = 0; i < n; ++i) {
                    place.tell(i);
                    channel.push(i);
                }
                if (sending.fetch_sub(1) == 1) channel.close();
            }));
        }
        if (apart) {
            spin_until(started, senders);
            start = Mark::now();
        }
        std::size_t sum = 0, count = 0;
        for (std::size_t i; channel.pop(i) == channel_op_status::success;) {
            place.compare(count);
            sum += i;
            ++count;
        }
        rounds.add(count, start.elapsed());
        for (auto& sender : all) sender.join();
        check(sum == senders * (n * (n - 1) / 2) && count == senders * n);
    }
    rounds.report(place.note());
}

void many_to_many() {
    const std::size_t senders = args.threads / 2, receivers = args.threads - senders, n = args.n;
    Rounds rounds;
    while (rounds.go_on()) {
        const Mark start = Mark::now();
        Channel channel{ROOM};
        std::atomic<std::size_t> sending{senders}, sum{0}, count{0};
        std::vector<fibers::fiber> all;
        for (std::size_t s = 0; s < senders; ++s) {
            all.push_back(spawn([&] {
                for (std::size_t i = 0; i < n; ++i) channel.push(i);
                if (sending.fetch_sub(1) == 1) channel.close();
            }));
        }
        for (std::size_t r = 0; r < receivers; ++r) {
            all.push_back(spawn([&] {
                std::size_t own_sum = 0, own_count = 0;
                for (std::size_t i; channel.pop(i) == channel_op_status::success; ++own_count) own_sum += i;
                sum += own_sum;
                count += own_count;
            }));
        }
        for (auto& fiber : all) fiber.join();
        rounds.add(count, start.elapsed());
        check(sum == senders * (n * (n - 1) / 2) && count == senders * n);
    }
    rounds.report();
}
