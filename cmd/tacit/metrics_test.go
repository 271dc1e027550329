package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/catalogue/jetstream"
	"github.com/tacit-vm/tacit/internal/metrics"
)

// A worker's page has what it did and how the queue stands, and does without the queue where the servers do not answer. It is
// served until the worker ends.
func TestWorkerMetrics(t *testing.T) {
	var c tally
	for _, outcome := range []string{"poweroff", "poweroff", "error"} {
		c.began()
		c.over(outcome)
	}
	c.began()
	ctx, end := context.WithCancel(t.Context())
	at, err := serveMetrics(ctx, "127.0.0.1:0", func(context.Context) *metrics.Page {
		return c.page("tacit v1", 2, 1<<30, jetstream.Depth{Queued: 7, Running: 1, Waiting: 3}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get("http://" + at.String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	for _, line := range []string{
		`tacit_worker_info{version="tacit v1"} 1`, "tacit_worker_jobs 2", "tacit_worker_boots_running 1", `tacit_worker_boots_total{outcome="poweroff"} 2`,
		`tacit_worker_boots_total{outcome="error"} 1`, "tacit_queue_up 1", `tacit_queue_boots{state="queued"} 7`, "tacit_queue_workers_waiting 3",
	} {
		if err != nil || !strings.Contains(string(text), line+"\n") {
			t.Errorf("%v, the metrics lack %s:\n%s", err, line, text)
		}
	}
	if _, err := serveMetrics(ctx, at.String(), nil); err == nil {
		t.Error("an address is served twice")
	}
	end()
	for range 100 {
		if _, err = http.Get("http://" + at.String() + "/metrics"); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("it is served after the end")
	}
	var down strings.Builder
	if _, err := c.page("v", 1, 0, jetstream.Depth{}, errors.New("down")).WriteTo(&down); err != nil || !strings.Contains(down.String(), "tacit_queue_up 0\n") || strings.Contains(down.String(), "queue_boots") {
		t.Errorf("%v, %s", err, &down)
	}
}

func TestWrongMetricsAddress(t *testing.T) {
	for _, at := range []string{"9464", "here", ":nonesuch"} {
		status, _, stderr := tacit(t.Context(), &fake{}, "worker", "--nats", "nats://127.0.0.1:1", "--metrics", at)
		if status != statusUsage || !strings.Contains(stderr, "--metrics") {
			t.Errorf("%s: status %d: %s", at, status, stderr)
		}
	}
}

// A worker takes no more boots than there is memory for.
func TestJobsFor(t *testing.T) {
	for _, c := range []struct {
		processors int
		memory     uint64
		want       int
	}{{8, 0, 8}, {8, 64 << 30, 8}, {8, 2 << 30, 4}, {8, 100 << 20, 1}, {1, 1 << 62, 1}} {
		if got := jobsFor(c.processors, c.memory); got != c.want {
			t.Errorf("%d processors, %d bytes: %d", c.processors, c.memory, got)
		}
	}
}
