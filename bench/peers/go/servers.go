// Servers: HTTP, echo, and echo beside computation.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// Tells the runner that the server takes connections. When the runner closes the server's input,
// the server reports its own measurements and ends.
func listen(atEnd func()) net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		must(err)
		atEnd()
		os.Exit(0)
	}()
	fmt.Printf("listening\t%d\n", listener.Addr().(*net.TCPAddr).Port)
	return listener
}

func serve(listener net.Listener, connection func(net.Conn)) {
	for {
		stream, err := listener.Accept()
		must(err)
		go connection(stream)
	}
}

func echo() {
	serve(listen(func() {}), sendBack)
}

func sendBack(stream net.Conn) {
	defer stream.Close()
	buffer := make([]byte, 8192)
	for {
		read, _ := stream.Read(buffer)
		if read == 0 {
			return
		}
		if _, err := stream.Write(buffer[:read]); err != nil {
			return
		}
	}
}

// Echo beside computation in slices of 50 microseconds to 5 milliseconds or thereabouts; see
// common/src/unbalanced.rs.
func unbalanced() {
	var steps int64
	start := now()
	for number := 0; number < threads; number++ {
		go compute(number, &steps)
	}
	serve(listen(func() {
		span := start.elapsed()
		millions := float64(atomic.LoadInt64(&steps)) / 1e6
		report("million steps", millions/span.time.Seconds(), "per s", float64(span.cpu)/millions, "")
	}), sendBack)
}

func compute(number int, steps *int64) {
	state := uint64(number) + 1
	for {
		state = xorshift(state)
		part := float64(state>>40) / (1 << 24)
		slice := int64(25_000 * math.Pow(100, part))
		for i := int64(0); i < slice; i++ {
			state = xorshift(state)
		}
		atomic.AddInt64(steps, slice)
		if number%4 == 3 {
			time.Sleep(time.Millisecond)
		} else {
			runtime.Gosched()
		}
	}
}

func xorshift(state uint64) uint64 {
	state ^= state << 13
	state ^= state >> 7
	return state ^ state<<17
}

// The HTTP server uses Go's sockets but not its net/http, which does more than the other peers'
// servers.

const answer = "HTTP/1.1 200 OK\r\n" +
	"Content-Type: text/plain\r\n" +
	"Content-Length: 13\r\n" +
	"\r\n" +
	"Hello, World!"

func http() {
	serve(listen(func() {}), answerRequests)
}

func answerRequests(stream net.Conn) {
	defer stream.Close()
	input := make([]byte, 4096)
	output := make([]byte, 0, len(answer))
	filled := 0
	for {
		read, _ := stream.Read(input[filled:])
		if read == 0 {
			return
		}
		filled += read
		output = output[:0]
		done := 0
		for {
			length, err := parse(input[done:filled])
			if err != nil {
				return
			}
			if length == 0 {
				break
			}
			done += length
			output = append(output, answer...)
		}
		filled = copy(input, input[done:filled])
		if _, err := stream.Write(output); err != nil {
			return
		}
	}
}

var malformed = errors.New("malformed request")

type header struct{ name, value []byte }

// The length of the request at the start of the input, 0 if it is not complete. Like httparse it
// finds method, path, version and up to 16 headers, and copies nothing.
func parse(input []byte) (int, error) {
	var headers [16]header
	end := bytes.IndexByte(input, '\n')
	if end < 0 {
		return 0, nil
	}
	line := bytes.TrimSuffix(input[:end], []byte("\r"))
	method := bytes.IndexByte(line, ' ')
	path := bytes.LastIndexByte(line, ' ')
	if method <= 0 || path <= method+1 || !bytes.HasPrefix(line[path+1:], []byte("HTTP/1.")) {
		return 0, malformed
	}
	for at, count := end+1, 0; ; count++ {
		end := bytes.IndexByte(input[at:], '\n')
		if end < 0 {
			return 0, nil
		}
		line := bytes.TrimSuffix(input[at:at+end], []byte("\r"))
		at += end + 1
		if len(line) == 0 {
			return at, nil
		}
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 || count == len(headers) {
			return 0, malformed
		}
		headers[count] = header{line[:colon], bytes.TrimLeft(line[colon+1:], " \t")}
	}
}
