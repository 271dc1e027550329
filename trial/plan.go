package trial

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Subject is an image that is tried.
type Subject struct {
	Path    string       // as it was named; empty for an image that is in no file
	Image   *image.Image // nil where Err says why
	Modules []image.File // of the image's kernel, for attacks on what its drivers are told: those of [Drivers] that there are
	Err     error
}

// Drivers are the kernel modules by which a guest makes use of the devices that lie to it, and has itself quoted, in the order in
// which they can be loaded. What a kernel does not have as a module is built in, or not there.
var Drivers = []string{
	"virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_rng", "virtio_blk",
	"failover", "net_failover", "virtio_net",
	"configfs", "tsm", "tsm_report", "tdx_guest", "sev_guest",
}

func (s Subject) name() string {
	if s.Image != nil {
		return s.Image.Name
	}
	return s.Path
}

// A Config says what is tried.
type Config struct {
	Subjects  []Subject
	Platforms []string // nil means all that have something to promise
	Attacks   []string // as [Attacks] has them, or KIND[:N][@MOMENT][#SEED]; nil means the whole catalogue but [Entry.Hardware]
	Seeds     int      // how often each attack is tried, with other values and occasions each time; 0 means once

	Memory        uint64        // of each guest, in bytes; 0 means 4 GiB
	Append        string        // to the kernels' command lines
	Workers       int           // trials at a time; 0 means one a processor
	MaxWall       time.Duration // of each trial; 0 means no limit
	MaxHostMemory uint64        // what all trials at a time may take of the host's memory, in bytes; 0 means most of what is available

	// Progress hears of each trial that has ended, but not of those that never began, and Watch of how far those are that run,
	// many times a second. Both may be nil, and are called by one goroutine at a time.
	Progress func(done, all int, t *Trial)
	Watch    func(t *Trial, reached record.Phase, at record.Progress)
}

// An Entry is an attack of the catalogue, for those who show it.
type Entry struct {
	Name      string   `json:"name"`
	Platforms []string `json:"platforms"`
	Source    string   `json:"source"`
	Does      string   `json:"does"`              // what the host does, after "the host"
	Promise   string   `json:"promise,omitempty"` // what the architecture promises against it; empty where a guest is on its own
	Duty      string   `json:"duty,omitempty"`    // what a guest has to do

	// Hardware says that it is the architecture's promise that a fault of the hardware breaks: no guest can hold.
	Hardware bool `json:"hardware,omitempty"`
}

// Attacks lists the catalogue.
func Attacks() (all []Entry) {
	for _, k := range attack.Kinds() {
		all = append(all, Entry{k.Name, k.On, k.Source, k.Does, k.Promise, k.Duty, k.Hardware})
	}
	return all
}

// A Trial is one attack on one guest, and what came of it.
type Trial struct {
	Image    string         `json:"image"`
	Platform string         `json:"platform"`
	Machine  string         `json:"machine"` // as [Guest.Machine]
	Attack   string         `json:"attack"`  // the name in the catalogue
	As       string         `json:"as"`      // KIND:N@MOMENT#SEED, for tacit boot --host-attack; or the kind for --firmware-lie
	Verdict  Verdict        `json:"verdict"`
	Why      string         `json:"why"`    // in a clause
	Record   *record.Record `json:"record"` // null where there was no run

	kind    attack.Kind
	attack  attack.Attack
	guest   *guest
	untried bool // its guest can be tried by nothing, or all was to end before it began
}

// Check says what is wrong with a Config, but for its subjects.
func (c *Config) Check() error {
	if c.Seeds < 0 {
		return fmt.Errorf("%d seeds", c.Seeds)
	}
	for _, p := range c.Platforms {
		if !slices.Contains(vm.ConfidentialPlatforms(), p) {
			return fmt.Errorf("platform %s promises nothing that could be attacked: there are %s", p, strings.Join(vm.ConfidentialPlatforms(), ", "))
		}
	}
	for _, text := range c.Attacks {
		k, _, err := asked(text)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(c.platforms(), k.Against) {
			return fmt.Errorf("attack %s is for platform %s, on which none is asked for", k.Name, strings.Join(k.On, ", "))
		}
	}
	return nil
}

// WantsDrivers says whether there are attacks for which [Subject.Modules] count.
func (c *Config) WantsDrivers() bool {
	for _, k := range attack.Kinds() {
		if k.Needs.Drivers && (c.Attacks == nil || slices.ContainsFunc(c.Attacks, func(text string) bool {
			asked, _, err := asked(text)
			return err == nil && asked.Name == k.Name
		})) {
			return true
		}
	}
	return false
}

func (c *Config) platforms() []string {
	if c.Platforms == nil {
		return vm.ConfidentialPlatforms()
	}
	return c.Platforms
}

// asked reads an attack.
func asked(text string) (attack.Kind, attack.Attack, error) {
	if k, ok := attack.Named(text); ok && k.Lie != "" {
		return k, attack.Attack{Kind: text}, nil
	}
	a, err := attack.Parse(text)
	if err != nil {
		return attack.Kind{}, a, fmt.Errorf("%w, %s", err, strings.Join(lies(), ", "))
	}
	k, _ := attack.Named(a.Kind)
	return k, a, nil
}

// lies are the names of attacks that are firmware's to carry out.
func lies() (names []string) {
	for _, k := range attack.Kinds() {
		if k.Lie != "" {
			names = append(names, k.Name)
		}
	}
	return names
}

// plan makes the trials, and the guests that they are made of.
func (c *Config) plan() (guests []*guest, trials []*Trial, err error) {
	if err := c.Check(); err != nil {
		return nil, nil, err
	}
	wanted := c.Attacks
	if wanted == nil {
		for _, k := range attack.Kinds() {
			if !k.Hardware {
				wanted = append(wanted, k.Name)
			}
		}
	}
	for _, s := range c.Subjects {
		for _, platform := range c.platforms() {
			made := map[attack.Needs]*guest{}
			for _, text := range wanted {
				k, a, err := asked(text)
				if err != nil {
					return nil, nil, err
				}
				if !k.Against(platform) {
					continue
				}
				g := made[k.Needs]
				if g == nil {
					g = &guest{subject: s, platform: platform, needs: k.Needs, cfg: c}
					made[k.Needs] = g
					guests = append(guests, g)
				}
				for seed := range max(c.Seeds, 1) {
					t := &Trial{Image: s.name(), Platform: platform, Machine: k.Needs.String(), Attack: k.Name, kind: k, attack: a, guest: g}
					if seed > 0 && k.Lie != "" {
						break // which has nothing to choose
					}
					if seed > 0 {
						t.attack.Seed += uint64(seed)
						t.attack.N += occasion(k, t.attack.Seed)
					}
					trials = append(trials, t)
				}
			}
		}
	}
	return guests, trials, nil
}

// occasion chooses how much later than the first occasion an attack of a seed comes.
func occasion(k attack.Kind, seed uint64) uint64 {
	z := seed * 0x9E3779B97F4A7C15
	z ^= z >> 29
	if k.Acts() {
		const instructions = 5000 // of which tacit's init has more at privilege level 3
		return z % instructions
	}
	const occasions = 16
	return z % occasions
}
