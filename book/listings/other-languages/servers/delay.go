package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"time"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	for err == nil {
		var conversation net.Conn
		if conversation, err = listener.Accept(); err == nil {
			go talk(conversation)
		}
	}
	log.Fatal(err)
}

func talk(conversation net.Conn) {
	defer conversation.Close()
	line := bufio.NewScanner(conversation)
	if line.Scan() {
		ms, _ := strconv.Atoi(line.Text())
		time.Sleep(time.Duration(ms) * time.Millisecond)
		fmt.Fprintf(conversation, "done after %d ms\n", ms)
	}
}
