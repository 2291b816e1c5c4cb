package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

func dive(depth int) int {
	if depth == 0 {
		return 0
	}
	return 1 + dive(depth-1)
}

func resident() (kib int) {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fmt.Sscan(rest, &kib)
	return
}

func main() {
	runtime.GOMAXPROCS(1)
	done := make(chan bool)
	switch os.Args[1] {
	case "deep":
		go func() { fmt.Println("came back from", dive(1_000_000)); done <- true }()
		<-done
	case "endless":
		debug.SetMaxStack(64 << 20) // unless told so, it is a gigabyte
		go func() {
			defer func() { fmt.Println("recovered:", recover()); done <- true }()
			dive(-1)
		}()
		<-done
	case "busy":
		go func() {
			for {
			}
		}()
		time.Sleep(100 * time.Millisecond)
		fmt.Println("another had its turn")
	case "fail":
		go func() { panic("bad news") }()
		time.Sleep(100 * time.Millisecond)
		fmt.Println("another goes on")
	case "lonely":
		<-done
	case "will":
		go func() {
			defer fmt.Println("the will is read")
			<-done
		}()
		time.Sleep(100 * time.Millisecond)
		fmt.Println("the end")
	case "mine":
		fmt.Println("there are no variables of a goroutine")
	case "idle":
		before := resident()
		for i := 0; i < 10_000; i++ {
			go time.Sleep(10 * time.Second)
		}
		time.Sleep(time.Second)
		fmt.Printf("%.1f KiB each\n", float64(resident()-before)/10_000)
	}
}
