package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
)

// guestTestCommand is tacit guest test.
func guestTestCommand(status *exitStatus) *cobra.Command {
	f := struct {
		programFlags
		machineFlags
	}{machineFlags: newMachineFlags()}
	cmd := &cobra.Command{
		Use:   "test [PACKAGE…] [FLAG…]",
		Short: "Run tests of Go packages in confidential guests",
		Long: "Runs go test for PACKAGEs, or the one that is here, with each test program as the whole software of a guest. FLAGs\n" +
			"after the first PACKAGE or after -- are go test's, such as -run, -v and -count. A test finds the files of its package's directory,\n" +
			"and of testdata there; others with --files. It can start no processes and has no network. Files that it writes are lost,\n" +
			"but for profiles and traces: -coverprofile, -cpuprofile, -memprofile, -blockprofile, -mutexprofile, -trace.\n\n" + sizeHelp +
			"Exit status: go test's: 0 when all passed, 1 when not.",
		Example: "  tacit guest test ./...\n" +
			"  tacit guest test --platform snp ./accept/negotiate -run Lie -v\n" +
			"  tacit guest test ./accept/negotiate -coverprofile cover.out",
		Args: func(cmd *cobra.Command, args []string) error {
			return f.check()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			self, err := thisProgram()
			if err != nil {
				return err
			}
			with := []string{self, "guest", "run", "--here", "--platform", f.platform.word, "--memory", f.memory.String(), "--cpus", fmt.Sprint(f.cpus),
				"--seed", fmt.Sprint(f.seed), "--timeout", f.timeout.String()}
			for _, v := range f.files {
				with = append(with, "--files", v)
			}
			for _, v := range f.environment {
				with = append(with, "--env", v)
			}
			for i, word := range with {
				if strings.ContainsAny(word, `"' `) {
					with[i] = "'" + word + "'"
				}
			}
			std := streamsOf(cmd)
			test := exec.CommandContext(cmd.Context(), "go", append([]string{"test", "-vet=off", "-exec", strings.Join(with, " ")}, args...)...)
			test.Env = append(os.Environ(), guestEnvironment...)
			test.Stdout, test.Stderr = std.out, std.err
			test.Cancel = func() error { return test.Process.Signal(os.Interrupt) }
			var ended *exec.ExitError
			switch err := test.Run(); {
			case cmd.Context().Err() != nil:
				return cmd.Context().Err()
			case errors.As(err, &ended):
				*status = exitStatus(ended.ExitCode())
			case err != nil:
				return fmt.Errorf("go test: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().SetInterspersed(false)
	f.programFlags.register(cmd)
	f.machineFlags.register(cmd)
	return cmd
}
