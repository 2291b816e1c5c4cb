package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func mutex(hold bool) {
	var rounds Rounds
	for rounds.goOn() {
		var arrived, left int64
		var on int32
		var start Mark
		var span Span
		var lock sync.Mutex
		sum := 0
		var all sync.WaitGroup
		all.Add(threads)
		for t := 0; t < threads; t++ {
			go func() {
				defer all.Done()
				if atomic.AddInt64(&arrived, 1) == int64(threads) {
					start = now()
					atomic.StoreInt32(&on, 1)
				}
				for atomic.LoadInt32(&on) == 0 {
					runtime.Gosched()
				}
				for i := 0; i < n; i++ {
					lock.Lock()
					sum++
					if hold {
						runtime.Gosched()
					}
					lock.Unlock()
				}
				if atomic.AddInt64(&left, 1) == int64(threads) {
					span = start.elapsed()
				}
			}()
		}
		all.Wait()
		rounds.add(threads*n, span)
		check(sum == threads*n)
	}
	rounds.report("")
}

func skynetChannels() {
	var node func(first, leaves int, tell chan int)
	node = func(first, leaves int, tell chan int) {
		if leaves == 1 {
			tell <- first
			return
		}
		part := leaves / 10
		sums := make(chan int, 10)
		for i := 0; i < 10; i++ {
			go node(first+i*part, part, sums)
		}
		sum := 0
		for i := 0; i < 10; i++ {
			sum += <-sums
		}
		tell <- sum
	}
	tree(func() int {
		tell := make(chan int, 1)
		go node(0, n, tell)
		return <-tell
	})
}

// Go has no join: a WaitGroup waits, and the results go to places that both know.
func skynetJoins() {
	var node func(first, leaves int) int
	node = func(first, leaves int) int {
		if leaves == 1 {
			return first
		}
		part := leaves / 10
		var sums [10]int
		var done sync.WaitGroup
		done.Add(10)
		for i := 0; i < 10; i++ {
			go func(i int) {
				sums[i] = node(first+i*part, part)
				done.Done()
			}(i)
		}
		done.Wait()
		sum := 0
		for i := range sums {
			sum += sums[i]
		}
		return sum
	}
	tree(func() int { return node(0, n) })
}

func tree(sum func() int) {
	var rounds Rounds
	for rounds.goOn() {
		start := now()
		total := sum()
		rounds.add(n, start.elapsed())
		check(total == n*(n-1)/2)
	}
	rounds.report("")
}

func fib() {
	const cutOff = 12
	var plain func(n int) int
	plain = func(n int) int {
		if n < 2 {
			return n
		}
		return plain(n-1) + plain(n-2)
	}
	var fib func(n int) int
	fib = func(n int) int {
		if n < cutOff {
			return plain(n)
		}
		var other int
		var done sync.WaitGroup
		done.Add(1)
		go func() {
			other = fib(n - 1)
			done.Done()
		}()
		one := fib(n - 2)
		done.Wait()
		return one + other
	}
	var rounds Rounds
	for rounds.goOn() {
		start := now()
		number := fib(n)
		rounds.add(1, start.elapsed())
		check(number == plain(n))
	}
	rounds.report("")
}

func timers() {
	late := make([]int64, threads)
	var all sync.WaitGroup
	all.Add(threads)
	start := now()
	for t := 0; t < threads; t++ {
		go func(t int) {
			spread := uint64(t) * 0x9E3779B97F4A7C15 >> 20
			wait := time.Duration(1000+spread%999_000) * time.Microsecond
			due := time.Now().Add(wait)
			time.Sleep(wait)
			late[t] = int64(time.Since(due))
			all.Done()
		}(t)
	}
	all.Wait()
	span := start.elapsed()
	sort.Slice(late, func(i, j int) bool { return late[i] < late[j] })
	cpu := float64(span.cpu) / float64(threads)
	report("cpu", cpu, "ns", cpu, "")
	at := func(percent float64) int64 { return late[int(float64(threads-1)*percent/100)] }
	var spread []string
	for _, percent := range percents {
		if (100-percent)/100*float64(threads) >= 1 || percent == 100 {
			spread = append(spread, fmt.Sprintf("%g:%d", percent, at(percent)))
		}
	}
	fmt.Printf("late p50\t%d\tns\t%.3f\t\t%s\n", at(50), cpu, strings.Join(spread, " "))
	report("late p99", float64(at(99)), "ns", cpu, "")
}

// The percentages of a reported distribution. The Rust peers have the same list.
var percents = []float64{0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97.5, 99, 99.25, 99.5, 99.75,
	99.9, 99.925, 99.95, 99.975, 99.99, 99.995, 99.999, 100}

// Goroutines that wait, in a runtime that has nothing else to do. The OS thread that looks blocks
// in a call of its own.
func idle() {
	for t := 0; t < threads; t++ {
		go func() { select {} }()
	}
	runtime.LockOSThread()
	sleep := func(time syscall.Timespec) { must(syscall.Nanosleep(&time, nil)) }
	sleep(syscall.Timespec{Nsec: 100_000_000})
	before := switchesOfOthers()
	sleep(syscall.Timespec{Sec: int64(n)})
	report("switches", float64(switchesOfOthers()-before), "", 0, "")
}

func switchesOfOthers() int {
	tasks, err := os.ReadDir("/proc/self/task")
	must(err)
	sum := 0
	for _, task := range tasks {
		if task.Name() == strconv.Itoa(syscall.Gettid()) {
			continue
		}
		status, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		must(err)
		for _, line := range strings.Split(string(status), "\n") {
			if name, value, _ := strings.Cut(line, ":"); strings.HasSuffix(name, "voluntary_ctxt_switches") {
				sum += number(strings.TrimSpace(value))
			}
		}
	}
	return sum
}
