package main

import (
	"sync"
	"sync/atomic"
)

// The capacity of a channel between many.
const room = 128

func manyToOne(apart bool) {
	senders := threads - 1
	var place Whereabouts
	var rounds Rounds
	for rounds.goOn() {
		start := now()
		messages := make(chan int, room)
		var started int64
		var all sync.WaitGroup
		all.Add(senders)
		for s := 0; s < senders; s++ {
			go func() {
				atomic.AddInt64(&started, 1)
				for i := 0; i < n; i++ {
					place.tell(i)
					messages <- i
				}
				all.Done()
			}()
		}
		go func() {
			all.Wait()
			close(messages)
		}()
		if apart {
			busyUntil(func() bool { return atomic.LoadInt64(&started) == int64(senders) })
			start = now()
		}
		sum, count := 0, 0
		for i := range messages {
			place.compare(count)
			sum += i
			count++
		}
		rounds.add(count, start.elapsed())
		check(sum == senders*n*(n-1)/2 && count == senders*n)
	}
	rounds.report(place.note())
}

// Half the goroutines send N messages each, and the others take what they can get.
func manyToMany() {
	senders := threads / 2
	receivers := threads - senders
	var rounds Rounds
	for rounds.goOn() {
		start := now()
		messages := make(chan int, room)
		var sending, receiving sync.WaitGroup
		sending.Add(senders)
		for s := 0; s < senders; s++ {
			go func() {
				for i := 0; i < n; i++ {
					messages <- i
				}
				sending.Done()
			}()
		}
		sums, counts := make([]int, receivers), make([]int, receivers)
		receiving.Add(receivers)
		for r := 0; r < receivers; r++ {
			go func(r int) {
				sum, count := 0, 0
				for i := range messages {
					sum += i
					count++
				}
				sums[r], counts[r] = sum, count
				receiving.Done()
			}(r)
		}
		sending.Wait()
		close(messages)
		receiving.Wait()
		sum, count := 0, 0
		for r := range sums {
			sum += sums[r]
			count += counts[r]
		}
		rounds.add(count, start.elapsed())
		check(sum == senders*n*(n-1)/2 && count == senders*n)
	}
	rounds.report("")
}

// Eight goroutines send N messages each, through a channel of their own with room for one; a ninth
// receives from whichever has one.
func selects() {
	var rounds Rounds
	for rounds.goOn() {
		start := now()
		var from [8]chan int
		for c := range from {
			from[c] = make(chan int, 1)
			go func(to chan<- int) {
				for i := 0; i < n; i++ {
					to <- i
				}
			}(from[c])
		}
		a, b, c, d, e, f, g, h := from[0], from[1], from[2], from[3], from[4], from[5], from[6], from[7]
		sum := 0
		for left := 8 * n; left > 0; left-- {
			var i int
			select {
			case i = <-a:
			case i = <-b:
			case i = <-c:
			case i = <-d:
			case i = <-e:
			case i = <-f:
			case i = <-g:
			case i = <-h:
			}
			sum += i
		}
		rounds.add(8*n, start.elapsed())
		check(sum == 8*(n*(n-1)/2))
	}
	rounds.report("")
}
