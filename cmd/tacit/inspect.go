package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/source"
)

// inspectFlags is what the command line of tacit inspect can say.
type inspectFlags struct {
	require  string
	tags     choice
	json     bool
	evidence bool
	unpack   bool
	digest   bool
	jobs     int
	source   sourceFlags
}

func inspectCommand(status *exitStatus) *cobra.Command {
	f := inspectFlags{tags: choice{"", inspect.Clouds}}
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Tell from an image alone whether its kernels support unaccepted memory",
		Long: "Answers for each kernel in FILE, without running anything: can it be a TDX and an SEV-SNP guest, does it\n" +
			"accept memory itself, does it tell firmware so before it leaves boot services, and does it accept lazily.\n\n" +
			"FILE is a bzImage, a unified kernel image, an unpacked kernel (vmlinux), a .deb, .rpm or .ipk package, a raw\n" +
			"or qcow2 disk image with FAT and ext4 file systems, also compressed or in a tar archive, a container image, or\n" +
			"a directory or tar archive of a root file system; a pattern in quotes, or - for a list on standard input. On a disk it also tells which boot loader starts which\n" +
			"kernel, and whether that goes through the kernel's EFI stub, without which nothing tells firmware\n" +
			"that the kernel accepts memory.\n\n" +
			sourceHelp +
			"FILE may also be UEFI firmware for guests (OVMF): does it leave memory to the operating system, from which\n" +
			"address on, and does it ask whether that can accept it? Requirements then say what guests can do with it.\n\n" +
			"Answers are yes, no and unknown. They come from the kernel's code; names of files, version numbers and\n" +
			"texts decide nothing.\n\n" +
			requireHelp("the kernel", inspectStatuses),
		Example: "  tacit inspect disk.qcow2\n" +
			"  tacit inspect --require tdx,negotiate --json /boot/vmlinuz-*\n" +
			"  tacit inspect --tags gce disk.raw\n" +
			"  tacit inspect /usr/share/OVMF/OVMF_CODE_4M.fd",
		Args: func(cmd *cobra.Command, args []string) error {
			return errors.Join(atLeastOne("FILE")(cmd, args), f.check())
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			all := source.Expansion{List: cmd.InOrStdin()}
			files, err := all.Expand(files)
			if err != nil {
				return err
			}
			if len(files) == 0 {
				return errors.New("no files in the list on standard input")
			}
			result, err := f.inspect(cmd.Context(), files, cmd.OutOrStdout(), cmd.ErrOrStderr())
			*status = result
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.require, "require", "", "exit with 0 only if every kernel fulfils all of these `NAMES`, separated by commas")
	flags.BoolVar(&f.json, "json", false, "print a JSON object; docs/inspect.md describes it")
	flags.BoolVar(&f.digest, "digest", true, "with --json, read each file to its end for its SHA-256")
	flags.BoolVarP(&f.evidence, "evidence", "e", false, "print the evidence for and against each answer")
	flags.Var(&f.tags, "tags", "print how to tag the image on a cloud")
	flags.BoolVar(&f.unpack, "unpack", false, "unpack every kernel too, for its symbols and its own configuration (slower)")
	flags.IntVarP(&f.jobs, "jobs", "j", runtime.NumCPU(), "inspect so many files at the same time")
	f.source.add(flags)
	completeWith(cmd, "require", completeList(requirementNames()))
	return cmd
}

// inspectStatuses are the exit statuses of tacit inspect.
var inspectStatuses = []statusMeaning{
	{0, "every kernel meets what is required, if anything is"},
	{statusNo, "a kernel does not"},
	{statusUnknown, "none does not, but of one it could not be told, or something that may matter was not read"},
	{statusError, "a file could not be read, or has no kernel in it"},
	{statusUsage, "the command line is wrong"},
}

// check finds what is wrong with the flags.
func (f *inspectFlags) check() error {
	_, err := parseRequire(f.require)
	if f.jobs < 1 {
		err = errors.Join(err, fmt.Errorf("--jobs %d: it is at least 1", f.jobs))
	}
	return errors.Join(err, f.source.check())
}

// inspected is the result for one file.
type inspected struct {
	file   string
	sha256 string          // of the file; empty if it is none, or if it is not wanted
	report *inspect.Report // nil, or without kernels, if there is an error
	err    error
}

// inspect inspects all files and prints what it finds. The error says what failed beside what was printed.
func (f *inspectFlags) inspect(ctx context.Context, files []string, stdout, stderr io.Writer) (exitStatus, error) {
	required, err := parseRequire(f.require)
	if err != nil {
		return statusUsage, err
	}
	line := newProgressLine(stderr, len(files))
	results := f.inspectAll(ctx, files, line)
	line.done()
	return f.tell(ctx, results, required, stdout, stderr)
}

// tell prints the results, also those of an inspection that was interrupted.
func (f *inspectFlags) tell(
	ctx context.Context, results []inspected, required []inspect.Requirement, stdout, stderr io.Writer,
) (_ exitStatus, err error) {
	if f.json {
		err = printInspectJSON(stdout, results, required)
	} else {
		err = onPaper(stdout, func(w io.Writer) error { return f.print(w, printableResults(results), required) })
	}
	if ctx.Err() != nil {
		// What is known is printed, but there is no verdict on the whole.
		return 0, errors.Join(err, interrupted(results))
	}
	return judge(results, required), errors.Join(err, failure(results, stderr))
}

// interrupted says how far an inspection came.
func interrupted(results []inspected) error {
	read := 0
	for _, r := range results {
		if !errors.Is(r.err, context.Canceled) {
			read++
		}
	}
	return interruption(fmt.Sprintf("cancelled, with %d of %d files inspected", read, len(results)))
}

// failure is the error if files could not be inspected. Of several, each is told on a line of its own.
func failure(results []inspected, stderr io.Writer) error {
	var failed []error
	for _, r := range results {
		if r.err != nil {
			failed = append(failed, r.err)
		}
	}
	if len(failed) <= 1 {
		return errors.Join(failed...)
	}
	for _, err := range failed {
		complain(stderr, err)
	}
	return fmt.Errorf("no answer for %d of %d files", len(failed), len(results))
}

// inspectAll inspects as many files at a time as there are jobs. Results are in the order of files.
func (f *inspectFlags) inspectAll(ctx context.Context, files []string, line *progressLine) []inspected {
	results := make([]inspected, len(files))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(f.jobs, len(files)) {
		workers.Go(func() {
			for i := range next {
				results[i] = f.inspectFile(ctx, files[i], line.of(files[i]))
				line.finished()
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

func (f *inspectFlags) inspectFile(ctx context.Context, file string, progress func(read, size int64)) inspected {
	r := inspected{file: file}
	at, err := f.source.find(file)
	if r.err = err; err != nil {
		return r
	}
	if at.from != nil && progress != nil {
		at.from.Progress = func(_ string, read, size int64) { progress(read, size) }
	}
	here, err := at.here(ctx)
	if r.err = err; err != nil {
		return r
	}
	defer here.Close()
	r.report, err = inspect.File(ctx, here.Path, inspect.Options{Unpack: f.unpack, Digest: f.json, Progress: progress})
	r.err = at.called(here, elsewhere(file, err))
	if r.report != nil {
		r.report.Call(file)
	}
	if r.sha256 = here.SHA256; r.err == nil && f.json && f.digest && r.sha256 == "" {
		r.sha256, r.err = fileDigest(ctx, here.Path, progress)
	}
	return r
}

// judge is the exit status for kernels that could be inspected.
func judge(results []inspected, required []inspect.Requirement) exitStatus {
	var all []inspect.Verdict
	for _, r := range results {
		if r.err != nil {
			continue
		}
		for _, k := range r.report.Kernels {
			for _, q := range required {
				all = append(all, k.Meets(q))
			}
		}
		for _, f := range r.report.Firmware {
			for _, q := range required {
				all = append(all, f.Meets(q))
			}
		}
		if r.report.Incomplete != "" && len(required) > 0 { // there may be other kernels in it
			all = append(all, inspect.Unknown)
		}
	}
	switch {
	case slices.Contains(all, inspect.No):
		return statusNo
	case slices.Contains(all, inspect.Unknown):
		return statusUnknown
	}
	return 0
}
