package main

import (
	"flag"
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

var clusterHold = flag.String("cluster-hold", "8G", "memory that each boot of BenchmarkCluster accepts, at most 9G")

// The throughput of a cluster that nothing disturbs, beside that of as many local jobs: three servers and two workers as
// processes, on one machine. A round is both, with boots that neither knows, in one order and then in the other:
//
//	go test ./cmd/tacit -run '^$' -bench Cluster -benchtime 5x -cluster 60 -timeout 0
//
// A boot takes about a second, less than any of Linux. Servers and workers share the processors here, so that messages cost
// boots: -cluster-hold 700M, with boots of a sixth of a second, shows how much. The metric is the median of the rounds, and above 1 where the cluster is faster.
func BenchmarkCluster(b *testing.B) {
	const jobs = 2
	c := newCluster(b)
	js := c.ready()
	args := append([]string{"certify", "--platform", "tdx", "--policy", "lazy", "--memory", "10G", "--append", "hold=" + *clusterHold, "--json", "-"}, guests(b, *clusterBoots)...)
	took := func(cmd *exec.Cmd) time.Duration {
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v, %.2000s", err, out)
		}
		return time.Since(began)
	}
	var ratios []float64
	for round := range b.N {
		f := newFarm(c, fmt.Sprintf("v%d", round), jobs)
		f.waiting(js, jobs)
		local := func() time.Duration {
			return took(f.process(append(args, "--jobs", fmt.Sprint(jobs), "--store", b.TempDir())...))
		}
		spread := func() time.Duration { return took(f.process(append(args, f.flags()...)...)) }
		var here, there time.Duration
		if round%2 == 0 {
			here, there = local(), spread()
		} else {
			there, here = spread(), local()
		}
		for i := range f.workers {
			f.end(i)
		}
		ratios = append(ratios, here.Seconds()/there.Seconds())
		b.Logf("round %d: %d boots: local %v, cluster %v: %.3f", round, *clusterBoots, here.Round(time.Millisecond), there.Round(time.Millisecond), ratios[round])
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "cluster/local")
	b.ReportMetric(ratios[0], "smallest")
	b.ReportMetric(ratios[len(ratios)-1], "largest")
	b.ReportMetric(0, "ns/op")
}

// waiting returns when so many workers wait for a boot.
func (f *farm) waiting(js jetstream.JetStream, workers int) {
	f.t.Helper()
	consumer := f.consumer(js)
	for f.t.Context().Err() == nil {
		if info, err := consumer.Info(f.t.Context()); err == nil && info.NumWaiting >= workers {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	f.t.Fatal("no workers")
}
