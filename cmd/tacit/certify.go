package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// statusFailed is the exit status of a certification in which something disagrees or did not come to an end.
const statusFailed = 3

type certifyFlags struct {
	platforms, policies, memory []string
	sizes                       []uint64 // what memory says, in bytes
	append                      string
	jobs                        int
	timeout                     time.Duration
	json, junit                 string
	claims                      bool
}

// certifyCommand is tacit certify.
func certifyCommand(claims claimer, status *exitStatus) *cobra.Command {
	f := certifyFlags{platforms: vm.ConfidentialPlatforms(), policies: vm.FirmwarePolicies}
	cmd := &cobra.Command{
		Use:   "certify IMAGE…",
		Short: "Prove by booting what images do with unaccepted memory",
		Long: "certify boots each IMAGE (a kernel package, a bzImage, an EFI application) on every platform, under every firmware\n" +
			"policy and with every amount of memory that is asked for, several at once, and prints one table and one verdict line\n" +
			"an image. What inspect reads out of the file is held against the boots: where they disagree, certify says so and fails.\n\n" +
			"Exit status: 0 when every boot came to an end and nothing disagrees, 3 when not, 1 and 2 as for boot.",
		Example: "  tacit certify linux-image-6.12.107+deb13-cloud-amd64.deb\n" +
			"  tacit certify --platform tdx --policy negotiate,lazy --memory 4G,16G --junit report.xml bzImage",
		Args: func(cmd *cobra.Command, args []string) error {
			return cmp.Or(atLeastOne("IMAGE")(cmd, args), f.check(), f.files(args, streamsOf(cmd)).check())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ok, err := f.run(cmd.Context(), claims, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err == nil && !ok {
				*status = statusFailed
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&choices{chosen: &f.platforms, allowed: vm.PlatformNames()}, "platform", "platforms")
	flags.Var(&choices{chosen: &f.policies, allowed: vm.FirmwarePolicies}, "policy", "firmware policies")
	flags.StringSliceVar(&f.memory, "memory", []string{"4G"}, "amounts of memory")
	flags.StringVar(&f.append, "append", "", "add `WORDS` to the kernels' command lines")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "boots at a time; 0 is one a processor")
	flags.DurationVar(&f.timeout, "timeout", 0, "end a boot after so much time on the host; 0 is never")
	flags.BoolVar(&f.claims, "inspect", true, "hold what inspect says of the file against the boots")
	flags.StringVar(&f.json, "json", "", "write the certificate, with the record of every boot, to `FILE`; - is standard output instead of the table")
	flags.StringVar(&f.junit, "junit", "", "write JUnit XML to `FILE`")
	return cmd
}

func (f *certifyFlags) run(ctx context.Context, claims claimer, paths []string, stdout, stderr io.Writer) (ok bool, err error) {
	cfg := certify.Config{
		Platforms: f.platforms, Policies: f.policies, Memory: f.sizes, Append: f.append, Workers: f.jobs, MaxWall: f.timeout,
		Progress: func(done, all int, b *certify.Boot) {
			outcome := "error: " + b.Error
			if b.Record != nil {
				outcome = string(b.Record.Outcome)
			}
			fmt.Fprintf(stderr, "tacit: %d of %d  %s  %s  %s  %s  %s\n",
				done, all, b.Image, b.Platform, b.Policy, record.FormatBytes(b.Memory), outcome)
		},
	}
	for _, path := range paths {
		img, err := openImage(ctx, path)
		if err != nil {
			return false, err
		}
		s := certify.Subject{Image: img}
		if f.claims && claims != nil {
			if s.Claims, err = claims(ctx, path, img); err != nil {
				return false, err
			}
		}
		cfg.Subjects = append(cfg.Subjects, s)
	}
	out := outputs{stdout: stdout}
	defer out.discard()
	jsonFile, err := out.create(ctx, f.json)
	if err != nil {
		return false, err
	}
	junitFile, err := out.create(ctx, f.junit)
	if err != nil {
		return false, err
	}

	c, err := certify.Run(ctx, cfg)
	if err != nil {
		return false, err
	}
	if !toStdout(f.json) {
		err = onPaper(stdout, c.WriteTable)
	}
	return c.OK(), errors.Join(err, jsonFile.fill(c.WriteJSON), junitFile.fill(c.WriteJUnit), out.keep(), ctx.Err())
}

// files are what the command line names.
func (f *certifyFlags) files(args []string, std streams) files {
	return files{in: images(args), out: []named{{"--json", f.json, textFile}, {"--junit", f.junit, textFile}}, std: std}
}

// check reads what the flags say before anything takes time.
func (f *certifyFlags) check() error {
	if f.timeout < 0 || f.jobs < 0 {
		return errors.New("--timeout and --jobs cannot be negative")
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
	for _, platform := range f.platforms {
		for _, policy := range f.policies {
			for _, memory := range f.sizes {
				if err := (vm.Config{Platform: platform, FirmwarePolicy: policy, Memory: memory}).Check(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
