package matrix

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/internal/each"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/trial"
	"github.com/tacit-vm/tacit/vm"
)

// A Config says how a matrix is booted.
type Config struct {
	Matrix   *Matrix
	Subjects []certify.Subject
	Names    []string // of the subjects, as the table has them

	Runner        certify.Runner // comes by the records; nil means [certify.Here]
	Workers       int            // boots at a time; 0 means one a processor of the host
	Engine        string         // as vm.Config has it
	MaxWall       time.Duration  // a boot; 0 means no limit
	MaxHostMemory uint64         // of all boots at a time, in bytes; 0 means [vm.DefaultMaxHostMemory]

	Progress func(done, all int, c *Cell) // hears of each that has ended, from one goroutine at a time; may be nil
}

// Run boots everything. Where ctx is done, the cells say which boots did not come to their end.
func Run(ctx context.Context, cfg Config) []*Cell {
	all := cfg.Matrix.cells(cfg.Names)
	var honest, attacked []*Cell
	for _, c := range all {
		if c.honest == nil {
			honest = append(honest, c)
		} else {
			attacked = append(attacked, c)
		}
	}
	var (
		lock sync.Mutex
		done int
	)
	for i := range cfg.Subjects {
		boots := 0
		for _, c := range all {
			if c.subject == i {
				boots++
			}
		}
		cfg.Subjects[i].Disk.Expect(boots)
	}
	boot := func(c *Cell) {
		cfg.boot(ctx, c)
		cfg.Subjects[c.subject].Disk.Booted()
		c.conclude(cfg.Matrix.Amounts)
		lock.Lock()
		defer lock.Unlock()
		done++
		if cfg.Progress != nil {
			cfg.Progress(done, len(all), c)
		}
	}
	each.Do(cfg.Workers, honest, boot)
	each.Do(cfg.Workers, attacked, boot)
	var wanted []*Cell
	for _, c := range all {
		if !c.extra {
			wanted = append(wanted, c)
		}
	}
	return wanted
}

// Check says what cannot be combined. A disk starts its own kernel, with words of its own, and ends where it has come up: there
// is nothing to add words to, and no end to hold an attack against.
func (cfg *Config) Check() error {
	for i, s := range cfg.Subjects {
		if s.Disk == nil {
			continue
		}
		if words := cfg.Matrix.CommandLines; len(words) > 1 || words[0] != "" {
			return fmt.Errorf("images: %s is a disk, which starts its kernels with its own command lines: with command_lines there are kernels alone", cfg.Names[i])
		}
		if attacks := cfg.Matrix.Attacks; len(attacks) > 1 || attacks[0] != Honest {
			return fmt.Errorf("images: %s is a disk, and attacks are on kernels alone: give disks a matrix of their own", cfg.Names[i])
		}
	}
	return nil
}

// boot comes by the record of a cell, those with an honest host before those without.
func (cfg *Config) boot(ctx context.Context, c *Cell) {
	s := &cfg.Subjects[c.subject]
	if s.Err == nil && s.Image != nil {
		s.Err = s.Image.Bootable()
	}
	if err := cmp.Or(s.Err, ctx.Err()); err != nil {
		c.Error = err.Error()
		return
	}
	v := vm.Config{
		Platform: c.Platform, FirmwarePolicy: c.Policy, Memory: c.Memory, CPUs: c.Processors, Append: c.CommandLine, Engine: cfg.Engine,
		MaxInstructions: s.MaxInstructions(), MaxWall: cfg.MaxWall,
		MaxHostMemory: cmp.Or(cfg.MaxHostMemory, vm.DefaultMaxHostMemory()) / uint64(each.Workers(cfg.Workers)),
	}
	if c.honest != nil {
		control := c.honest.Record
		switch {
		case control == nil:
			c.Error = "with an honest host: " + c.honest.Error
			return
		case control.Outcome != record.PowerOff:
			return // there is nothing left to attack
		}
		if err := trial.Attacked(&v, c.Attack, control); err != nil {
			c.Error = err.Error()
			return
		}
	}
	var runner certify.Runner = certify.Here{}
	if cfg.Runner != nil {
		runner = cfg.Runner
	}
	r, err := runner.Run(ctx, s, v)
	if err != nil {
		c.Error = err.Error()
		return
	}
	c.Record = r
}
