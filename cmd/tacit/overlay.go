package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// An overlay is the file of --overlay: what the guest of the last boot has left, and that of this one will. Without a path it is
// nothing.
type overlay struct {
	before *vm.Kept // nil where there is no file yet
	out    outputs
	file   *output
	ctx    context.Context
}

// openOverlay reads the file, and finds out whether it can be written.
func openOverlay(ctx context.Context, path string) (*overlay, error) {
	o := &overlay{ctx: ctx}
	if path == "" {
		return o, nil
	}
	file, _, err := openRegular(path)
	if err == nil {
		o.before, err = vm.ReadKept(untilDone{ctx, file, nil})
		err = errors.Join(err, file.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--overlay %s: %w", path, err)
	}
	if o.file, err = o.out.create(ctx, path); err != nil {
		return nil, fmt.Errorf("--overlay: %w", err)
	}
	return o, nil
}

// write keeps what the machine leaves, whole or not at all. Where the run has ended otherwise than by power-off, the disks are
// kept as they are, as where power fails. Only a run that was told to end keeps nothing: it has no time to write a gigabyte.
func (o *overlay) write(m *vm.Machine, r *record.Record) error {
	if o.file == nil || r == nil || r.Outcome == record.Cancelled {
		return nil
	}
	if !o.unchanged() {
		return fmt.Errorf("--overlay %s: another run has written it meanwhile, and it is as that left it", o.file.path)
	}
	kept, err := m.Keep()
	if err == nil {
		err = o.file.fill(func(w io.Writer) error { return kept.Write(untilDone{o.ctx, nil, w}) })
	}
	if err != nil {
		return fmt.Errorf("--overlay: %w, and the file is as it was", err)
	}
	return o.out.keep()
}

// unchanged says whether the file is the one that the run has begun with, or still none. Of two runs with one overlay the later
// would undo what the guest of the earlier has kept.
func (o *overlay) unchanged() bool {
	now, err := os.Stat(o.file.path)
	if err != nil || o.file.earlier == nil {
		return errors.Is(err, fs.ErrNotExist) && o.file.earlier == nil
	}
	return os.SameFile(now, o.file.earlier) && now.ModTime().Equal(o.file.earlier.ModTime())
}

func (o *overlay) discard() { o.out.discard() }

// ofOneMachine is a flag that has been given and is about one machine.
func (f *bootFlags) ofOneMachine() string {
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"--save", f.save != ""}, {"--gdb", f.gdb != ""}, {"--trace", f.trace != ""}, {"--report", f.report != ""}, {"--events", f.events != ""},
		{"--trace-instructions", f.traces()}, {"--input-log", f.inputLog != ""}, {"--replay-input", f.replayInput != ""},
	} {
		if flag.given {
			return flag.name
		}
	}
	return ""
}
