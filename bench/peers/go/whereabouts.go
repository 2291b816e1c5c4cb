package main

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
)

// Whereabouts tells on which OS threads two partners run: every 1024th time they compare.
type Whereabouts struct {
	other, asked, apart int64
}

const every = 1024

func (w *Whereabouts) tell(i int) {
	if i%every == 0 {
		atomic.StoreInt64(&w.other, int64(syscall.Gettid()))
	}
}

func (w *Whereabouts) compare(i int) {
	if i%every == 0 {
		w.asked++
		if atomic.LoadInt64(&w.other) != int64(syscall.Gettid()) {
			w.apart++
		}
	}
}

func (w *Whereabouts) note() string {
	return fmt.Sprintf("apart %.0f%%", 100*float64(w.apart)/float64(w.asked))
}

// Keeps this worker busy until other workers have started all partners, for a tenth of a second at
// most.
func busyUntil(done func() bool) {
	for patience := time.Now(); !done() && time.Since(patience) < 100*time.Millisecond; {
	}
}
