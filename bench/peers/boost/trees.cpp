// Fibers that start fibers.

#include "bench.hpp"
#include "works.hpp"

#include <array>
#include <memory>

namespace fibers = boost::fibers;

template <class F>
static void tree(F sum) {
    Rounds rounds;
    while (rounds.go_on()) {
        const Mark start = Mark::now();
        const std::size_t total = sum();
        rounds.add(args.n, start.elapsed());
        check(total == args.n * (args.n - 1) / 2);
    }
    rounds.report();
}

static std::size_t node(std::size_t first, std::size_t leaves) {
    if (leaves == 1) return first;
    const std::size_t part = leaves / 10;
    std::array<std::size_t, 10> sums;
    std::array<fibers::fiber, 10> children;
    for (std::size_t i = 0; i < 10; ++i) {
        children[i] = spawn([&sums, first, part, i] { sums[i] = node(first + i * part, part); });
    }
    std::size_t sum = 0;
    for (std::size_t i = 0; i < 10; ++i) {
        children[i].join();
        sum += sums[i];
    }
    return sum;
}

void skynet_joins() {
    tree([] { return node(0, args.n); });
}

// Shared, because the parent may have all ten before the last child has left `push`.
using Channel = std::shared_ptr<fibers::buffered_channel<std::size_t>>;

static Channel channel() { return std::make_shared<fibers::buffered_channel<std::size_t>>(16); }

static void node(std::size_t first, std::size_t leaves, const Channel& tell) {
    if (leaves == 1) {
        tell->push(first);
        return;
    }
    const std::size_t part = leaves / 10;
    const Channel sums = channel();
    for (std::size_t i = 0; i < 10; ++i) {
        spawn([sums, first, part, i] { node(first + i * part, part, sums); }).detach();
    }
    std::size_t sum = 0;
    for (std::size_t i = 0; i < 10; ++i) sum += sums->value_pop();
    tell->push(sum);
}

void skynet_channels() {
    tree([] {
        const Channel tell = channel();
        spawn([tell] { node(0, args.n, tell); }).detach();
        return tell->value_pop();
    });
}

static std::size_t plain(std::size_t n) { return n < 2 ? n : plain(n - 1) + plain(n - 2); }

static std::size_t forked(std::size_t n) {
    if (n < 12) return plain(n);
    std::size_t other = 0;
    auto child = spawn([&other, n] { other = forked(n - 1); });
    const std::size_t one = forked(n - 2);
    child.join();
    return one + other;
}

void fib() {
    Rounds rounds;
    while (rounds.go_on()) {
        const Mark start = Mark::now();
        const std::size_t number = forked(args.n);
        rounds.add(1, start.elapsed());
        check(number == plain(args.n));
    }
    rounds.report();
}
