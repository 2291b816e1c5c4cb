// Go: the same works, the same arguments and the same report as the Rust peers.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// One line of the work list: `go WORK WORKERS THREADS N SECONDS`.
var (
	work    = os.Args[1]
	workers = number(os.Args[2])
	threads = number(os.Args[3])
	n       = number(os.Args[4])
	seconds = os.Args[5]
)

func main() {
	runtime.GOMAXPROCS(workers)
	switch work {
	case "yield":
		yields()
	case "spawn-join":
		spawnJoin()
	case "spawn-all":
		spawnAll()
	case "pingpong":
		pingpong(false)
	case "pingpong-apart":
		pingpong(true)
	case "mutex":
		mutex(false)
	case "mutex-held":
		mutex(true)
	case "rwlock":
		rwlock()
	case "many-to-one":
		manyToOne(false)
	case "many-to-one-apart":
		manyToOne(true)
	case "many-to-many":
		manyToMany()
	case "select":
		selects()
	case "skynet-joins":
		skynetJoins()
	case "skynet-channels":
		skynetChannels()
	case "fib":
		fib()
	case "timers":
		timers()
	case "parked":
		parked()
	case "idle":
		idle()
	case "http":
		http()
	case "echo", "echo-at-rate", "idle-active", "churn":
		echo()
	case "unbalanced":
		unbalanced()
	case "files-cached":
		files(false)
	case "files-cold":
		files(true)
	default:
		panic("no work named " + work)
	}
}

func yields() {
	var rounds Rounds
	for rounds.goOn() {
		var arrived, left int64
		var on int32
		var start Mark
		var span Span
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
					runtime.Gosched()
				}
				if atomic.AddInt64(&left, 1) == int64(threads) {
					span = start.elapsed()
				}
			}()
		}
		all.Wait()
		rounds.add(threads*n, span)
	}
	rounds.report("")
}

// Go has no join: a WaitGroup waits, and the result goes to a place that both know.
func spawnJoin() {
	var rounds Rounds
	for rounds.goOn() {
		start := now()
		sum := 0
		for i := 0; i < n; i++ {
			var done sync.WaitGroup
			var result int
			done.Add(1)
			go func(i int) {
				result = i
				done.Done()
			}(i)
			done.Wait()
			sum += result
		}
		rounds.add(n, start.elapsed())
		check(sum == n*(n-1)/2)
	}
	rounds.report("")
}

func spawnAll() {
	var rounds Rounds
	results := make([]int, n)
	for rounds.goOn() {
		start := now()
		var done sync.WaitGroup
		done.Add(n)
		for i := 0; i < n; i++ {
			go func(i int) {
				results[i] = i
				done.Done()
			}(i)
		}
		done.Wait()
		sum := 0
		for i := range results {
			sum += results[i]
		}
		rounds.add(n, start.elapsed())
		check(sum == n*(n-1)/2)
	}
	rounds.report("")
}

func pingpong(apart bool) {
	warmUp := n / 10
	var place Whereabouts
	var rounds Rounds
	for rounds.goOn() {
		toB := make(chan int, 1)
		toA := make(chan int, 1)
		result := make(chan Span)
		var started int64
		b := func() {
			atomic.StoreInt64(&started, 1)
			for i := 0; i < warmUp+n; i++ {
				message := <-toB
				place.tell(i)
				toA <- message
			}
		}
		a := func() {
			go b()
			if apart {
				busyUntil(func() bool { return atomic.LoadInt64(&started) == 1 })
			}
			start := now()
			for i := 0; i < warmUp+n; i++ {
				if i == warmUp {
					start = now()
				}
				toB <- i
				check(<-toA == i)
				place.compare(i)
			}
			result <- start.elapsed()
		}
		go a()
		rounds.add(n, <-result)
	}
	rounds.report(place.note())
}

func parked() {
	before := memory()
	start := now()
	gate := make(chan struct{})
	var arrived int64
	var started Span
	var done sync.WaitGroup
	done.Add(threads)
	for t := 0; t < threads; t++ {
		go func() {
			if atomic.AddInt64(&arrived, 1) == int64(threads) {
				started = start.elapsed()
			}
			<-gate
			done.Done()
		}()
	}
	for atomic.LoadInt64(&arrived) < int64(threads) {
		runtime.Gosched()
	}
	bytes := memory() - before

	wake := now()
	for t := 0; t < threads; t++ {
		gate <- struct{}{}
	}
	done.Wait()
	woken := wake.elapsed()
	time.Sleep(3 * time.Second)
	left := max(memory()-before, 0)
	started.report("start", threads, "")
	woken.report("wake", threads, "")
	report("memory", float64(bytes)/float64(threads), "bytes", 0, "")
	report("left", float64(left)/float64(threads), "bytes", 0, "")
}

// Clocks and report.

type Mark struct {
	time time.Time
	cpu  time.Duration
}

type Span struct{ time, cpu time.Duration }

func now() Mark {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return Mark{time.Now(), time.Duration(usage.Utime.Nano() + usage.Stime.Nano())}
}

func (m Mark) elapsed() Span {
	end := now()
	return Span{end.time.Sub(m.time), end.cpu - m.cpu}
}

func (s Span) report(metric string, ops int, note string) {
	report(metric, float64(s.time)/float64(ops), "ns", float64(s.cpu)/float64(ops), note)
}

func report(metric string, value float64, unit string, cpu float64, note string) {
	fmt.Printf("%s\t%.3f\t%s\t%.3f\t%s\n", metric, value, unit, cpu, note)
}

// Rounds adds up rounds until enough time has been measured. The first one is warm-up and is not
// counted.
type Rounds struct {
	warm  bool
	total Span
	ops   int
}

func (r *Rounds) goOn() bool {
	atLeast, err := strconv.ParseFloat(seconds, 64)
	must(err)
	return r.total.time.Seconds() < atLeast
}

func (r *Rounds) add(ops int, span Span) {
	if r.warm {
		r.total.time += span.time
		r.total.cpu += span.cpu
		r.ops += ops
	}
	r.warm = true
}

func (r *Rounds) report(note string) { r.total.report("time", r.ops, note) }

// Bytes of memory in use by this process: resident pages and the page tables that map them.
func memory() int {
	status, err := os.ReadFile("/proc/self/status")
	must(err)
	field := func(name string) int {
		_, rest, _ := strings.Cut(string(status), name)
		return number(strings.Fields(rest)[0])
	}
	return (field("VmRSS:") + field("VmPTE:")) * 1024
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	must(err)
	return value
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(ok bool) {
	if !ok {
		panic("a wrong result")
	}
}
