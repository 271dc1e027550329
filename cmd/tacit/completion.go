package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// complete has the shell complete what the command line can say: commands, flags, their words, and files where there are
// files. It also makes the two commands that the library brings as strict as the others.
func complete(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		for _, sub := range cmd.Commands() {
			sub.Flags().VisitAll(func(f *pflag.Flag) { completeFlag(sub, f) })
		}
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err != nil {
					return err
				}
				return noCommand(found, rest)
			}
		case "completion":
			cmd.Args = noCommand
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		default:
			cmd.Flags().VisitAll(func(f *pflag.Flag) { completeFlag(cmd, f) })
		}
	}
}

// completeFlag completes the values of a flag by its type: words, where it has some; files, where its help says FILE or
// IMAGE. Elsewhere a list of files would only mislead.
func completeFlag(cmd *cobra.Command, f *pflag.Flag) {
	if _, has := cmd.GetFlagCompletionFunc(f.Name); has {
		return
	}
	words := cobra.NoFileCompletions
	switch v := f.Value.(type) {
	case *choices:
		words = completeList(v.words())
	case interface{ words() []string }:
		words = cobra.FixedCompletions(v.words(), cobra.ShellCompDirectiveNoFileComp)
	default:
		if name, _ := pflag.UnquoteUsage(f); name == "FILE" || name == "IMAGE" {
			return
		}
	}
	completeWith(cmd, f.Name, words)
}

func completeWith(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // the flag is not declared, or has been registered
	}
}

// completeList completes the last of words with commas between them.
func completeList(words []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, text string) (found []string, _ cobra.ShellCompDirective) {
		given := strings.Split(text, ",")
		given = given[:len(given)-1]
		for _, word := range words {
			if !slices.Contains(given, word) {
				found = append(found, strings.Join(append(slices.Clone(given), word), ","))
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// oneFile completes files for a command that takes one.
func oneFile(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}
