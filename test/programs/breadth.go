// What ordinary Go programs ask of the kernel.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	var group sync.WaitGroup
	var mutex sync.Mutex
	sum := 0
	for i := 0; i < 1000; i++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			mutex.Lock()
			sum += n
			mutex.Unlock()
			runtime.Gosched()
		}(i)
	}
	group.Wait()
	fmt.Println("goroutines", sum)

	folder, err := os.MkdirTemp("tmp", "go")
	must(err)
	one := filepath.Join(folder, "one")
	must(os.WriteFile(one, []byte("text"), 0o600))
	file, err := os.OpenFile(one, os.O_RDWR, 0)
	must(err)
	must(syscall.Flock(int(file.Fd()), syscall.LOCK_EX))
	must(file.Truncate(100))
	must(file.Sync())
	must(file.Close())
	must(os.Rename(one, filepath.Join(folder, "two")))
	content, err := os.ReadFile(filepath.Join(folder, "two"))
	must(err)
	fmt.Println("files", len(content))

	listener, err := net.Listen("unix", filepath.Join(folder, "socket"))
	must(err)
	go func() {
		connection, err := listener.Accept()
		must(err)
		_, err = connection.Write([]byte("over a socket"))
		must(err)
		must(connection.Close())
	}()
	connection, err := net.Dial("unix", filepath.Join(folder, "socket"))
	must(err)
	must(connection.SetDeadline(time.Now().Add(5 * time.Second)))
	received, err := io.ReadAll(connection)
	must(err)
	fmt.Println("received", string(received))

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	<-ctx.Done()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	must(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	fmt.Println("signal", <-signals)

	garbage := make([][]byte, 0)
	for i := 0; i < 300; i++ {
		garbage = append(garbage, make([]byte, 100000))
	}
	fmt.Println("memory", len(garbage))
	garbage = nil
	debug.FreeOSMemory()
	random := make([]byte, 8)
	_, err = rand.Read(random)
	must(err)
	fmt.Printf("hash %x\n", sha256.Sum256([]byte("x")))
	must(os.RemoveAll(folder))
	runtime.LockOSThread()
	fmt.Println("processors", runtime.NumCPU() > 0)
}
