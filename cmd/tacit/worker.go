package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/catalogue"
	"github.com/tacit-vm/tacit/catalogue/jetstream"
	"github.com/tacit-vm/tacit/internal/metrics"
	"github.com/tacit-vm/tacit/internal/source"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

type workerFlags struct {
	store         storeFlags
	jobs          int
	lease         time.Duration
	maxHostMemory size
	metrics       string
	source        sourceFlags
}

// workerCommand is tacit worker.
func workerCommand() *cobra.Command {
	var f workerFlags
	cmd := &cobra.Command{
		Use:   "worker --nats URL",
		Short: "Run boots that tacit certify --nats asks for, on this machine",
		Long: "worker takes boots from the queue on the NATS servers at URL, runs them, and puts what came of each where tacit\n" +
			"certify finds it. It takes boots of its own version of tacit only. As long as a boot runs it says so; if it is\n" +
			"killed, or its machine is, another worker gets the boot when the lease is over. Told to end, it gives back what it\n" +
			"has. A boot that eight workers have taken without an end is given up.\n\n" +
			"An image that is in a registry or behind a URL, with a digest, the worker fetches itself, but not from hosts of the local\n" +
			"network that --local-host does not name.\n\n" +
			"Without --jobs it runs as many boots at a time as its control group leaves it processors, and 512 MiB of memory for\n" +
			"each. Several workers on one machine, which have no control groups of their own, want --jobs and --max-host-memory.\n\n" + sizeHelp,
		Example: "  tacit worker --nats tls://nats.example:4222 --nats-creds worker.creds --jobs 8",
		Args: func(cmd *cobra.Command, args []string) error {
			return cmp.Or(noArguments(cmd, args), f.check(), files{in: f.store.files(), std: streamsOf(cmd)}.check())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.store.addRemote(flags)
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "boots at a time; 0 is one a processor, as far as there is memory")
	flags.StringVar(&f.metrics, "metrics", "", "serve metrics for Prometheus at http://`ADDRESS`/metrics, such as 127.0.0.1:9464 or :9464")
	flags.Var(&f.maxHostMemory, "max-host-memory", "what all boots at a time may take of the host's memory (default: most of what is available)")
	f.source.add(flags)
	flags.DurationVar(&f.lease, "lease", jetstream.DefaultLease, "a boot of which nothing is heard for so long is another's; the same for all workers")
	return cmd
}

func (f *workerFlags) check() error {
	switch {
	case f.store.remote.URL == "":
		return errors.New("give the servers with --nats: a worker takes its boots from there")
	case f.jobs < 0:
		return errors.New("--jobs cannot be negative")
	case f.lease < time.Second || f.lease > time.Hour:
		return errors.New("--lease is from 1s to 1h")
	}
	if f.metrics != "" {
		if err := checkAddress("--metrics", f.metrics, ":PORT or HOST:PORT"); err != nil {
			return err
		}
	}
	return cmp.Or(f.store.check(), f.source.check())
}

func (f *workerFlags) run(ctx context.Context, stderr io.Writer) error {
	tool, err := cleanVersion()
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "a host without a name"
	}
	store, err := f.store.open(ctx, "tacit worker on "+host, stderr)
	if err != nil {
		return err
	}
	defer store.Close()
	queue, err := store.Queue(ctx, tool, f.lease)
	if err != nil {
		return err
	}
	from, err := f.source.fetcher()
	if err != nil {
		return err
	}
	from.Strangers = true
	var mu sync.Mutex
	var counts tally
	w := catalogue.Worker{
		Queue: queue, Results: store, Images: store, Tool: tool, Jobs: f.jobs, MaxHostMemory: uint64(f.maxHostMemory),
		Began: counts.began,
		Ended: func(j catalogue.Job, outcome string) {
			word, _, _ := strings.Cut(outcome, ":") // of an error there is more
			counts.over(word)
			says := []string{j.Image, j.Platform, j.Policy, record.FormatBytes(j.Memory), outcome}
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(stderr, "tacit: %s\n", record.Printable(strings.Join(says, "  ")))
		},
	}
	memory := cmp.Or(w.MaxHostMemory, vm.DefaultMaxHostMemory())
	w.Fetch = func(ctx context.Context, reference string) (string, func(), error) {
		return fetchFor(ctx, from, reference)
	}
	if w.Jobs == 0 {
		w.Jobs = jobsFor(runtime.GOMAXPROCS(0), memory)
	}
	if f.metrics != "" {
		at, err := serveMetrics(ctx, f.metrics, func(ctx context.Context) *metrics.Page {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			depth, err := store.Depth(ctx, tool)
			return counts.page(tool, w.Jobs, memory, depth, err)
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(stderr, "tacit: metrics at http://%s/metrics\n", at)
	}
	fmt.Fprintf(stderr, "tacit: waiting for boots of %s, %d at a time\n", tool, w.Jobs)
	w.Run(ctx)
	return ctx.Err()
}

// jobsFor is how many boots run at a time on so many processors and with so much memory, in bytes: 0 is not known. A boot of
// Linux takes some 400 MiB of it.
func jobsFor(processors int, memory uint64) int {
	const each = 512 << 20
	if memory == 0 {
		return processors
	}
	return max(1, min(processors, int(min(memory/each, math.MaxInt32))))
}

// fetchFor fetches what somebody else has asked for: what is elsewhere and has a digest, and no file of this machine.
func fetchFor(ctx context.Context, from *source.Fetcher, reference string) (string, func(), error) {
	ref, err := source.Parse(reference)
	if err != nil {
		return "", nil, err
	}
	if !ref.Travels() {
		return "", nil, fmt.Errorf("%.200q: not a reference that workers fetch", reference)
	}
	at, err := from.Fetch(ctx, ref)
	if err != nil {
		return "", nil, err
	}
	return at.Path, func() { _ = at.Close() }, nil // what is left of it the next one to use the cache removes
}
