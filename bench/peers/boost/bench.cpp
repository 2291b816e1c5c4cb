#include "bench.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <unistd.h>

using namespace std::chrono;

Mark Mark::now() {
    timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    return {steady_clock::now(), seconds{cpu.tv_sec} + nanoseconds{cpu.tv_nsec}};
}

Span Mark::elapsed() const { return now().since(*this); }

void Span::report(const char* metric, std::size_t ops, const std::string& note) const {
    const double count = static_cast<double>(ops);
    ::report(metric, time.count() / count, "ns", cpu.count() / count, note);
}

void report(const std::string& metric, double value, const char* unit, double cpu, const std::string& note) {
    std::printf("%s\t%.3f\t%s\t%.3f\t%s\n", metric.c_str(), value, unit, cpu, note.c_str());
}

std::size_t memory() {
    std::ifstream status{"/proc/self/status"};
    std::size_t kib = 0;
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmRSS:", 0) == 0 || line.rfind("VmPTE:", 0) == 0) kib += std::stoul(line.substr(6));
    }
    return kib * 1024;
}

void check(bool right) {
    if (!right) {
        std::fputs("a wrong result\n", stderr);
        std::abort();
    }
}

bool Rounds::go_on() const { return duration<double>(total.time).count() < args.seconds; }

void Rounds::add(std::size_t done, Span span) {
    if (warm) {
        total.time += span.time;
        total.cpu += span.cpu;
        ops += done;
    }
    warm = true;
}

void Lap::arrive() {
    if (here.fetch_add(1, std::memory_order_acq_rel) + 1 == fibers) {
        start = Mark::now();
        all_here.store(true, std::memory_order_release);
    }
}

void Lap::leave() {
    if (left.fetch_add(1, std::memory_order_acq_rel) + 1 == fibers) spent = start.elapsed();
}

constexpr std::size_t EVERY = 1024;

void Whereabouts::tell(std::size_t i) {
    if (i % EVERY == 0) other.store(gettid(), std::memory_order_relaxed);
}

void Whereabouts::compare(std::size_t i) {
    if (i % EVERY == 0) {
        ++asked;
        apart += other.load(std::memory_order_relaxed) != gettid();
    }
}

std::string Whereabouts::note() const {
    char text[32];
    std::snprintf(text, sizeof text, "apart %.0f%%", 100.0 * apart / asked);
    return text;
}
