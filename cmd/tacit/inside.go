package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/internal/inside"
	"github.com/tacit-vm/tacit/record"
)

// The commands that are for the inside of a Linux guest.

// statusCommand is tacit status.
func statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say what is unaccepted in the Linux guest that this runs in",
		Long: "status says what the kernel tells of unaccepted memory: in /proc/meminfo, vmstat and zoneinfo, in sysfs, and in\n" +
			"its log. It changes nothing. What an ordinary user may not read, it names. docs/inside.md says what is behind each line.",
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readStatus()
			if err != nil {
				return err
			}
			return onPaper(cmd.OutOrStdout(), func(w io.Writer) error { return writeStatus(w, s) })
		},
	}
}

func readStatus() (inside.Status, error) {
	log, err := inside.Log()
	return inside.Read(os.DirFS("/"), log, err)
}

func writeStatus(w io.Writer, s inside.Status) error {
	out := &errWriter{w: w}
	platform := map[string]string{inside.TDX: "TDX guest", inside.SNP: "SEV-SNP guest", inside.Other: "no TDX or SEV-SNP guest that the kernel tells of"}[s.Platform]
	out.printf("platform       %s; Linux %s\n", platform, record.Printable(s.Kernel))
	out.printf("memory         %s, of which %s are available\n", inMiB(s.Books.Total), inMiB(s.Books.Available))
	if !s.Support {
		out.printf("unaccepted     not known: %v\n", inside.ErrNoSupport)
	} else {
		out.printf("unaccepted     %s by meminfo (%.1f %% of the memory), %s by vmstat\n", inMiB(s.Books.Unaccepted),
			100*float64(s.Books.Unaccepted)/float64(s.Books.Total), inMiB(s.VMStat))
		for _, z := range s.Zones {
			out.printf("               %s in zone %s of node %d, where %s are free, these among them\n", inMiB(z.Unaccepted), z.Name, z.Node, inMiB(z.Free))
		}
	}
	if b := s.Blocks; b.Size != 0 {
		out.printf("memory blocks  %d of %s online, %d offline; sysfs does not tell what of them is unaccepted\n", b.Online, record.FormatBytes(b.Size), b.Offline)
	}
	if s.Table != 0 {
		out.printf("EFI table      at %#x; what is in it is not read: docs/inside.md\n", s.Table)
	}
	for _, why := range s.Unknown {
		out.printf("not known      %s\n", record.Printable(why))
	}
	return out.err
}

func inMiB(bytes uint64) string { return record.FormatCount(bytes>>20) + " MiB" }

// warmCommand is tacit warm.
func warmCommand() *cobra.Command {
	var until, rate, reserve size
	cmd := &cobra.Command{
		Use:   "warm",
		Short: "Have memory of the Linux guest that this runs in accepted now",
		Long: "warm takes memory until the kernel has accepted as much as is wanted, gives all back, and says what it cost. What is\n" +
			"accepted stays so, and the programs that need it later need not wait. It takes no more than leaves the reserve\n" +
			"available for others, and than limits of its control group allow; it ends within a second of SIGTERM or Control-C,\n" +
			"and whatever ends it, the memory is given back. docs/inside.md says why it is done so.\n\n" + sizeHelp +
			"Exit status: 0 if the goal is reached, 1 if not; without --until, the goal is as much as the reserve allows.",
		Example: "  tacit warm --rate 256M\n" +
			"  tacit warm --rate 1G --until 8G",
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("rate") && rate == 0 {
				return errors.New("--rate 0 would never end; without --rate it goes as fast as it can")
			}
			return noArguments(cmd, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			k, err := inside.NewKernel()
			if err != nil {
				return err
			}
			p := inside.Plan{Until: uint64(until), Rate: uint64(rate), Reserve: uint64(reserve)}
			if !cmd.Flags().Changed("reserve") {
				b, err := k.Books()
				if err != nil {
					return err
				}
				p.Reserve = max(b.Total/32, 128<<20)
			}
			return warm(cmd.Context(), cmd.OutOrStdout(), p, k, cmd.Flags().Changed("until"))
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&until, "until", "end when so much is left unaccepted (default as little as --reserve allows)")
	flags.Var(&rate, "rate", "have at most so much accepted a second (default as fast as it goes)")
	flags.Var(&reserve, "reserve", "leave so much available for others at any moment (default 1/32 of the memory, and 128M at least)")
	return cmd
}

// warm carries out a plan, and says what it did.
func warm(ctx context.Context, w io.Writer, p inside.Plan, k inside.Kernel, strict bool) error {
	began := time.Now()
	r, err := p.Run(ctx, k)
	took := time.Since(began)
	out := &errWriter{w: w}
	if r.After.Total != 0 {
		out.printf("accepted       %s in %.1f s", inMiB(r.Accepted()), took.Seconds())
		if took > 0 {
			out.printf(", %s a second", inMiB(uint64(float64(r.Accepted())/took.Seconds())))
		}
		out.printf("; unaccepted were %s, are %s\n", inMiB(r.Before.Unaccepted), inMiB(r.After.Unaccepted))
		out.printf("held           %s at most, all given back; available were %s, are %s\n", inMiB(r.Held), inMiB(r.Before.Available), inMiB(r.After.Available))
		if system, e := inside.SystemTime(); e == nil {
			out.printf("cost           %.2f s of the kernel's time\n", system.Seconds())
		}
		out.printf("ended          %s\n", r.End)
	}
	switch {
	case err != nil:
		return err
	case out.err != nil:
		return out.err
	case r.End == inside.ToldTo:
		return ctx.Err()
	case r.End == inside.Reached, r.End == inside.AtReserve && !strict:
		return nil
	default:
		return fmt.Errorf("the goal is not reached: %s", r.End)
	}
}

// exportCommand is tacit export.
func exportCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write what is unaccepted in the Linux guest that this runs in, for Prometheus",
		Long: "export writes what status says as metrics in Prometheus's text format, once. A file in the directory of\n" +
			"node_exporter's textfile collector (its name ends in .prom) is what Prometheus finds there; a timer of systemd keeps it\n" +
			"new, and docs/inside.md has one.\n\n" + outputHelp,
		Example: "  tacit export\n" +
			"  tacit export -o /var/lib/prometheus/node-exporter/tacit.prom",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := noArguments(cmd, args); err != nil {
				return err
			}
			return (&files{out: []named{{"-o", output, textFile}}, std: streamsOf(cmd)}).check()
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := outputs{stdout: cmd.OutOrStdout()}
			defer out.discard()
			to, err := out.create(cmd.Context(), output)
			if err != nil {
				return err
			}
			s, err := readStatus()
			if err != nil {
				return err
			}
			if err := to.fill(s.WriteMetrics); err != nil {
				return err
			}
			return out.keep()
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "-", "write to `FILE`; - is standard output")
	return cmd
}
