package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/catalogue"
	"github.com/tacit-vm/tacit/catalogue/jetstream"
	"github.com/tacit-vm/tacit/catalogue/page"
	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
)

// knowledge is what earlier runs of tacit certify have found, and where this one keeps what it finds. Nil is none.
type knowledge struct {
	store  *jetstream.Store
	tool   string
	spread *catalogue.Spread // nil where boots are run here
}

// ahead is how many boots are asked for at a time where others run them.
const ahead = 4096

// checkStore says what the flags cannot mean.
func (f *certifyFlags) checkStore() error {
	if !f.keep && (f.store.dir != "" || f.store.remote.URL != "") {
		return errors.New("--keep=false: then there is nothing that --store or --nats could keep")
	}
	return f.store.check()
}

// known opens the store. A build that has no version keeps nothing, and that is an error only where it was asked for.
func (f *certifyFlags) known(ctx context.Context, stderr io.Writer) (_ *knowledge, err error) {
	if !f.keep {
		return nil, nil
	}
	k := &knowledge{}
	if k.tool, err = cleanVersion(); err != nil {
		switch {
		case f.store.remote.URL != "":
			return nil, fmt.Errorf("--nats: %w", err)
		case f.store.dir != "":
			return nil, fmt.Errorf("--store: %w", err)
		}
		return nil, nil
	}
	if k.store, err = f.store.open(ctx, "tacit certify", stderr); err != nil {
		return nil, err
	}
	if f.store.remote.URL == "" {
		return k, nil
	}
	if k.spread, err = catalogue.NewSpread(ctx, k.store, k.tool); err != nil {
		k.close()
		return nil, err
	}
	depth, err := k.store.Depth(ctx, k.tool)
	if err != nil {
		k.close()
		return nil, err
	}
	if depth == (jetstream.Depth{}) {
		fmt.Fprintf(stderr, "tacit: no worker waits for boots of %s: start one with tacit worker --nats\n", k.tool)
	}
	return k, nil
}

func (k *knowledge) close() {
	if k != nil {
		k.store.Close()
	}
}

// prepare has the boots come from what is known.
func (k *knowledge) prepare(cfg *certify.Config) {
	switch {
	case k == nil:
	case k.spread != nil:
		cfg.Runner, cfg.Workers, cfg.Watch = k.spread, ahead, nil
	default:
		cfg.Runner = &catalogue.Keeper{Results: k.store, Tool: k.tool, Boots: certify.Here{}}
	}
}

// A reading is what is read out of a file.
type reading struct {
	claims bool // also what it says of itself
	kernel bool // of a container image the kernel alone, whatever loader the image has
}

// key is that under which it is kept.
func (r reading) key(s *certify.Subject, tool string) string {
	name := filepath.Base(s.Path)
	if r.kernel {
		name += "/kernel" // which is no file's name
	}
	return catalogue.ReadingKey(s.SHA256, name, tool, r.claims)
}

// open is what opens a disk that was read so.
func (r reading) open() diskOpener {
	if r.kernel {
		return image.OpenDisk
	}
	return certify.OpenDisk
}

// find fills in what is known of the file of a subject, and says whether anything is.
func (k *knowledge) find(ctx context.Context, s *certify.Subject, at found, as reading) bool {
	if k == nil || s.SHA256 == "" {
		return false
	}
	r, err := k.store.Reading(ctx, as.key(s, k.tool))
	if err != nil {
		return false // then the file is read
	}
	s.Claims = r.Claims
	if r.Disk {
		s.Disk = at.certified(r.Image, r.SHA256, as.open())
		return true
	}
	s.Known = &certify.Known{Name: r.Image, SHA256: r.SHA256, Open: at.image}
	return true
}

// read keeps what was read out of the file of a subject.
func (k *knowledge) read(ctx context.Context, s *certify.Subject, as reading) error {
	if k == nil || s.SHA256 == "" || s.Disk == nil && s.Image.Bootable() != nil {
		return nil
	}
	name, digest := s.Program()
	return k.store.KeepReading(ctx, as.key(s, k.tool),
		&catalogue.Reading{Schema: catalogue.ReadingSchema, Image: name, SHA256: digest, Disk: s.Disk != nil, Claims: s.Claims})
}

// note adds the verdicts to the history: those that will not change if the same is asked again.
func (k *knowledge) note(ctx context.Context, c *certify.Certificate, config string) error {
	if k == nil || ctx.Err() != nil {
		return nil
	}
	for _, v := range c.Verdicts {
		if v.File != "" && v.FileSHA256 == "" || v.Error == "" && !v.Complete {
			continue
		}
		if err := k.store.Note(ctx, catalogue.NewEntry(v, config, k.tool, time.Now())); err != nil {
			return err
		}
	}
	return nil
}

// page shows a certificate: its verdicts, and what is known of its images from earlier.
func (k *knowledge) page(ctx context.Context, c *certify.Certificate, config string) (*page.Page, error) {
	tool := versionText()
	if k != nil {
		tool = k.tool
	}
	entries, seen := map[string]catalogue.Entry{}, map[string]bool{} // by key; subjects
	for _, v := range c.Verdicts {
		e := catalogue.NewEntry(v, config, tool, time.Now())
		entries[e.Key], seen[e.Subject()] = *e, true
	}
	if k != nil && ctx.Err() == nil {
		kept, err := k.store.Entries(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range kept {
			if e.Config == config && seen[e.Subject()] {
				entries[e.Key] = e // with the date on which it was first found
			}
		}
	}
	p, err := historyPage(slices.Collect(maps.Values(entries)), "")
	if err != nil {
		return nil, err
	}
	p.AddBoots(c, config)
	return p, nil
}

// words are the configuration as the history names it: the same for the same boots and requirements, in whatever order
// they are given.
func (f *certifyFlags) words() string {
	sorted := func(words []string) string {
		words = slices.Clone(words)
		slices.Sort(words)
		return strings.Join(slices.Compact(words), ",")
	}
	var sizes, required []string
	for _, n := range f.sizes {
		sizes = append(sizes, strings.ReplaceAll(record.FormatBytes(n), " ", ""))
	}
	for _, r := range f.required {
		required = append(required, r.Name)
	}
	words := []string{"platform=" + sorted(f.platforms), "policy=" + sorted(f.policies), "memory=" + sorted(sizes)}
	for _, w := range []struct{ name, value string }{
		{"require", sorted(required)}, {"append", f.append}, {"cost", sorted(f.cost)}, {"max-virtual-time", f.maxVirtual.String()},
	} {
		if w.value != "" {
			words = append(words, w.name+"="+w.value)
		}
	}
	if !f.claims {
		words = append(words, "inspect=false")
	}
	return strings.Join(words, " ")
}
