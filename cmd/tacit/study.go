package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/compare/study"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// studyFlags are what the command lines of those commands have in common that run images in many ways.
type studyFlags struct {
	platforms     []string
	memory        []string
	append        string
	costs         []string
	jobs          int
	engine        choice
	resume        string
	maxVirtual    virtualLimit
	timeout       time.Duration
	maxHostMemory size

	sizes  []uint64     // what memory says
	models []cost.Model // what costs says
}

// machines are the flags that say what the machines are like.
func (f *studyFlags) machines(flags *pflag.FlagSet) {
	flags.Var(&choices{chosen: &f.platforms, allowed: vm.PlatformNames()}, "platform", "platforms; none has nothing to compare")
	flags.StringSliceVar(&f.memory, "memory", f.memory, "amounts of memory")
}

// costFlag is --cost, of which there is one for each platform.
func (f *studyFlags) costFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.costs, "cost", nil, "charge virtual time by `MODEL`: a name or a file (tacit cost --help), once for each platform at most (default: tacit's own)")
	completeWith(cmd, "cost", completeModel)
}

// boots are the flags about how they are run.
func (f *studyFlags) boots(flags *pflag.FlagSet) {
	flags.StringVar(&f.append, "append", "", "add `WORDS` to the kernels' command lines")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "boots at a time; 0 is one a processor")
	engineFlag(flags, &f.engine)
	flags.StringVar(&f.resume, "resume", "", "keep boots in `FILE`, and do not run again those that it has")
	flags.Var(&f.maxVirtual, "max-virtual-time", "end a boot after so much virtual time; 0 is never")
	flags.DurationVar(&f.timeout, "timeout", 0, "end a boot after so much time on the host; 0 is never")
	flags.Var(&f.maxHostMemory, "max-host-memory", "what all boots at a time may take of the host's memory (default: most of what is available)")
}

// check reads what the flags say.
func (f *studyFlags) check() error {
	if f.timeout < 0 || f.jobs < 0 {
		return errors.New("--timeout and --jobs cannot be negative")
	}
	f.sizes = nil
	for _, text := range f.memory {
		n, err := parseSize(text)
		switch {
		case err != nil:
			return fmt.Errorf("--memory: %w", err)
		case n == 0:
			return errors.New("--memory is 0")
		}
		f.sizes = append(f.sizes, uint64(n))
	}
	f.models = nil
	for _, text := range f.costs {
		m, err := modelOf(text)
		if err != nil {
			return fmt.Errorf("--cost: %w", err)
		}
		f.models = append(f.models, m)
	}
	return nil
}

func (f *studyFlags) config() study.Config {
	return study.Config{
		Platforms: f.platforms, Memory: f.sizes, Costs: f.models, Append: f.append, Workers: f.jobs, Engine: f.engine.word,
		MaxVirtual: f.maxVirtual.config(), MaxWall: f.timeout, MaxHostMemory: uint64(f.maxHostMemory),
	}
}

// withNearest says which word was probably meant, where one is none to start a guest with.
func withNearest(err error) error {
	if wrong := (*study.WordError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%q: %w", wrong.Word, known(wrong.Word, variantWords()))
	}
	return err
}

// inputs are the files that the command line reads.
func (f *studyFlags) inputs(args []string) []named {
	all := images(args)
	for _, path := range f.costs {
		all = append(all, named{by: "--cost", path: path})
	}
	return all
}

// unread are the subjects that a command line names, before they are opened.
func unread(paths []string) (all []study.Subject) {
	for _, path := range paths {
		all = append(all, study.Subject{Path: path})
	}
	if len(paths) == 0 {
		all = []study.Subject{{}}
	}
	return all
}

// study opens the images and runs all boots, of each of which a line tells. Where boots could not be kept there is a study
// with the error.
func (f *studyFlags) study(ctx context.Context, cfg study.Config, paths []string, stderr io.Writer) (s *study.Study, err error) {
	line := newBootsProgress(stderr)
	defer line.close()
	cfg.Progress = func(done, all int, b *study.Boot) { bootEnded(line, done, all, b) }
	if line.watched() {
		cfg.Watch = func(b *study.Boot, reached record.Phase, at record.Progress) {
			line.watch(b, bootName{b.Image, strings.Join([]string{b.Platform, record.FormatBytes(b.Memory), b.With}, "/")}, reached, at)
		}
	}
	if cfg.Subjects, err = subjects(ctx, paths, line); err != nil {
		return nil, err
	}
	kept, err := openKept(ctx, f.resume, stderr)
	if err != nil {
		return nil, err
	}
	defer kept.close()
	cfg.Saved = kept.saved
	s, err = study.Run(ctx, cfg)
	if s == nil {
		return nil, err
	}
	if err != nil {
		err = fmt.Errorf("--resume %s: %w", f.resume, err)
	}
	s.Tool = versionText()
	return s, err
}

func bootEnded(line *bootsProgress, done, all int, b *study.Boot) {
	says := []string{b.Image, b.Platform, record.FormatBytes(b.Memory), b.With}
	switch {
	case b.Record == nil:
		says = append(says, "error: "+b.Error)
	case b.Again:
		says = append(says, string(b.Record.Outcome), "(kept)")
	default:
		says = append(says, string(b.Record.Outcome))
	}
	line.ended(done, all, b, says...)
}

// subjects opens the images.
func subjects(ctx context.Context, paths []string, line *bootsProgress) ([]study.Subject, error) {
	if len(paths) == 0 {
		return []study.Subject{{}}, nil
	}
	var all []study.Subject
	for _, path := range paths {
		line.reading(path)
		img, err := openImage(ctx, path)
		if err == nil {
			err = img.Bootable()
		}
		if err != nil {
			return nil, err
		}
		all = append(all, study.Subject{Path: path, Image: img})
	}
	return all, nil
}
