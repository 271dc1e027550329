package trial

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/internal/each"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Report is what the trials showed.
type Report struct {
	Schema  string   `json:"schema"`
	Tool    string   `json:"tool"` // what made it, with its version; the caller's to say
	Guests  []Guest  `json:"guests"`
	Attacks []Entry  `json:"attacks"` // the catalogue
	Trials  []*Trial `json:"trials"`
}

// A Guest is one image on one platform, with an honest host.
type Guest struct {
	Image    string         `json:"image"`
	Platform string         `json:"platform"`
	Machine  string         `json:"machine"` // what there is beyond an ordinary machine: "with drivers"; empty for nothing
	Error    string         `json:"error"`   // why it can be tried by nothing; empty where it can
	Record   *record.Record `json:"record"`  // null where there was no run
}

// Schema names the version of the JSON form.
const Schema = "tacit.trials/1"

// guest is a Guest that trials are made of.
type guest struct {
	cfg      *Config
	subject  Subject
	platform string
	needs    attack.Needs

	lock    sync.Mutex  // of the machines: each is for one goroutine at a time
	start   *vm.Machine // at the first instruction of what firmware starts
	init    *vm.Machine // at the first instruction at privilege level 3; nil where there is none
	control *record.Record
	err     error // why it can be tried by nothing
}

// Run tries everything and draws the conclusions. An error is for a configuration that cannot be run; where ctx is done, the
// report says which trials did not come to their end.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	guests, trials, err := cfg.plan()
	if err != nil {
		return nil, err
	}
	workers := each.Workers(cfg.Workers)
	share := cmp.Or(cfg.MaxHostMemory, vm.DefaultMaxHostMemory()) / uint64(workers)
	var told sync.Mutex
	if watch := cfg.Watch; watch != nil {
		cfg.Watch = func(t *Trial, reached record.Phase, at record.Progress) {
			told.Lock()
			defer told.Unlock()
			watch(t, reached, at)
		}
	}
	each.Do(workers, guests, func(g *guest) { g.prepare(ctx, share) })
	done := 0
	each.Do(workers, trials, func(t *Trial) {
		t.run(ctx, share)
		told.Lock()
		defer told.Unlock()
		done++
		if cfg.Progress != nil && !t.untried {
			cfg.Progress(done, len(trials), t)
		}
	})
	r := &Report{Schema: Schema, Attacks: Attacks(), Trials: trials}
	for _, g := range guests {
		g.close()
		of := Guest{Image: g.subject.name(), Platform: g.platform, Machine: g.needs.String(), Record: g.control}
		if g.err != nil {
			of.Error = g.err.Error()
		}
		r.Guests = append(r.Guests, of)
	}
	return r, nil
}

// config is what a guest is made of.
func (g *guest) config(share uint64) vm.Config {
	c := vm.Config{
		Platform: g.platform, Memory: g.cfg.Memory, Image: g.subject.Image, Append: g.cfg.Append, CPUs: g.needs.CPUs,
		MaxWall: g.cfg.MaxWall, MaxHostMemory: share,
	}
	if g.needs.Replug {
		c.Append = strings.TrimSpace(c.Append + " " + replug)
	}
	if g.needs.Drivers {
		c.Disks = []vm.Disk{aDisk()}
		c.Modules = g.subject.Modules
	}
	return c
}

// replug is what has tacit's init take a processor away and bring it back.
const replug = "tacit.replug=1"

// aDisk is a disk for guests that read one: each of its bytes says in which sector it is.
func aDisk() vm.Disk {
	const size, sector = 1 << 20, 512
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(i / sector)
	}
	r := bytes.NewReader(content)
	return vm.Disk{Name: "trial.img", Format: "raw disk image", Content: r, Size: size, File: io.NewSectionReader(r, 0, size)}
}

// prepare starts the guest, and runs a copy of it to its end under an honest host.
func (g *guest) prepare(ctx context.Context, share uint64) {
	if g.err = cmp.Or(g.subject.Err, ctx.Err()); g.err != nil {
		return
	}
	honest := &Trial{Image: g.subject.name(), Platform: g.platform, Machine: g.needs.String(), Attack: "none", guest: g}
	cfg := g.config(share)
	if g.start, g.err = vm.New(cfg); g.err != nil {
		return
	}
	var came bool
	if came, g.err = g.start.Run(ctx, vm.AtInstruction(0)); g.err != nil || !came {
		g.err = cmp.Or(g.err, ctx.Err(), fmt.Errorf("it has no first instruction"))
		return
	}
	rest := vm.Config{MaxWall: g.cfg.MaxWall, MaxHostMemory: share}
	g.watch(&rest, honest)
	var m *vm.Machine
	if m, g.err = g.start.Fork(rest); g.err != nil {
		return
	}
	if came, g.err = m.Run(ctx, vm.AtInit()); g.err != nil {
		m.Close()
		return
	}
	if came {
		g.init = m
		if m, g.err = g.init.Fork(rest); g.err != nil {
			return
		}
	}
	defer m.Close()
	if _, g.err = m.Run(ctx, vm.Event{}); g.err != nil {
		return
	}
	if g.control, g.err = m.Record(); g.err != nil {
		return
	}
	if o := g.control.Outcome; o != record.PowerOff {
		g.err = cmp.Or(ctx.Err(), fmt.Errorf("with an honest host it ends with %s already", o))
	}
}

func (g *guest) close() {
	for _, m := range []*vm.Machine{g.start, g.init} {
		if m != nil {
			m.Close()
		}
	}
}

// fork makes a copy of the guest at the moment at which an attack begins, or before it.
func (g *guest) fork(a attack.Attack, cfg vm.Config) (*vm.Machine, error) {
	from := g.start
	if a = moved(a, g.init != nil, g.control); a.At.Name == attack.Init {
		from = g.init
	}
	cfg.HostAttack = a.String()
	g.lock.Lock()
	defer g.lock.Unlock()
	return from.Fork(cfg)
}

// run tries the attack.
func (t *Trial) run(ctx context.Context, share uint64) {
	g := t.guest
	t.As = t.attack.String()
	if t.kind.Lie != "" {
		t.As = t.kind.Lie
	}
	if err := cmp.Or(g.err, ctx.Err()); err != nil { // what is to end makes no more machines
		t.Verdict, t.Why, t.untried = Unjudged, err.Error(), true
		return
	}
	r, err := t.outcome(ctx, share)
	if err != nil {
		t.Verdict, t.Why = Unjudged, err.Error()
		return
	}
	t.Record = r
	t.Verdict, t.Why = judge(t.kind, g.control, r)
}

// outcome is the record of the guest under attack.
func (t *Trial) outcome(ctx context.Context, share uint64) (*record.Record, error) {
	g := t.guest
	cfg := vm.Config{}
	whole := t.kind.Lie != "" || t.kind.Whole
	if whole {
		cfg = g.config(share)
		if cfg.FirmwareLie = t.kind.Lie; t.kind.Whole {
			cfg.HostAttack = t.attack.String()
		}
	}
	cfg.MaxInstructions, cfg.MaxVirtual = longest(t.kind, g.control)
	cfg.MaxWall, cfg.MaxHostMemory = g.cfg.MaxWall, share
	g.watch(&cfg, t)
	if whole {
		return vm.Run(ctx, cfg)
	}
	m, err := g.fork(t.attack, cfg)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if _, err := m.Run(ctx, vm.Event{}); err != nil {
		return nil, err
	}
	return m.Record()
}

// watch has the configuration's Watch hear of a run.
func (g *guest) watch(cfg *vm.Config, t *Trial) {
	if g.cfg.Watch == nil {
		return
	}
	var last record.LastPhase
	cfg.Events = &last
	cfg.Progress = func(p record.Progress) { g.cfg.Watch(t, record.Phase(last), p) }
}
