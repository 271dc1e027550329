package demo

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Demonstration shows what unaccepted memory is good for, and what becomes of those who do not know of it: tacit's own
// guest in Go, five times on one platform.
type Demonstration struct {
	Platform string
	Memory   uint64 // of each guest, in bytes
	Seed     uint64

	Results []*Result // of Guests, in their order; Run's
}

// The guests of a demonstration, by their place in it.
const (
	lazy = iota
	eager
	asked   // has never heard of unaccepted memory; firmware asks
	unasked // the same; firmware does not ask
	early   // touches memory before it has accepted it

	sideBySide = early // those before it are compared
)

// Sizes of memory. What programs hold at most of DefaultMemory is enough that bars grow visibly, and little enough for a
// host that has not much itself.
const (
	DefaultMemory = 1 << 30
	MinMemory     = 512 << 20

	upFront  = 128 << 20 // what firmware accepts before it starts a system
	mostHeld = 1 << 30
)

// Check says what is wrong with the platform and with the amount of memory.
func (d *Demonstration) Check() error {
	if d.Platform == vm.None {
		return fmt.Errorf("platform %s has nothing to show: all of its memory is there from the start, and nothing has to be accepted; there are %s",
			d.Platform, strings.Join(vm.ConfidentialPlatforms(), ", "))
	}
	if d.Memory < MinMemory {
		return fmt.Errorf("%s of memory: bars would show nothing; want %s or more", record.FormatBytes(d.Memory), record.FormatBytes(MinMemory))
	}
	return vm.Config{Platform: d.Platform, Memory: d.Memory}.Check()
}

// Guests are the guests of the demonstration.
func (d *Demonstration) Guests() []Guest {
	machine := func(policy, words string) vm.Config {
		return vm.Config{
			Platform: d.Platform, Memory: d.Memory, Seed: d.Seed, FirmwarePolicy: policy,
			FirmwareAccepts: upFront,
			Append:          fmt.Sprintf("%s hold=%dM", words, d.most()>>20),
		}
	}
	return []Guest{
		lazy:    {"lazy", "accepts memory when it needs it", machine("negotiate", "unaccepted=lazy"), expectLazy},
		eager:   {"eager", "accepts all of it before its program starts", machine("negotiate", "unaccepted=eager"), expectEager},
		asked:   {"old, asked", "has never heard of all this; firmware asks, gets no answer, and accepts the rest", machine("negotiate", "unaccepted=unknown"), expectAsked},
		unasked: {"old, unasked", "has never heard of it either, and firmware does not ask", machine("lazy", "unaccepted=unknown"), expectUnasked},
		early:   {"too early", "knows, and touches memory before it has accepted it", machine("negotiate", "touch"), expectEarly},
	}
}

// most is how much the guests' programs hold at most: a power of two, of which they tell every one below.
func (d *Demonstration) most() uint64 { return min(uint64(1)<<(bits.Len64(d.Memory/2)-1), mostHeld) }

func expectLazy(r *Result) error {
	a := &r.Record.Acceptance
	switch {
	case r.Record.Outcome != record.PowerOff:
		return r.otherwise()
	case a.UnacceptedAtInit == nil || *a.UnacceptedAtInit == 0 || a.By.Kernel.AfterInit.Bytes == 0:
		return errors.New("it accepted nothing after its program had started")
	}
	return keeps(r)
}

func expectEager(r *Result) error {
	switch n := r.Record.Acceptance.UnacceptedAtInit; {
	case r.Record.Outcome != record.PowerOff:
		return r.otherwise()
	case n == nil || *n != 0:
		return errors.New("it had not accepted everything before its program started")
	}
	return keeps(r)
}

func expectAsked(r *Result) error {
	switch {
	case r.Record.Outcome != record.PowerOff:
		return r.otherwise()
	case r.Record.Negotiation.AcceptedAtExit == 0 || r.Left() != 0:
		return errors.New("firmware did not accept the rest for it")
	}
	return keeps(r)
}

// expectUnasked leaves open how the guest ends: how much it wants of what is left decides that.
func expectUnasked(r *Result) error {
	switch o := r.Record.Outcome; {
	case o != record.PowerOff && o != record.GuestPanic:
		return r.otherwise()
	case r.Lost() == 0:
		return errors.New("it has lost nothing")
	}
	return nil
}

func expectEarly(r *Result) error {
	switch d := r.Record.Diagnosis; {
	case r.Record.Outcome != record.Violation:
		return r.otherwise()
	case d == nil || d.GPA == nil || d.Symbol == "":
		return errors.New("the diagnosis does not say which page and which function")
	}
	return keeps(r)
}

func keeps(r *Result) error {
	if n := r.Lost(); n > 0 {
		return fmt.Errorf("it has lost %s", record.FormatBytes(n))
	}
	return nil
}

// Otherwise says what came out otherwise than expected; nil where nothing did.
func (d *Demonstration) Otherwise() error {
	var all []error
	for i, r := range d.Results {
		if err := r.Expect(r); err != nil {
			all = append(all, fmt.Errorf("guest %d (%s): %w", i+1, r.Name, err))
		}
	}
	if len(d.Results) > eager {
		if l, e := d.Results[lazy].Init(), d.Results[eager].Init(); l == 0 || e <= l {
			all = append(all, fmt.Errorf("guest %d (%s) started its program no later than guest %d (%s)", eager+1, d.Results[eager].Name, lazy+1, d.Results[lazy].Name))
		}
	}
	return errors.Join(all...)
}
