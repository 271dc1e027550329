package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/certify/matrix"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
)

// ofMatrix are the flags of certify that go with --matrix: how boots are run and kept, not what is booted.
var ofMatrix = []string{"matrix", "update", "json", "jobs", "engine", "timeout", "max-host-memory", "keep", "store", "nats", "nats-creds", "nats-ca", "nats-cert", "nats-key"}

// checkMatrix says what cannot go with --matrix.
func (f *certifyFlags) checkMatrix(cmd *cobra.Command, args []string) (err error) {
	switch {
	case f.matrix == "":
		return errors.New("--update is for the table of --matrix")
	case len(args) > 0:
		return fmt.Errorf("--matrix %s says what is booted, and there is %s, too", f.matrix, args[0])
	}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if err == nil && !slices.Contains(ofMatrix, flag.Name) {
			err = fmt.Errorf("--matrix %s says what is booted: --%s is not for it", f.matrix, flag.Name)
		}
	})
	return err
}

// runMatrix boots what a file lists, and says what is not as its table expects.
func (f *certifyFlags) runMatrix(ctx context.Context, stdout, stderr io.Writer) (_ exitStatus, err error) {
	m, err := readMatrix(f.matrix)
	if err != nil {
		return 0, err
	}
	table := strings.TrimSuffix(f.matrix, filepath.Ext(f.matrix)) + ".expected.csv"
	if m.Expected != "" {
		table = filepath.Join(filepath.Dir(f.matrix), m.Expected)
	}
	expected, err := readExpected(table)
	if err != nil {
		return 0, err
	}
	out := outputs{stdout: stdout}
	defer out.discard()
	jsonFile, err := out.create(ctx, f.json)
	if err != nil {
		return 0, err
	}
	line := newBootsProgress(stderr)
	defer line.close()
	know, err := f.known(ctx, stderr)
	if err != nil {
		return 0, err
	}
	defer know.close()
	cfg := matrix.Config{
		Matrix: m, Workers: f.jobs, Engine: f.engine.word, MaxWall: f.timeout, MaxHostMemory: uint64(f.maxHostMemory),
		Progress: func(done, all int, c *matrix.Cell) {
			outcome := "error: " + c.Error
			if c.Shown != nil {
				outcome = cmp.Or(c.Shown.Attacked, c.Shown.Outcome)
			}
			line.ended(done, all, c, c.Name(), outcome)
		},
	}
	if boots := (certify.Config{}); know != nil {
		know.prepare(&boots)
		cfg.Runner, cfg.Workers = boots.Runner, cmp.Or(boots.Workers, f.jobs)
	}
	if cfg.Subjects, cfg.Names, err = f.matrixSubjects(ctx, m, line, know); err != nil {
		return 0, err
	}
	if err := cfg.Check(); err != nil {
		return 0, fmt.Errorf("--matrix %s: %w", f.matrix, err)
	}
	cells := matrix.Run(ctx, cfg)
	line.close()
	r := &matrix.Report{Schema: matrix.Schema, Tool: versionText(), Cells: cells, Changes: matrix.Compare(expected, cells)}
	status := exitStatus(0)
	switch {
	case len(r.Changes) > 0 && !f.update:
		status = statusNo
	case r.Unjudged() > 0:
		status = statusUnknown
	}
	if f.update && r.Unjudged() == 0 && ctx.Err() == nil {
		to, err := out.create(ctx, table)
		if err != nil {
			return 0, err
		}
		err = to.fill(func(w io.Writer) error { return matrix.Write(w, cells) })
		if err != nil {
			return 0, err
		}
	}
	if !toStdout(f.json) {
		err = onPaper(stdout, r.WriteText)
	} else {
		_, err = fmt.Fprintf(stderr, "tacit: %s\n", r.Summary())
	}
	switch {
	case f.update && r.Unjudged() > 0:
		fmt.Fprintf(stderr, "tacit: %s stays as it was: not all could be judged\n", record.Printable(table))
	case len(expected) == 0 && !f.update:
		fmt.Fprintf(stderr, "tacit: nothing is expected yet: --update writes %s\n", record.Printable(table))
	}
	return status, errors.Join(err, jsonFile.fill(r.WriteJSON), out.keep(), ctx.Err())
}

func readMatrix(path string) (*matrix.Matrix, error) {
	file, _, err := openRegular(path)
	if err != nil {
		return nil, fmt.Errorf("--matrix %s: %w", path, cause(err))
	}
	defer file.Close()
	m, err := matrix.Read(file, func(text string) (uint64, error) { n, err := parseSize(text); return uint64(n), err })
	if err != nil {
		return nil, fmt.Errorf("--matrix %s: %w", path, err)
	}
	return m, nil
}

// readExpected reads a table. One that is not there expects nothing.
func readExpected(path string) (map[matrix.Key]matrix.Shown, error) {
	file, _, err := openRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	defer file.Close()
	expected, err := matrix.Expect(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return expected, nil
}

// matrixSubjects opens the images of a matrix. Their names are those from its directory, so that a table is the same
// everywhere.
func (f *certifyFlags) matrixSubjects(ctx context.Context, m *matrix.Matrix, line *bootsProgress, know *knowledge) (subjects []certify.Subject, names []string, err error) {
	dir := filepath.Dir(f.matrix)
	for _, pattern := range m.Images {
		if pattern == matrix.OwnGuest {
			img, err := image.Parse(guest.DemoName, guest.Demo())
			if err != nil {
				return nil, nil, err
			}
			subjects, names = append(subjects, certify.Subject{Image: img}), append(names, matrix.OwnGuest)
			continue
		}
		found, err := filepath.Glob(absolute(dir, pattern))
		if err != nil {
			return nil, nil, fmt.Errorf("--matrix %s: images: %s: %w", f.matrix, pattern, err)
		}
		if len(found) == 0 {
			return nil, nil, fmt.Errorf("--matrix %s: images: no file is called %s in %s", f.matrix, pattern, dir)
		}
		for _, path := range found {
			name := path
			if short, err := filepath.Rel(dir, path); err == nil && !filepath.IsAbs(pattern) {
				name = filepath.ToSlash(short)
			}
			if slices.Contains(names, name) {
				continue // of two patterns
			}
			line.reading(name)
			s := f.subject(ctx, nil, path, line, know)
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			subjects, names = append(subjects, s), append(names, name)
		}
	}
	return subjects, names, nil
}

// absolute is a path that is from a directory, if it is not absolute.
func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
