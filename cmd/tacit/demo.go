package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/compare/demo"
	"github.com/tacit-vm/tacit/vm"
)

// statusFailed is the exit status of a demonstration in which a guest does not do what is said of it.
const statusFailed exitStatus = 3

// demoFlags is what the command line of tacit demo can say.
type demoFlags struct {
	platform choice
	memory   size
	seed     uint64
	html     string
}

// demoCommand is tacit demo.
func demoCommand(status *exitStatus) *cobra.Command {
	f := demoFlags{
		// None is known here, so that the answer to it can be better than that there is no such platform.
		platform: choice{vm.TDX, vm.PlatformNames()},
		memory:   demo.DefaultMemory,
	}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show what unaccepted memory is: five small guests side by side",
		Long: "demo runs tacit's own guest five times and shows side by side how memory is accepted: by a guest that accepts it when\n" +
			"it needs it, by one that accepts all at once, for one that has never heard of unaccepted memory, and not at all for\n" +
			"the same one under firmware that does not ask, which loses it. A fifth guest touches memory too early, and is caught.\n" +
			"It needs nothing but this program, and takes seconds.\n\n" +
			"On a terminal the bars grow while the guests run, slowed down so that one can watch, and in colour unless NO_COLOR\n" +
			"is set. Elsewhere, and where TERM is dumb, every guest gets its line when it has ended. The same flags give the same\n" +
			"text and the same page on every host. Platforms have cost models of their own, whose times do not compare with each\n" +
			"other; so one demonstration shows one platform.\n\n" +
			sizeHelp +
			"Exit status: 0 when everything came out as it should, the fifth guest's violation included, 3 when not, 1 when\n" +
			"tacit could not do it, 2 when the command line is wrong, 130 when it was interrupted.",
		Example: "  tacit demo\n" +
			"  tacit demo --platform snp --memory 64G\n" +
			"  tacit demo --html demo.html",
		Args: func(cmd *cobra.Command, args []string) error {
			d := f.demonstration()
			all := files{out: []named{{"--html", f.html, textFile}}, std: streamsOf(cmd)}
			return cmp.Or(noArguments(cmd, args), d.Check(), all.check())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			otherwise, err := f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err == nil && otherwise != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "tacit: not as it should be: %v\n", otherwise)
				*status = statusFailed
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&f.platform, "platform", "what the guests run on: Intel TDX machines or AMD SEV-SNP ones; none has nothing to show")
	flags.Var(&f.memory, "memory", "memory of each guest, 512M or more")
	flags.Uint64Var(&f.seed, "seed", 0, "where all randomness in the machines comes from")
	flags.StringVar(&f.html, "html", "", "write all of it as a page, too, to `FILE`, complete or not at all; - is standard output, and the text goes to standard error")
	return cmd
}

func (f *demoFlags) demonstration() demo.Demonstration {
	return demo.Demonstration{Platform: f.platform.word, Memory: uint64(f.memory), Seed: f.seed}
}

// run shows the demonstration, and says what came out otherwise than it should. Then there is no page.
func (f *demoFlags) run(ctx context.Context, stdout, stderr io.Writer) (otherwise, err error) {
	text := stdout
	if toStdout(f.html) {
		text = stderr
	}
	files := outputs{stdout: stdout}
	defer files.discard()
	page, err := files.create(ctx, f.html)
	if err != nil {
		return nil, err
	}

	d := f.demonstration()
	out := &errWriter{w: text}
	screen := displayOf(text)
	paint := paintFor(screen)
	if err := d.WriteIntroduction(out, paint); err != nil {
		return nil, err
	}
	if d.Results, err = runDemo(ctx, &d, out, screen, paint); err != nil {
		return nil, err
	}
	if err := cmp.Or(d.WriteResults(out, paint), out.err); err != nil {
		return nil, err
	}
	if otherwise = d.Otherwise(); otherwise != nil || page == nil {
		return otherwise, nil
	}
	return nil, errors.Join(page.fill(d.WritePage), files.keep())
}

// demoWorkers is how many guests run at a time. More would need more of the host's memory.
const demoWorkers = 2

// runDemo runs the guests, and writes a line about each.
func runDemo(
	ctx context.Context, d *demo.Demonstration, out io.Writer, screen *display, paint demo.Paint,
) ([]*demo.Result, error) {
	guests := d.Guests()
	if screen.moves() {
		return newRace(guests, out, paint, d.Memory).run(ctx)
	}
	return demo.Run(ctx, guests, demo.Options{Workers: demoWorkers, Ended: func(i int, ran *demo.Result) {
		s := ran.Status()
		fmt.Fprintln(out, s.Line(i, &guests[i], paint))
	}})
}
