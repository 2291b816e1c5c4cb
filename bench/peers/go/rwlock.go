package main

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Whether this goroutine takes the lock to write the i-th time. One time in twenty is, and not for
// all goroutines at once.
func writes(thread, i int) bool { return (thread+i)%20 == 0 }

// Each goroutine looks at the number, or adds to it one time in twenty, N times.
func rwlock() {
	var rounds Rounds
	for rounds.goOn() {
		var arrived, left int64
		var on int32
		var start Mark
		var span Span
		var lock sync.RWMutex
		sum := 0
		var all sync.WaitGroup
		all.Add(threads)
		for t := 0; t < threads; t++ {
			go func(t int) {
				defer all.Done()
				if atomic.AddInt64(&arrived, 1) == int64(threads) {
					start = now()
					atomic.StoreInt32(&on, 1)
				}
				for atomic.LoadInt32(&on) == 0 {
					runtime.Gosched()
				}
				seen := 0
				for i := 0; i < n; i++ {
					if writes(t, i) {
						lock.Lock()
						sum++
						lock.Unlock()
					} else {
						lock.RLock()
						seen |= sum
						lock.RUnlock()
					}
				}
				if atomic.AddInt64(&left, 1) == int64(threads) {
					span = start.elapsed()
				}
				check(seen >= 0)
			}(t)
		}
		all.Wait()
		rounds.add(threads*n, span)
		wanted := 0
		for t := 0; t < threads; t++ {
			for i := 0; i < n; i++ {
				if writes(t, i) {
					wanted++
				}
			}
		}
		check(sum == wanted)
	}
	rounds.report("")
}
