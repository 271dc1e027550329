package matrix

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/trial"
	"github.com/tacit-vm/tacit/vm"
)

// A Key is one combination, as a table has it.
type Key struct {
	Image       string `json:"image"`
	Platform    string `json:"platform"`
	Policy      string `json:"firmware_policy"`
	Memory      uint64 `json:"memory_bytes"`
	Processors  int    `json:"processors"`
	CommandLine string `json:"command_line"` // what is added to it
	Attack      string `json:"attack"`
}

// Shown is what a combination shows, in words that are the same whenever it is booted.
type Shown struct {
	Init       string `json:"init"`       // "yes", "no", or "silent", as certify has it
	Accepts    string `json:"accepts"`    // "yes" or "no"; empty where it did not reach its init, or was attacked
	Loses      string `json:"loses"`      // memory; likewise
	Negotiates string `json:"negotiates"` // likewise, and where that was not offered
	Attacked   string `json:"attacked"`   // the verdict of package trial; empty with an honest host
	Outcome    string `json:"outcome"`
	Amounts    string `json:"amounts"` // of memory, where the matrix asks for them
}

// A Cell is a combination and what came of it.
type Cell struct {
	Key
	Shown  *Shown         `json:"shown"`  // null where it could not be judged
	Record *record.Record `json:"record"` // null where there was no run
	Error  string         `json:"error"`  // why it could not be judged; empty where it could

	subject int
	honest  *Cell // with the same everything and an honest host; nil where this is that
	extra   bool  // it is booted to hold others against it, and not asked for
}

// cells are all combinations, in the order of the matrix, with those of honest hosts that attacks are held against. An attack
// that is none on a platform, or a number of processors that is none there, is left out.
func (m *Matrix) cells(images []string) (all []*Cell) {
	for i, image := range images {
		for _, platform := range m.Platforms {
			for _, policy := range m.Policies {
				for _, memory := range m.Memory {
					for _, cpus := range m.Processors {
						for _, words := range m.CommandLines {
							key := Key{image, platform, policy, memory, cpus, words, Honest}
							all = append(all, m.attacked(i, key)...)
						}
					}
				}
			}
		}
	}
	return all
}

// attacked are the combinations that differ in the attack alone, the honest one first.
func (m *Matrix) attacked(subject int, key Key) []*Cell {
	honest := &Cell{Key: key, subject: subject, extra: !slices.Contains(m.Attacks, Honest)}
	all := []*Cell{honest}
	for _, attack := range m.Attacks {
		c := &Cell{Key: key, subject: subject, honest: honest}
		c.Attack = attack
		if attack != Honest && slices.Contains(vm.ConfidentialPlatforms(), key.Platform) &&
			(&trial.Config{Platforms: []string{key.Platform}, Attacks: []string{attack}}).Check() == nil {
			all = append(all, c)
		}
	}
	if honest.extra && len(all) == 1 {
		return nil
	}
	return all
}

// conclude says what the record shows.
func (c *Cell) conclude(amounts bool) {
	b := certify.Boot{Image: c.Image, Platform: c.Platform, Policy: c.Policy, Memory: c.Memory, Record: c.Record}
	r := c.Record
	switch {
	case c.Error != "":
		return
	case r == nil:
		c.Shown = &Shown{Attacked: "not tried: it dies by itself"}
		return
	case r.Outcome == record.Cancelled || r.Outcome == record.Limit && c.honest == nil:
		c.Error = "ended by a limit, or from outside: " + string(r.Outcome)
		return
	}
	s := Shown{Init: "no", Outcome: string(r.Outcome)}
	if up := r.Guest.Up; up != nil { // a disk, whose boot ends there
		s.Outcome = up.By
	}
	if b.Reached() {
		s.Init = "silent"
		if b.Reports() {
			s.Init = "yes"
		}
		if c.honest == nil {
			s.Accepts, s.Loses = yes(b.Accepts()), yes(b.Loses())
		}
		if c.honest == nil && r.Negotiation.Offered {
			s.Negotiates = yes(len(r.Negotiation.AllowedBy) > 0)
		}
	}
	if c.honest != nil {
		verdict, why, err := trial.Judge(c.Attack, c.honest.Record, r)
		if err != nil || verdict == trial.Unjudged {
			c.Error = fmt.Sprintf("%s: %s", verdict, why)
			return
		}
		s.Attacked = string(verdict)
	}
	if amounts {
		left := "-"
		if at := r.Acceptance.UnacceptedAtInit; at != nil {
			left = mebibytes(*at)
		}
		by := r.Acceptance.By
		s.Amounts = "sees " + mebibytes(b.Sees()) + ", unaccepted at init " + left + ", accepted by firmware " + mebibytes(by.Firmware.Bytes) +
			", stub " + mebibytes(by.Stub.Bytes) + ", kernel " + mebibytes(by.Kernel.Bytes)
	}
	c.Shown = &s
}

func yes(b bool) string {
	if b {
		return string(certify.Yes)
	}
	return string(certify.No)
}

func mebibytes(n uint64) string { return strconv.FormatUint(n>>20, 10) + "M" }
