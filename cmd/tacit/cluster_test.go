package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tacit-vm/tacit/catalogue"
)

// serveNATS is a server of a cluster of three, as a process: which of them it is, the ports of clients and of routes, and
// where it keeps what it has.
func serveNATS(role string) {
	w := strings.Fields(role)
	me, _ := strconv.Atoi(w[0])
	port := func(i int) int { n, _ := strconv.Atoi(w[i]); return n }
	o := &server.Options{
		ServerName: "s" + w[0], Host: "127.0.0.1", Port: port(1 + me), JetStream: true, StoreDir: w[7], SyncAlways: true, NoSigs: true, NoLog: true,
		Cluster:  server.ClusterOpts{Name: "tests", Host: "127.0.0.1", Port: port(4 + me)},
		Username: "tacit", Password: "of tests",
	}
	for i := range 3 {
		if i != me {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: "127.0.0.1:" + w[4+i]})
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s.Start()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
	os.Exit(0)
}

// withStdin gives a process a standard input that ends with this process.
func withStdin(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
}

// A cluster is three servers as processes.
type cluster struct {
	t       *testing.T
	ports   []string // of clients, then of routes
	dirs    []string
	servers []*exec.Cmd
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{t: t, servers: make([]*exec.Cmd, 3)}
	var held []net.Listener
	for range 6 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, l)
		c.ports = append(c.ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	for _, l := range held {
		l.Close()
	}
	for i := range 3 {
		c.dirs = append(c.dirs, t.TempDir())
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range 3 {
			c.kill(i)
		}
	})
	return c
}

func (c *cluster) start(i int) {
	c.t.Helper()
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(self)
	withStdin(c.t, cmd)
	cmd.Env = append(os.Environ(), "TACIT_ENDS_WITH_STDIN=1", fmt.Sprintf("TACIT_IS_NATS=%d %s %s", i, strings.Join(c.ports, " "), c.dirs[i]))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.servers[i] = cmd
}

func (c *cluster) kill(i int) {
	_ = c.servers[i].Process.Kill()
	_ = c.servers[i].Wait() // it was killed
}

func (c *cluster) url() string {
	var all []string
	for _, p := range c.ports[:3] {
		all = append(all, "nats://tacit:of%20tests@127.0.0.1:"+p)
	}
	return strings.Join(all, ",")
}

// ready waits until the cluster has a leader, and returns a look at it that is not tacit's.
func (c *cluster) ready() jetstream.JetStream {
	c.t.Helper()
	for {
		conn, err := nats.Connect(c.url(), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true))
		if err != nil {
			c.t.Fatal(err)
		}
		js, err := jetstream.New(conn)
		if err == nil {
			_, err = js.CreateStream(c.t.Context(), jetstream.StreamConfig{Name: "probe", Subjects: []string{"probe"}, Replicas: 3})
		}
		if err == nil {
			c.t.Cleanup(conn.Close)
			return js
		}
		conn.Close()
		select {
		case <-c.t.Context().Done():
			c.t.Fatal(err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// A wire is a way to a server that can be cut.
type wire struct {
	net.Listener
	mu   sync.Mutex
	open []net.Conn
}

func newWire(t *testing.T, to string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l}
	t.Cleanup(func() { l.Close(); w.cut() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			w.mu.Lock()
			w.open = append(w.open, near, far)
			w.mu.Unlock()
			go io.Copy(near, far)
			go io.Copy(far, near)
		}
	}()
	return w
}

// cut ends all connections, and returns how many there were.
func (w *wire) cut() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.open) / 2
	for _, c := range w.open {
		c.Close()
	}
	w.open = nil
	return n
}

// Workers are killed while they boot, the leader of the queue is killed, and who asked is cut off: every boot has one
// result, which is that of an undisturbed run here, and boots that their workers did not end were handed out again.
func TestClusterLosesParts(t *testing.T) {
	const images, workers, kills = 24, 3, 4
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := newCluster(t)
	js := c.ready()
	paths := guests(t, images)

	as := func(args ...string) *exec.Cmd {
		cmd := command(t, "", args...)
		cmd.Env = append(cmd.Env, "TACIT_VERSION_OF_TESTS=v1", "TACIT_ENDS_WITH_STDIN=1")
		withStdin(t, cmd)
		return cmd
	}
	said, err := os.Create(filepath.Join(t.TempDir(), "workers"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if text, err := os.ReadFile(said.Name()); t.Failed() {
			t.Logf("the workers said, %v:\n%s", err, text)
		}
		said.Close()
	})
	running := make([]*exec.Cmd, workers)
	begin := func(i int) {
		running[i] = as("worker", "--nats", c.url(), "--jobs", "1", "--lease", "1s")
		running[i].Stderr = said
		if err := running[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	end := func(i int) {
		_ = running[i].Process.Kill()
		_ = running[i].Wait() // it was killed
	}
	begin(0) // makes the consumer
	var consumer jetstream.Consumer
	for consumer == nil {
		if s, err := js.Stream(t.Context(), "tacit-jobs"); err == nil {
			for info := range s.ListConsumers(t.Context()).Info() {
				consumer, _ = js.Consumer(t.Context(), "tacit-jobs", info.Name)
			}
		}
		if t.Context().Err() != nil {
			t.Fatal("no worker")
		}
		time.Sleep(50 * time.Millisecond)
	}
	for i := 1; i < workers; i++ {
		begin(i)
	}
	t.Cleanup(func() {
		for i := range workers {
			end(i)
		}
	})

	boots := []string{"certify", "--platform", "tdx", "--policy", "lazy", "--memory", "1G", "--append", "hold=700M", "--json", "-"}
	cut := newWire(t, "127.0.0.1:"+c.ports[0])
	asking := as(append(append(boots, "--nats", "nats://tacit:of%20tests@"+cut.Addr().String()), paths...)...)
	var certificate, complaints strings.Builder
	asking.Stdout, asking.Stderr = &certificate, &complaints
	if err := asking.Start(); err != nil {
		t.Fatal(err)
	}

	// A worker is killed when it has a boot, as the servers see it.
	busy := func() bool {
		for range 600 {
			info, err := consumer.Info(t.Context())
			if err == nil && info.NumAckPending > 0 {
				return true
			}
			time.Sleep(20 * time.Millisecond)
		}
		return false
	}
	for kill := range kills {
		if !busy() {
			break
		}
		switch kill {
		case 1:
			if n := cut.cut(); n == 0 {
				t.Error("who asks has no connection that could be cut")
			}
		case 2:
			s, err := js.Stream(t.Context(), "tacit-jobs")
			if err != nil {
				t.Fatal(err)
			}
			leader := s.CachedInfo().Cluster.Leader
			i, err := strconv.Atoi(strings.TrimPrefix(leader, "s"))
			if err != nil {
				t.Fatalf("leader %q", leader)
			}
			c.kill(i)
			defer c.start(i)
		}
		i := random.IntN(workers)
		if kill == 0 { // all: at least one has a boot
			for i := range workers {
				end(i)
				begin(i)
			}
			continue
		}
		end(i)
		begin(i)
	}
	if err := asking.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &complaints)
	}

	seen := map[string]bool{}
	for _, line := range exported(t, "--nats", c.url()) {
		var r catalogue.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if seen[r.Job.Image] || !r.Final {
			t.Errorf("%s has a second result, or one that is not final: %.300s", r.Job.Image, line)
		}
		seen[r.Job.Image] = true
	}
	if len(seen) != images {
		t.Errorf("%d results of %d boots", len(seen), images)
	}
	for range 200 { // the last acknowledgement may be on its way
		info, err := consumer.Info(t.Context())
		if err == nil && info.NumAckPending == 0 && info.NumPending == 0 {
			t.Logf("%d deliveries of %d messages", info.Delivered.Consumer, info.Delivered.Stream)
			if info.Delivered.Consumer <= info.Delivered.Stream {
				t.Error("no boot was handed out again")
			}
			break
		}
		time.Sleep(50 * time.Millisecond)
	}

	ofVersion(t, "v1")
	status, here, stderr := tacit(t.Context(), &fake{}, append(append(boots, "--store", t.TempDir()), paths...)...)
	if status != 0 {
		t.Fatal(stderr)
	}
	sameJSON(t, certificateOf(t, []byte(certificate.String())), certificateOf(t, []byte(here)))
}
