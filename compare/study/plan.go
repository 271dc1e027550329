package study

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/compare"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Subject is an image to be compared.
type Subject struct {
	Path  string       // of the file, as it was named; empty for an image that is in none
	Image *image.Image // nil is tacit's own guest
}

// A Config says what is to be run. Images, platforms, memory and variants are each combined with all others.
type Config struct {
	Subjects  []Subject // at least one
	Platforms []string  // at least one, none of them [vm.None]
	Memory    []uint64  // bytes; at least one
	Variants  []Variant // at least one

	// Base is the path of an image, or the name of a variant: the others of its kind are held against it.
	// Empty is the first image, or the first variant where there is one image only.
	Base string

	Conditions []compare.Condition // that no run is to meet

	Costs      []cost.Model  // by which virtual time is charged, at most one for each platform; others are charged by tacit's own
	Append     string        // to the kernels' command lines
	Workers    int           // boots at a time; 0 means one a processor of the host
	Engine     string        // as vm.Config has it
	MaxVirtual time.Duration // a boot, as vm.Config has it
	MaxWall    time.Duration // a boot; 0 means no limit

	// MaxHostMemory is of all boots at a time, in bytes; 0 means [vm.DefaultMaxHostMemory].
	MaxHostMemory uint64

	Saved *Saved // where boots are kept; may be nil

	// Progress hears of every boot that has ended, from one goroutine at a time; may be nil.
	Progress func(done, all int, b *Boot)

	// Watch hears how far a boot is, many times a second, for several boots at the same time; may be nil.
	Watch func(b *Boot, reached record.Phase, p record.Progress)
}

// A Boot is one run.
type Boot struct {
	Image    string         `json:"image"` // what it is called in this study
	Platform string         `json:"platform"`
	Memory   uint64         `json:"memory_bytes"`
	With     string         `json:"with"`
	Record   *record.Record `json:"record"`          // nil where there was no run, or none that came to its end
	Error    string         `json:"error,omitempty"` // what kept the machine from running
	Again    bool           `json:"-"`               // it has been run before, and its record was kept

	Variant Variant `json:"-"` // With, as it was read
	cfg     vm.Config
}

// A Block is boots that differ in one thing, in their image or in their variant.
type Block struct {
	Title string  // what they have in common
	Boots []*Boot // the base first
}

// Base is what the others of the block are held against.
func (b *Block) Base() *Boot { return b.Boots[0] }

// maxInstructions ends a boot that goes nowhere; it is for each processor. Certify has half of it: here kernels accept 64 GiB and more page by page.
const maxInstructions = 20_000_000_000

// Check says what is wrong with the configuration. Nothing is read or run for it.
func (c *Config) Check() error {
	if len(c.Subjects) == 0 || len(c.Platforms) == 0 || len(c.Memory) == 0 || len(c.Variants) == 0 {
		return errors.New("nothing to compare: an image, a platform, an amount of memory and a variant is the least")
	}
	for _, platform := range c.Platforms {
		if platform == vm.None {
			return fmt.Errorf("platform %s has nothing to compare: all of its memory is there from the start; there are %s",
				platform, strings.Join(vm.ConfidentialPlatforms(), ", "))
		}
		for _, memory := range c.Memory {
			if err := (vm.Config{Platform: platform, Memory: memory, MaxWall: c.MaxWall, Engine: c.Engine}).Check(); err != nil {
				return err
			}
		}
	}
	for i, m := range c.Costs {
		if !slices.Contains(c.Platforms, m.Platform()) {
			return fmt.Errorf("cost model %s is for platform %s, on which nothing is to be run", m.Name(), m.Platform())
		}
		if slices.ContainsFunc(c.Costs[:i], func(other cost.Model) bool { return other.Platform() == m.Platform() }) {
			return fmt.Errorf("cost model %s is the second one for platform %s", m.Name(), m.Platform())
		}
	}
	for _, one := range []struct {
		what  string
		names []string
	}{
		{"image", each(c.Subjects, func(s Subject) string { return s.Path })},
		{"platform", c.Platforms},
		{"memory", each(c.Memory, record.FormatBytes)},
		{"variant", each(c.Variants, func(v Variant) string { return v.Name })},
	} {
		for i, name := range one.names {
			if slices.Contains(one.names[:i], name) {
				return fmt.Errorf("%s %s is there twice", one.what, name)
			}
		}
	}
	_, _, err := c.base(c.names())
	return err
}

// cost is the model that was chosen for a platform; the zero Model where none was.
func (c *Config) cost(platform string) cost.Model {
	for _, m := range c.Costs {
		if m.Platform() == platform {
			return m
		}
	}
	return cost.Model{}
}

func each[T any](all []T, name func(T) string) (names []string) {
	for _, one := range all {
		names = append(names, name(one))
	}
	return names
}

// names are what the subjects are called: as they call themselves, or by their path where two call themselves the same.
func (c *Config) names() (names []string) {
	own := each(c.Subjects, func(s Subject) string {
		switch {
		case s.Image != nil:
			return s.Image.Name
		case s.Path != "":
			return s.Path // it has not been read yet
		}
		return guest.DemoName
	})
	for i, name := range own {
		again := slices.Index(own, name) != i || slices.Contains(own[i+1:], name)
		if again && c.Subjects[i].Path != "" {
			name = c.Subjects[i].Path
		}
		names = append(names, name)
	}
	return names
}

// base says which image or which variant the others are held against; of the other it is -1.
func (c *Config) base(names []string) (subject, variant int, err error) {
	switch {
	case c.Base == "" && len(c.Subjects) > 1:
		return 0, -1, nil
	case c.Base == "":
		return -1, 0, nil
	}
	if i := slices.IndexFunc(c.Variants, func(v Variant) bool { return v.Name == c.Base }); i >= 0 {
		return -1, i, nil
	}
	for i, s := range c.Subjects {
		if c.Base == s.Path || s.Path == "" && c.Base == names[i] {
			return i, -1, nil
		}
	}
	all := each(c.Variants, func(v Variant) string { return v.Name })
	for i, s := range c.Subjects {
		all = append(all, cmp.Or(s.Path, names[i]))
	}
	return 0, 0, fmt.Errorf("base %s is none of what is compared: there are %s", c.Base, strings.Join(all, ", "))
}

// plan makes the boots, in the order in which they are run, and the blocks that they are shown in.
func (c *Config) plan() (*Study, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	names := c.names()
	subject, variant, err := c.base(names)
	if err != nil {
		return nil, err
	}
	var boots []*Boot
	at := func(subject, platform, memory, variant int) int {
		return ((subject*len(c.Platforms)+platform)*len(c.Memory)+memory)*len(c.Variants) + variant
	}
	for i, s := range c.Subjects {
		for _, platform := range c.Platforms {
			for _, memory := range c.Memory {
				for _, v := range c.Variants {
					b := &Boot{Image: names[i], Platform: platform, Memory: memory, With: v.Name, Variant: v, cfg: vm.Config{
						Platform: platform, Memory: memory, Image: s.Image, Append: c.Append, Callers: true, Engine: c.Engine, Cost: c.cost(platform),
						MaxInstructions: maxInstructions * uint64(v.CPUs()), MaxVirtual: c.MaxVirtual, MaxWall: c.MaxWall,
					}}
					v.apply(&b.cfg)
					boots = append(boots, b)
				}
			}
		}
	}
	title := func(first string, platform, memory int) string {
		return fmt.Sprintf("%s, %s, %s", first, c.Platforms[platform], record.FormatBytes(c.Memory[memory]))
	}
	study := &Study{Boots: boots, ByImage: subject >= 0}
	if variant >= 0 {
		for s := range c.Subjects {
			c.eachMachine(func(p, m int) {
				block := Block{Title: title(names[s], p, m)}
				for v := range c.Variants {
					block.Boots = append(block.Boots, boots[at(s, p, m, v)])
				}
				study.Blocks = append(study.Blocks, block.from(variant))
			})
		}
		return study, nil
	}
	for v := range c.Variants {
		c.eachMachine(func(p, m int) {
			block := Block{Title: title(c.Variants[v].Name, p, m)}
			for s := range c.Subjects {
				block.Boots = append(block.Boots, boots[at(s, p, m, v)])
			}
			study.Blocks = append(study.Blocks, block.from(subject))
		})
	}
	return study, nil
}

func (c *Config) eachMachine(do func(platform, memory int)) {
	for p := range c.Platforms {
		for m := range c.Memory {
			do(p, m)
		}
	}
}

// from puts one of the boots first.
func (b Block) from(base int) Block {
	first := b.Boots[base]
	b.Boots = slices.Insert(slices.Delete(b.Boots, base, base+1), 0, first)
	return b
}

// workers is how many boots run at a time, and share what each may take of the host's memory; 0 is no limit.
func (c *Config) workers(boots int) (workers int, share uint64) {
	workers = c.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, boots)
	return workers, cmp.Or(c.MaxHostMemory, vm.DefaultMaxHostMemory()) / uint64(workers)
}
