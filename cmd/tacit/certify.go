package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/catalogue/page"
	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/internal/source"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

type certifyFlags struct {
	platforms, policies, memory []string
	sizes                       []uint64 // what memory says, in bytes
	append                      string
	cost                        []string
	costs                       []cost.Model // what cost names
	jobs                        int
	engine                      choice
	timeout                     time.Duration
	maxVirtual                  virtualLimit
	maxHostMemory               size
	json, junit, sarif          string
	html, markdown              string
	matrix                      string
	update                      bool
	claims, own, keep           bool
	store                       storeFlags
	source                      sourceFlags
	require                     string
	required                    []inspect.Requirement // what require says
}

// certifyCommand is tacit certify.
func certifyCommand(claims claimer, status *exitStatus) *cobra.Command {
	f := certifyFlags{platforms: vm.ConfidentialPlatforms(), policies: vm.FirmwarePolicies}
	cmd := &cobra.Command{
		Use:   "certify IMAGE…",
		Short: "Prove by booting what images do with unaccepted memory",
		Long: "certify boots each IMAGE (a kernel package, a bzImage, an EFI application, a disk image) on every platform, under every\n" +
			"firmware policy and with every amount of memory that is asked for, several at once, and prints one table and one\n" +
			"verdict line an image. What inspect reads out of the file is held against the boots: where they disagree, certify says\n" +
			"so and fails. A disk boots by its own loader, until its console shows a login prompt or that systemd has started all.\n\n" +
			"An image that cannot be read or booted is a row of the table, too.\n\n" +
			"Several images are a pattern in quotes, a directory, or - for a list on standard input, a line each.\n" + sourceHelp +
			"With --require, an image passes if every boot that has to do with a requirement shows it, and fails if one does\n" +
			"not. Without, an image passes whatever becomes of its memory.\n\n" +
			"What boots show is kept, by the digest of the image, the configuration and the version of tacit: a second run boots\n" +
			"only what is new, and one that was interrupted goes on where it was. tacit results shows what is known. With --nats,\n" +
			"tacit worker on other machines runs the boots.\n\n" +
			"With --matrix, a file says what is booted, and a table beside it what is expected: what changed is the answer.\n\n" +
			requireHelp("the image", certifyStatuses),
		Example: "  tacit certify linux-image-6.12.107+deb13-cloud-amd64.deb\n" +
			"  tacit certify --require tdx,negotiate --platform tdx --policy negotiate bzImage\n" +
			"  tacit certify --platform tdx --policy negotiate,lazy --memory 4G,16G --junit report.xml bzImage",
		Args: func(cmd *cobra.Command, args []string) error {
			if f.matrix != "" || f.update {
				return cmp.Or(f.checkMatrix(cmd, args), f.check(), f.files(args, streamsOf(cmd)).check())
			}
			if f.own && len(args) == 0 {
				return cmp.Or(f.check(), f.source.check(), f.files(args, streamsOf(cmd)).check())
			}
			return cmp.Or(atLeastOne("IMAGE")(cmd, args), f.check(), f.source.check(), f.files(args, streamsOf(cmd)).check())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.matrix != "" {
				result, err := f.runMatrix(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
				*status = result
				return err
			}
			all := source.Expansion{List: cmd.InOrStdin(), Directories: true, Passed: func(path string) {
				fmt.Fprintf(cmd.ErrOrStderr(), "tacit: %s: no image, and passed over\n", record.Printable(path))
			}}
			images, err := all.Expand(args)
			if err == nil && len(images) == 0 && !f.own {
				err = errors.New("no images in what was named")
			}
			if err = cmp.Or(err, f.files(images, streamsOf(cmd)).check()); err != nil {
				return err
			}
			result, err := f.run(cmd.Context(), claims, images, cmd.OutOrStdout(), cmd.ErrOrStderr())
			*status = result
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.require, "require", "", "exit with 0 only if every image shows all of these `NAMES`, separated by commas")
	flags.Var(&choices{chosen: &f.platforms, allowed: vm.PlatformNames()}, "platform", "platforms")
	flags.Var(&choices{chosen: &f.policies, allowed: vm.FirmwarePolicies}, "policy", "firmware policies")
	flags.StringSliceVar(&f.memory, "memory", []string{"4G"}, "amounts of memory")
	flags.StringVar(&f.append, "append", "", "add `WORDS` to the kernels' command lines")
	flags.StringSliceVar(&f.cost, "cost", nil, "charge by `MODELS`, one a platform: names or files (tacit cost --help; default: tacit's own)")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "boots at a time; 0 is one a processor")
	engineFlag(flags, &f.engine)
	flags.Var(&f.maxVirtual, "max-virtual-time", "end a boot after so much virtual time; 0 is never")
	flags.DurationVar(&f.timeout, "timeout", 0, "end a boot after so much time on the host; 0 is never")
	flags.Var(&f.maxHostMemory, "max-host-memory", "what all boots at a time may take of the host's memory (default: most of what is available)")
	flags.BoolVar(&f.claims, "inspect", true, "hold what inspect says of the file against the boots")
	flags.BoolVar(&f.keep, "keep", true, "keep results, and run no boot again that is known; a build from a tree with changes does not")
	f.store.add(flags)
	f.source.add(flags)
	flags.BoolVar(&f.own, "own-guest", false, "certify tacit's own guest, before what is named")
	flags.StringVar(&f.json, "json", "", "write the certificate, with the record of every boot, to `FILE`; - is standard output instead of the table")
	flags.StringVar(&f.junit, "junit", "", "write JUnit XML to `FILE`; - is standard output instead of the table")
	flags.StringVar(&f.sarif, "sarif", "", "write what is wrong with images as SARIF, for code-scanning views, to `FILE`; - is standard output instead of the table")
	flags.StringVar(&f.html, "html", "", "write a page to `FILE`, which needs nothing else: verdicts, what they were earlier, boots; - is standard output instead of the table")
	flags.StringVar(&f.markdown, "markdown", "", "write the same as Markdown, without the boots, to `FILE`; - is standard output instead of the table")
	flags.StringVar(&f.matrix, "matrix", "", "boot every combination that `FILE` lists, and say what is not as its table expects; docs/certify.md describes it")
	flags.BoolVar(&f.update, "update", false, "with --matrix, write the table that is expected from now on")
	completeWith(cmd, "cost", completeModel)
	completeWith(cmd, "require", completeList(requirementNames()))
	return cmd
}

// certifyStatuses are the exit statuses of tacit certify.
var certifyStatuses = []statusMeaning{
	{0, "every image passes"},
	{statusNo, "an image does not show what is required, or inspect and the boots disagree; with --matrix, something changed"},
	{statusUnknown, "none of that, but an image could not be judged: it could not be read or booted, or a boot proves nothing"},
	{statusError, "tacit could not write what was asked for"},
	{statusUsage, "the command line is wrong, or no boot could show what is required"},
}

func (f *certifyFlags) run(ctx context.Context, claims claimer, paths []string, stdout, stderr io.Writer) (_ exitStatus, err error) {
	out := outputs{stdout: stdout}
	defer out.discard()
	files, err := out.createAll(ctx, f.json, f.junit, f.sarif, f.html, f.markdown)
	if err != nil {
		return 0, err
	}

	line := newBootsProgress(stderr)
	defer line.close()
	cfg := f.config()
	cfg.Progress = func(done, all int, b *certify.Boot) { certifyEnded(line, done, all, b) }
	if line.watched() {
		cfg.Watch = func(b *certify.Boot, reached record.Phase, at record.Progress) {
			line.watch(b, bootName{b.Image, b.Platform + "/" + b.Policy}, reached, at)
		}
	}
	know, err := f.known(ctx, stderr)
	if err != nil {
		return 0, err
	}
	defer know.close()
	know.prepare(&cfg)
	if cfg.Subjects, err = f.subjects(ctx, claims, paths, line, know); err != nil {
		return 0, err
	}
	c, err := certify.Run(ctx, cfg)
	if err != nil {
		return 0, err
	}
	line.close()
	c.Tool = versionText()
	if err := know.note(ctx, c, f.words()); err != nil {
		return 0, err
	}
	var p *page.Page
	if f.html != "" || f.markdown != "" {
		if p, err = know.page(ctx, c, f.words()); err != nil {
			return 0, err
		}
	}
	if !slices.ContainsFunc([]string{f.json, f.junit, f.sarif, f.html, f.markdown}, toStdout) {
		err = onPaper(stdout, c.WriteTable)
	} else {
		_, err = fmt.Fprintf(stderr, "tacit: %s\n", c.Summary())
	}
	status := exitStatus(0)
	switch {
	case c.Count(certify.Failed) > 0:
		status = statusNo
	case c.Count(certify.Unjudged) > 0:
		status = statusUnknown
	}
	return status, errors.Join(err, files[0].fill(c.WriteJSON), files[1].fill(c.WriteJUnit), files[2].fill(c.WriteSARIF),
		files[3].fill(p.WriteHTML), files[4].fill(p.WriteMarkdown), out.keep(), ctx.Err())
}

func certifyEnded(line *bootsProgress, done, all int, b *certify.Boot) {
	outcome := "error: " + b.Error
	if b.Record != nil {
		outcome = string(b.Record.Outcome)
	}
	line.ended(done, all, b, b.Image, b.Platform, b.Policy, record.FormatBytes(b.Memory), outcome)
}

func (f *certifyFlags) config() certify.Config {
	return certify.Config{
		Platforms: f.platforms, Policies: f.policies, Memory: f.sizes, Require: f.required,
		Costs: f.costs, Append: f.append, Workers: f.jobs, Engine: f.engine.word, MaxWall: f.timeout,
		MaxVirtual: f.maxVirtual.config(), MaxHostMemory: uint64(f.maxHostMemory),
	}
}

// subjects opens the images. One that cannot be read is a subject, too: its error ends nothing.
func (f *certifyFlags) subjects(ctx context.Context, claims claimer, paths []string, line *bootsProgress, know *knowledge) ([]certify.Subject, error) {
	var all []certify.Subject
	if f.own {
		img, err := image.Parse(guest.DemoName, guest.Demo())
		if err != nil {
			return nil, err
		}
		all = append(all, certify.Subject{Image: img})
	}
	for _, path := range paths {
		line.reading(path)
		s := f.subject(ctx, claims, path, line, know)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// subject opens one image, or takes what is known of its file.
func (f *certifyFlags) subject(ctx context.Context, claims claimer, name string, line *bootsProgress, know *knowledge) certify.Subject {
	s := certify.Subject{Path: name}
	at, err := f.source.find(name)
	if s.Err = err; err != nil {
		return s
	}
	if at.from != nil {
		at.from.Progress = line.fetching
	} else if s.Err = image.RuledOut(name); s.Err != nil {
		return s // before all of it is read for its digest
	}
	// A disk has a command line of its own, and a matrix is about kernels.
	as := reading{claims: f.claims && claims != nil, kernel: f.append != "" || f.matrix != ""}
	if at, s.SHA256, err = at.digest(ctx); err != nil && at.from != nil {
		s.Err = err
		return s
	}
	if at.ref.Travels() {
		s.Reference = at.ref.String()
	}
	if err == nil && know.find(ctx, &s, at, as) {
		return s
	}
	here, fetchErr := at.here(ctx)
	if s.Err = fetchErr; fetchErr != nil {
		return s
	}
	defer here.Close()
	s.Err = f.look(ctx, &s, at, here, as)
	if s.Err == nil {
		s.Err = err
	}
	if s.Err == nil && as.claims {
		s.Claims, s.Err = claims(ctx, here.Path, s.Image)
	}
	if s.Err = at.called(here, s.Err); s.Err == nil {
		s.Err = know.read(ctx, &s, as)
	}
	return s
}

// look finds out whether it is a disk, which is not left open, or what firmware loads, which is read.
func (f *certifyFlags) look(ctx context.Context, s *certify.Subject, at found, here *source.File, as reading) (err error) {
	switch d, err := as.open()(ctx, here.Path); {
	case errors.Is(err, image.ErrNoDisk), errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		digest := d.SHA256
		if digest == "" {
			digest = s.SHA256
		}
		s.Disk = at.certified(at.base(), digest, as.open())
		return d.Close()
	}
	s.Image, err = openImage(ctx, here.Path)
	return err
}

// files are what the command line names.
func (f *certifyFlags) files(args []string, std streams) files {
	in := images(args)
	if f.matrix != "" {
		in = append(in, named{by: "--matrix", path: f.matrix})
	}
	for _, name := range f.cost {
		in = append(in, named{by: "--cost", path: name})
	}
	in = append(in, f.store.files()...)
	return files{in: in, out: []named{{"--json", f.json, textFile}, {"--junit", f.junit, textFile}, {"--sarif", f.sarif, textFile},
		{"--html", f.html, textFile}, {"--markdown", f.markdown, textFile}}, std: std}
}

// check reads what the flags say before anything takes time.
func (f *certifyFlags) check() error {
	if f.timeout < 0 || f.jobs < 0 {
		return errors.New("--timeout and --jobs cannot be negative")
	}
	if err := f.checkStore(); err != nil {
		return err
	}
	f.sizes = nil
	for _, text := range f.memory {
		n, err := parseSize(text)
		if err != nil {
			return fmt.Errorf("--memory: %w", err)
		}
		if n == 0 {
			return errors.New("--memory is 0")
		}
		f.sizes = append(f.sizes, uint64(n))
	}
	var err error
	if f.required, err = parseRequire(f.require); err != nil {
		return err
	}
	f.costs = nil
	for _, name := range f.cost {
		m, err := modelOf(name)
		if err != nil {
			return fmt.Errorf("--cost: %w", err)
		}
		f.costs = append(f.costs, m)
	}
	for _, platform := range f.platforms {
		for _, policy := range f.policies {
			for _, memory := range f.sizes {
				if err := (vm.Config{Platform: platform, FirmwarePolicy: policy, Memory: memory, Engine: f.engine.word}).Check(); err != nil {
					return err
				}
			}
		}
	}
	cfg := f.config()
	return cfg.Check()
}
