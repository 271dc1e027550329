package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tacit-vm/tacit/catalogue"
)

// withStdin gives a process a standard input that ends with this process.
func withStdin(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
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

var clusterBoots = flag.Int("cluster", 24, "run so many boots on a cluster in TestClusterLosesParts; from 100 on, with a worker killed every 3 s")

// A farm is tacit's processes on a cluster, all of one version.
type farm struct {
	*cluster
	version string
	said    *os.File // by workers
	workers []*exec.Cmd
}

func (f *farm) process(args ...string) *exec.Cmd {
	cmd := command(f.t, "", args...)
	cmd.Env = append(cmd.Env, "TACIT_VERSION_OF_TESTS="+f.version, "TACIT_ENDS_WITH_STDIN=1")
	withStdin(f.t, cmd)
	return cmd
}

func (f *farm) begin(i int) {
	f.workers[i] = f.process(append([]string{"worker", "--jobs", "1", "--lease", "1s"}, f.flags()...)...)
	f.workers[i].Stderr = f.said
	if err := f.workers[i].Start(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *farm) end(i int) {
	_ = f.workers[i].Process.Kill()
	_ = f.workers[i].Wait() // it was killed
}

// consumer is the queue of the farm's version, as the servers have it.
func (f *farm) consumer(js jetstream.JetStream) jetstream.Consumer {
	f.t.Helper()
	for f.t.Context().Err() == nil {
		if s, err := js.Stream(f.t.Context(), "tacit-jobs"); err == nil {
			for info := range s.ListConsumers(f.t.Context()).Info() {
				if info.Config.Description == f.version {
					if c, err := js.Consumer(f.t.Context(), "tacit-jobs", info.Name); err == nil {
						return c
					}
				}
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	f.t.Fatal("no worker")
	return nil
}

func newFarm(c *cluster, version string, workers int) *farm {
	said, err := os.Create(filepath.Join(c.t.TempDir(), "workers"))
	if err != nil {
		c.t.Fatal(err)
	}
	f := &farm{c, version, said, make([]*exec.Cmd, workers)}
	for i := range workers {
		f.begin(i)
	}
	c.t.Cleanup(func() {
		for i := range workers {
			f.end(i)
		}
		if text, err := os.ReadFile(said.Name()); c.t.Failed() {
			c.t.Logf("the workers said, %v:\n%s", err, text)
		}
		said.Close()
	})
	return f
}

// Workers are killed while they boot, who asks is cut off, the leader of the queue is killed, and all servers lose their power:
// every boot has one result, which is that of an undisturbed run here, and boots that their workers did not end were handed out
// again. Servers are reached by certificates and accounts, and not by those who have others.
func TestClusterLosesParts(t *testing.T) {
	const workers, kills = 4, 6
	each := []string{"--platform", "tdx", "--policy", "lazy", "--memory", "1G"}
	images, long := *clusterBoots, *clusterBoots >= 100
	if long {
		each = []string{"--platform", "tdx,snp", "--policy", "lazy,eager", "--memory", "1G,1280M"}
		images /= 8
	}
	boots := append([]string{"certify", "--append", "hold=700M", "--json", "-"}, each...)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := newCluster(t)
	js := c.ready()
	paths := guests(t, images)
	c.strangers()
	f := newFarm(c, "v1", workers)
	consumer := f.consumer(js)

	cut := newWire(t, "127.0.0.1:"+c.ports[0])
	_, port, _ := net.SplitHostPort(cut.Addr().String())
	asking := f.process(slices.Concat(boots, f.flags(port), paths)...)
	var certificate, complaints strings.Builder
	asking.Stdout, asking.Stderr = &certificate, &complaints
	if err := asking.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- asking.Wait() }()

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
	killed, happened, dead := 0, []string{}, -1
	for kill := 0; (kill < kills || long) && len(over) == 0 && busy(); kill++ {
		i := random.IntN(workers)
		switch kill {
		case 0: // all: at least one has a boot
			for i := range workers {
				f.end(i)
				f.begin(i)
			}
			killed += workers
			continue
		case 1:
			if n := cut.cut(); n == 0 {
				t.Error("who asks has no connection that could be cut")
			}
			happened = append(happened, "who asks cut off")
		case 2:
			s, err := js.Stream(t.Context(), "tacit-jobs")
			if err != nil {
				t.Fatal(err)
			}
			leader, err := strconv.Atoi(strings.TrimPrefix(s.CachedInfo().Cluster.Leader, "s"))
			if err != nil {
				t.Fatalf("leader %q", s.CachedInfo().Cluster.Leader)
			}
			c.kill(leader)
			happened = append(happened, "the leader killed")
			dead = leader
		case 3:
			c.start(dead)
		case 4:
			c.losePower()
			happened = append(happened, "power lost")
		}
		f.end(i)
		f.begin(i)
		killed++
		if long {
			select {
			case err := <-over:
				over <- err
			case <-time.After(3 * time.Second):
			}
		}
	}
	if err := <-over; err != nil {
		t.Fatalf("%v\n%s", err, &complaints)
	}
	if len(happened) != 3 {
		t.Errorf("it ended before all had happened: %q", happened)
	}

	seen := map[string]bool{}
	for _, line := range exported(t, f.flags()...) {
		var r catalogue.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if seen[r.Key] || !r.Final {
			t.Errorf("%s has a second result, or one that is not final: %.300s", r.Job.Image, line)
		}
		seen[r.Key] = true
	}
	if want := *clusterBoots / images * images; len(seen) != want {
		t.Errorf("%d results of %d boots", len(seen), want)
	}
	again := uint64(0)
	for range 600 { // the last acknowledgement may be on its way
		info, err := consumer.Info(t.Context())
		if err == nil && info.NumAckPending == 0 && info.NumPending == 0 {
			t.Logf("%d deliveries of %d messages", info.Delivered.Consumer, info.Delivered.Stream)
			if info.Delivered.Consumer <= info.Delivered.Stream {
				t.Error("no boot was handed out again")
			}
			again = info.Delivered.Consumer - info.Delivered.Stream
			break
		}
		time.Sleep(50 * time.Millisecond)
	}

	ofVersion(t, "v1")
	status, here, stderr := tacit(t.Context(), &fake{}, slices.Concat(boots, []string{"--jobs", "2", "--store", t.TempDir()}, paths)...)
	if status != 0 {
		t.Fatal(stderr)
	}
	sameJSON(t, certificateOf(t, []byte(certificate.String())), certificateOf(t, []byte(here)))
	text := fmt.Sprintf("%d boots, each with one result; %d workers killed, %s; %d boots handed out again", len(seen), killed, strings.Join(happened, ", "), again)
	t.Log("ended with: " + text)
}

// strangers are those who have no account, another account, or believe another authority.
func (c *cluster) strangers() {
	c.t.Helper()
	for _, flags := range []string{
		"--nats-ca " + c.in("ca.crt"), "--nats-creds " + c.in("other.creds") + " --nats-ca " + c.in("ca.crt"), "--nats-creds " + c.in("tacit.creds"),
		"--nats-creds " + c.in("tacit.creds") + " --nats-ca " + c.in("other.crt"),
	} {
		status, stdout, stderr := tacit(c.t.Context(), &fake{}, append([]string{"results", "list", "--nats", c.url()}, strings.Fields(flags)...)...)
		if status != int(statusError) || stdout != "" || !oneLine(stderr) {
			c.t.Errorf("with %s: status %d, %q, %q", flags, status, stdout, stderr)
		}
	}
}
