package main

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

const block = 4096

// Random reads of the file that the runner has made, by many goroutines; see common/src/files.rs.
func files(cold bool) {
	program, err := os.Executable()
	must(err)
	path := filepath.Join(filepath.Dir(program), "bench-data")
	file, err := os.Open(path)
	must(err)
	information, err := file.Stat()
	must(err)
	blocks := uint64(information.Size() / block)
	var rounds Rounds
	for round := 0; rounds.goOn(); round++ {
		prepare(path, cold, round)
		start := now()
		var done sync.WaitGroup
		done.Add(threads)
		for t := 0; t < threads; t++ {
			go func(t int) {
				defer done.Done()
				state := (uint64(round)<<32 | uint64(t)) * 0x9E37_79B9_7F4A_7C15
				buffer := make([]byte, block)
				for i := 0; i < n; i++ {
					state = state*6364136223846793005 + 1442695040888963407
					offset := (state >> 33) % blocks * block
					_, err := file.ReadAt(buffer, int64(offset))
					must(err)
					check(binary.NativeEndian.Uint64(buffer) == offset)
				}
			}(t)
		}
		done.Wait()
		rounds.add(threads*n, start.elapsed())
	}
	rounds.report("")
}

// Has the kernel drop the file from its cache; or, before the first round, read all of it.
func prepare(path string, cold bool, round int) {
	file, err := os.Open(path)
	must(err)
	defer file.Close()
	if cold {
		const dontNeed = 4
		_, _, number := syscall.Syscall6(syscall.SYS_FADVISE64, file.Fd(), 0, 0, dontNeed, 0, 0)
		check(number == 0)
	} else if round == 0 {
		_, err := io.Copy(io.Discard, file)
		must(err)
	}
}
