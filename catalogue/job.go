package catalogue

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/cost/file"
	"github.com/tacit-vm/tacit/vm"
)

// A Job is a boot as a value: all that its record depends on, but for the tool.
type Job struct {
	Image           string        `json:"image"`  // the name of what firmware loads, or of the disk's file
	SHA256          string        `json:"sha256"` // its digest, in hexadecimal
	Disk            bool          `json:"disk"`   // it is a disk, which firmware boots
	Platform        string        `json:"platform"`
	Policy          string        `json:"firmware_policy"`
	Memory          uint64        `json:"memory_bytes"`
	CPUs            int           `json:"cpus"`        // processors, as vm.Config has it
	Append          string        `json:"append"`      // to the command line
	HostAttack      string        `json:"host_attack"` // as vm.Config has it; so is FirmwareLie
	FirmwareLie     string        `json:"firmware_lie"`
	Engine          string        `json:"engine"`           // as vm.Config has it
	Cost            string        `json:"cost"`             // a model of tacit's by its name, another as its file's text; empty: the platform's own
	MaxInstructions uint64        `json:"max_instructions"` // 0: none
	MaxVirtual      time.Duration `json:"max_virtual_ns"`   // as vm.Config has it
	Reference       string        `json:"reference"`        // where the image is, if workers can get it there; no part of the key
	MaxWall         time.Duration `json:"max_wall_ns"`      // 0: none. What ends of it is not kept, so that it is no part of the key
}

// JobOf is the boot of a subject as certify plans it.
func JobOf(s *certify.Subject, c vm.Config) (Job, error) {
	name, digest := s.Program()
	j := Job{
		Image: name, SHA256: digest, Disk: s.Disk != nil, Reference: s.Reference, Platform: c.Platform, Policy: c.FirmwarePolicy, Memory: c.Memory, CPUs: max(c.CPUs, 1), Append: c.Append,
		HostAttack: c.HostAttack, FirmwareLie: c.FirmwareLie, Engine: c.Engine,
		Cost: c.Cost.Name(), MaxInstructions: c.MaxInstructions, MaxVirtual: c.MaxVirtual, MaxWall: c.MaxWall,
	}
	if own, err := cost.Named(j.Cost); j.Cost != "" && (err != nil || own.Platform() != c.Cost.Platform()) {
		var text bytes.Buffer
		if err := file.Write(&text, c.Cost); err != nil {
			return Job{}, err
		}
		j.Cost = text.String()
	}
	return j, nil
}

// Key is the digest of all that the record depends on, in hexadecimal: of the job, and of the tool by its version.
func (j Job) Key(tool string) string {
	j.MaxWall, j.Reference = 0, ""
	return digestOf(struct {
		Tool string
		Job  Job
	}{tool, j})
}

// Config is the boot as the machine takes it, but for its image. A job comes from afar, and so may be wrong.
func (j Job) Config() (vm.Config, error) {
	c := vm.Config{
		Platform: j.Platform, FirmwarePolicy: j.Policy, Memory: j.Memory, CPUs: j.CPUs, Append: j.Append,
		HostAttack: j.HostAttack, FirmwareLie: j.FirmwareLie, Engine: j.Engine,
		MaxInstructions: j.MaxInstructions, MaxVirtual: j.MaxVirtual, MaxWall: j.MaxWall,
	}
	var err error
	switch {
	case strings.Contains(j.Cost, "\n"):
		c.Cost, err = file.Read(strings.NewReader(j.Cost))
	case j.Cost != "":
		c.Cost, err = cost.Named(j.Cost)
	}
	if err != nil {
		return vm.Config{}, fmt.Errorf("the job's cost model: %w", err)
	}
	if j.MaxInstructions == 0 {
		return vm.Config{}, fmt.Errorf("the job has no limit of instructions")
	}
	return c, c.Check()
}

// digestOf is the digest of a value's JSON, in hexadecimal.
func digestOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // words and numbers
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
