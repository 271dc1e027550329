package study

import (
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/compare"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
)

// A Row is what is said of a boot.
type Row struct {
	*Boot
	Base *Boot // what it is held against; the boot itself, where it is the base

	Times map[string]float64 // as much as the base, by metric; what is not known is absent

	Eager *Eager // nil where the boot is not eager, or the study has no lazy boot that it could be held against
	Note  string // what keeps a reader from believing the numbers; empty is nothing
}

// Eager is an eager boot against the lazy one with the same image, machine and host pages.
type Eager struct {
	Times  float64          // virtual time to init, eager : lazy
	Series float64          // what the patch series says; 0 where it says nothing
	Range  cost.Sensitivity // of Times; where it cannot be told it has no Swings
	Why    string           // it cannot be told
}

// Rows are those of a block, the base first.
func (s *Study) Rows(b Block) (rows []Row) {
	for _, boot := range b.Boots {
		row := Row{Boot: boot, Base: b.Base(), Times: map[string]float64{}, Note: boot.Note()}
		for _, m := range compare.Metrics() {
			if times := m.Ratio(boot.Record, row.Base.Record); times != nil {
				row.Times[m.Name] = *times
			}
		}
		row.Eager = s.eager(boot)
		rows = append(rows, row)
	}
	return rows
}

// eager holds an eager boot against the lazy one.
func (s *Study) eager(b *Boot) *Eager {
	if !b.Variant.everything() || b.Note() != "" {
		return nil
	}
	for _, lazy := range s.Boots {
		if lazy.Image != b.Image || lazy.Platform != b.Platform || lazy.Memory != b.Memory ||
			!lazy.Variant.lazy() || lazy.Variant.pages() != b.Variant.pages() || lazy.Variant.CPUs() != b.Variant.CPUs() {
			continue
		}
		init, _ := compare.MetricNamed("init")
		times := init.Ratio(b.Record, lazy.Record)
		if times == nil || lazy.Note() != "" {
			return nil
		}
		e := &Eager{Times: *times, Series: compare.Series(b.Platform, b.Memory)}
		model, err := b.model()
		if err == nil {
			e.Range, err = compare.SensitivityOfInit(model, b.Record, lazy.Record)
		}
		if err != nil {
			e.Why = err.Error()
		}
		return e
	}
	return nil
}

// model is the one by which the boot was charged.
func (b *Boot) model() (cost.Model, error) {
	if name := b.Record.CostModel; b.cfg.Cost.Name() != name {
		return cost.Named(name)
	}
	return b.cfg.Cost, nil
}

// Note says what is wrong with the boot as what it is called: what keeps a reader from believing the numbers. Empty is nothing.
func (b *Boot) Note() string {
	switch r := b.Record; {
	case b.Error != "":
		return b.Error
	case r == nil:
		return "it was not run to its end"
	case r.Acceptance.UnacceptedAtInit == nil:
		text := "it did not get to its init"
		if r.Diagnosis != nil {
			text += ": " + r.Diagnosis.Summary
		}
		return text
	case b.Variant.everything() && *r.Acceptance.UnacceptedAtInit != 0:
		return fmt.Sprintf("it is not eager: at init %s were not accepted", record.FormatBytes(*r.Acceptance.UnacceptedAtInit))
	case b.Variant.lazy() && *r.Acceptance.UnacceptedAtInit == 0:
		return "it is not lazy: at init everything was accepted"
	case b.Variant.lazy() && r.Acceptance.By.Kernel.Bytes+r.Acceptance.By.Stub.Bytes == 0 && !keepsBooks(r):
		return "it accepts nothing, and keeps no book of what firmware left to it: that is lost"
	}
	return ""
}

// keepsBooks says whether the guest has a bitmap of what it has yet to accept.
func keepsBooks(r *record.Record) bool {
	return r.Acceptance.BitmapSetAtReport != nil ||
		slices.ContainsFunc(r.Guest.Steps, func(s record.Step) bool { return s.BitmapSet != nil })
}

// Outcome is how the boot ended, in a word.
func (b *Boot) Outcome() string {
	switch {
	case b.Error != "":
		return "error"
	case b.Record == nil:
		return string(record.Cancelled)
	}
	return string(b.Record.Outcome)
}

// A share is a part of the time to init.
type share struct {
	Class, Means string
	NS           int64
}

// shares are what the time until init went to; nil where init was not reached.
func (b *Boot) shares() []share {
	if b.Record == nil || b.Record.VirtualNS.Init == nil {
		return nil
	}
	init := max(*b.Record.VirtualNS.Init, 0)
	firmware := min(max(b.Record.Acceptance.By.Firmware.VirtualNS, 0), init)
	var kernel int64
	for _, c := range b.Record.Acceptance.Callers {
		if !c.AfterInit && c.VirtualNS > 0 {
			kernel = min(kernel+min(c.VirtualNS, init), init-firmware)
		}
	}
	return []share{
		{"firmware", "firmware accepts", firmware},
		{"kernel", "the kernel accepts", kernel},
		{"rest", "everything else", init - firmware - kernel},
	}
}
