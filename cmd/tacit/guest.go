package main

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/guest/check"
	"github.com/tacit-vm/tacit/guest/efi"
	"github.com/tacit-vm/tacit/internal/bootdisk"
)

// guestCommand is tacit guest and its subcommands.
func guestCommand(status *exitStatus) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "guest",
		Short: "Run any Go program as a confidential guest's whole software",
		Long: "guest makes an EFI application of an ordinary Go program for linux/amd64 and of a kernel in Go that accepts memory\n" +
			"when the program needs it. The program is not changed: what go build or go test -c makes without cgo is what runs,\n" +
			"at privilege level 3. docs/guest.md says what it finds there, and what not.",
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(guestBuildCommand(), guestRunCommand(status), guestTestCommand(status))
	return cmd
}

// programFlags is what can be said of a guest's program, however it is started.
type programFlags struct {
	files       []string
	environment []string
	here        bool
	input       bool
	outgoing    []outgoing
}

const programHelp = "PROGRAM is an executable for linux/amd64 without cgo, or a package, as the go command takes one, which is built.\n" +
	"Its file system is in memory: what --files has put there, /tmp and /dev. Its environment is what --env says.\n\n"

func (f *programFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.files, "files", nil, "put `DIR[=AT]` and all that is in it into the guest's file system, at AT or at the root; again for others")
	flags.StringArrayVar(&f.environment, "env", nil, "give the program the variable `NAME=VALUE`; again for others")
}

// program is the guest's program from a path or package, with its arguments.
func (f *programFlags) program(ctx context.Context, name string, arguments []string) (p efi.Program, err error) {
	if p.Executable, err = executable(ctx, name); err != nil {
		return p, err
	}
	p.Arguments = append([]string{strings.TrimSuffix(filepath.Base(name), ".exe")}, arguments...)
	for _, v := range f.environment {
		if i := strings.IndexByte(v, '='); i <= 0 {
			return p, fmt.Errorf("--env %s: want NAME=VALUE", v)
		}
		p.Environment = append(p.Environment, v)
	}
	// Of two variables of one name the Go runtime takes the first.
	p.Environment = append(p.Environment, "HOME=/", "PATH=/bin", "TMPDIR=/tmp", "USER=root")
	p.Input = f.input
	var files efi.Archive
	for _, f := range f.files {
		from, at, ok := strings.Cut(f, "=")
		if !ok {
			at = "/"
		}
		if !strings.HasPrefix(at, "/") {
			return p, fmt.Errorf("--files %s: %s is not an absolute name", f, at)
		}
		if err := files.AddTree(from, filepath.Clean(at)); err != nil {
			return p, fmt.Errorf("--files %s: %w", f, err)
		}
	}
	if f.here {
		if p.Directory, err = addHere(&files); err != nil {
			return p, err
		}
		// go test -cover has made a directory for what it does not need: the test itself says how much is covered.
		for _, a := range arguments {
			if dir, ok := strings.CutPrefix(a, "-test.gocoverdir="); ok && filepath.IsAbs(dir) {
				if err := files.AddDirectory(filepath.ToSlash(dir)); err != nil {
					return p, err
				}
			}
		}
	}
	for _, o := range f.outgoing {
		p.Outgoing = append(p.Outgoing, o.name)
		within := path.Dir(o.name)
		if o.directory {
			within = o.name
		}
		if err := files.AddDirectory(within); err != nil {
			return p, err
		}
	}
	p.Files, err = files.Bytes()
	return p, err
}

// addHere adds the files of the working directory, and of its testdata, where they are here: what go test promises a test.
func addHere(files *efi.Archive) (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	at := filepath.ToSlash(here)
	if err := files.AddFiles(here, at); err != nil {
		return "", err
	}
	if info, err := os.Stat("testdata"); err == nil && info.IsDir() {
		return at, files.AddTree(filepath.Join(here, "testdata"), at+"/testdata")
	}
	return at, nil
}

// maxProgram bounds an executable, in bytes: as much as firmware loads.
const maxProgram = 1 << 30

// executable reads a file, or builds a package.
func executable(ctx context.Context, name string) ([]byte, error) {
	if info, err := os.Stat(name); err == nil && !info.IsDir() && !strings.HasSuffix(name, ".go") { // else a package
		b, err := readRegular(name, maxProgram)
		if err == nil && !bytes.HasPrefix(b, []byte(elf.ELFMAG)) {
			err = fmt.Errorf("%s: not an executable for Linux; it takes what GOOS=linux GOARCH=amd64 CGO_ENABLED=0 go build makes, or a package", name)
		}
		return b, err
	}
	dir, err := os.MkdirTemp("", "tacit-guest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "program")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", out, name)
	cmd.Env = append(os.Environ(), guestEnvironment...)
	if text, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("%s: the go command, which builds it, is not there", name)
		}
		return nil, fmt.Errorf("go build %s: %s", name, strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "; "))
	}
	b, err := os.ReadFile(out)
	if err == nil && !bytes.HasPrefix(b, []byte(elf.ELFMAG)) {
		err = fmt.Errorf("%s is not a program: its package is not main", name)
	}
	return b, err
}

// guestEnvironment is what the go command needs to build for a guest, whose processor need announce no more than the
// first level.
var guestEnvironment = []string{"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=0"}

// checkCalls says which system calls a program comes to that are not served, and on which way.
func checkCalls(name string, executable []byte) error {
	calls, err := check.Unserved(executable)
	if err != nil {
		return fmt.Errorf("%s: its system calls cannot be checked: %w; --unserved builds it all the same", name, err)
	}
	calls = slices.DeleteFunc(calls, func(c check.Call) bool { return c.Path == nil })
	if len(calls) == 0 {
		return nil
	}
	more := ""
	if n := len(calls) - 1; n > 0 {
		more = fmt.Sprintf("; and %d more", n)
	}
	return fmt.Errorf("%s: no system call %v%s: the guest would end there; --unserved builds it all the same", name, calls[0], more)
}

// isDiskName tells whether a file of that name is to be a disk.
func isDiskName(name string) bool {
	extension := strings.ToLower(filepath.Ext(name))
	return extension == ".img" || extension == ".raw"
}

// guestBuildCommand is tacit guest build.
func guestBuildCommand() *cobra.Command {
	var f programFlags
	var output string
	var unserved bool
	cmd := &cobra.Command{
		Use:   "build -o FILE PROGRAM [ARGUMENT…]",
		Short: "Make an EFI application of a Go program, or a disk with it",
		Long: "Makes an EFI application of PROGRAM, which tacit boot runs, as does firmware that finds it on a disk; and where FILE\n" +
			"ends in .img or .raw such a disk, with the application as /" + bootdisk.Path + " on an EFI system partition. The\n" +
			"same executable, files and flags give the same bytes.\n\n" +
			"A program that would end at a system call which the guest's kernel does not serve is not built: its code is read for\n" +
			"calls, and for the way to them from its main package by direct calls. Other ways show when it runs.\n\n" + programHelp +
			"ARGUMENTs are the program's, unless the load options have words, which then are: tacit boot --append WORDS. Where\n" +
			"one of those words is --, the ones before it are variables of the environment.\n\n" + outputHelp,
		Example: "  tacit guest build -o x.efi ./cmd/x\n" +
			"  tacit guest build -o x.img ./cmd/x && tacit boot x.img\n" +
			"  tacit guest build -o x.efi --files testdata=/data --env GOMAXPROCS=1 ./cmd/x -v",
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return errors.New("a PROGRAM is missing: an executable, or a package such as ./cmd/x")
			case output == "":
				return errors.New("-o is missing: the FILE that the EFI application, or a disk with it, is written to")
			}
			kind := efiFile
			if isDiskName(output) {
				kind = diskFile
			}
			return (&files{in: []named{{by: "PROGRAM", path: args[0]}}, out: []named{{"-o", output, kind}}, std: streamsOf(cmd)}).check()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			out := outputs{stdout: cmd.OutOrStdout()}
			defer out.discard()
			to, err := out.create(cmd.Context(), output)
			if err != nil {
				return err
			}
			p, err := f.program(cmd.Context(), args[0], args[1:])
			if err != nil {
				return err
			}
			if !unserved {
				if err := checkCalls(args[0], p.Executable); err != nil {
					return err
				}
			}
			image, err := efi.Pack(guest.Monitor(), p)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if isDiskName(output) {
				err = bootdisk.Write(to, map[string][]byte{bootdisk.Path: image})
			} else {
				_, err = to.Write(image)
			}
			if err != nil {
				return err
			}
			return out.keep()
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write the EFI application to `FILE`, or a disk with it where that ends in .img or .raw")
	f.register(cmd)
	cmd.Flags().BoolVar(&unserved, "unserved", false, "build a program, too, whose main package leads to system calls that no one serves in a guest, which would end there")
	cmd.Flags().BoolVar(&f.input, "stdin", false, "standard input is the first serial port; without it, input is at its end")
	cmd.Flags().SetInterspersed(false)
	return cmd
}
