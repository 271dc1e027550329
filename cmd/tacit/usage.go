package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What is wrong with a command line is said in one line and in the words of the command, whatever library found it.

// wrongFlag says what the flag library has to say.
func wrongFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var value *pflag.InvalidValueError
	var without *pflag.ValueRequiredError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		if letters := unknown.GetSpecifiedShortnames(); letters != "" {
			return fmt.Errorf("%s has no -%s", cmd.CommandPath(), unknown.GetSpecifiedName())
		}
		name := unknown.GetSpecifiedName()
		if boot, _, err := cmd.Root().Find([]string{"boot"}); err == nil && cmd.Name() == "resume" && boot.Flags().Lookup(name) != nil {
			return fmt.Errorf("%s has no --%s: it is the saved machine's, as tacit boot made it", cmd.CommandPath(), name)
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if near := nearest(name, names); near != "" {
			return fmt.Errorf("%s has no --%s: did you mean --%s?", cmd.CommandPath(), name, near)
		}
		return fmt.Errorf("%s has no --%s: see %s --help", cmd.CommandPath(), name, cmd.CommandPath())
	case errors.As(err, &value):
		return fmt.Errorf("--%s %s: %w", value.GetFlag().Name, value.GetValue(), wrongValue(value))
	case errors.As(err, &without):
		what, _ := pflag.UnquoteUsage(without.GetFlag())
		return fmt.Errorf("--%s needs a value: --%[1]s %s", without.GetFlag().Name, what)
	case errors.As(err, &syntax):
		return fmt.Errorf("%s is not a flag: see %s --help", syntax.GetSpecifiedFlag(), cmd.CommandPath())
	}
	return err
}

// wrongValue says what is wrong with a value, where the library only knows what it could not convert.
func wrongValue(e *pflag.InvalidValueError) error {
	switch e.GetFlag().Value.Type() {
	case "uint64", "int":
		if errors.Is(e, strconv.ErrRange) && !strings.HasPrefix(e.GetValue(), "-") {
			return errors.New("this is more than can be counted here")
		}
		return errors.New("give a whole number, such as 1000000")
	case "bool":
		return errors.New("it is true or false")
	case "duration":
		return wrongDuration(e.GetValue())
	case "stringSlice":
		return errors.New("give words with commas between them")
	}
	return e.Unwrap()
}

// emptyFile finds a flag that was given the empty word for a file: a script's variable that has no value would otherwise
// be as if the flag were not there.
func emptyFile(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		what, _ := pflag.UnquoteUsage(f)
		given := []string{f.Value.String()}
		if list, several := f.Value.(pflag.SliceValue); several {
			given = list.GetSlice()
		}
		if slices.Contains(given, "") && slices.Contains([]string{"FILE", "IMAGE", "DIR", "DIRECTORY"}, what) {
			err = cmp.Or(err, fmt.Errorf("--%s is empty: give a %s", f.Name, what))
		}
	})
	return err
}

var aDuration = regexp.MustCompile(`^([0-9]+)(?:\.[0-9]+)? *([A-Za-z]*)\.?$`)

// wrongDuration says which time was probably meant.
func wrongDuration(text string) error {
	const want = "a time has a unit, such as 90s, 5m or 1h30m"
	parts := aDuration.FindStringSubmatch(text)
	if parts == nil {
		return errors.New(want)
	}
	number, unit := parts[1], strings.ToLower(parts[2])
	switch {
	case unit == "", strings.HasPrefix(unit, "s"):
		unit = "s"
	case strings.HasPrefix(unit, "mil"):
		unit = "ms"
	case strings.HasPrefix(unit, "m"):
		unit = "m"
	case strings.HasPrefix(unit, "h"):
		unit = "h"
	case strings.HasPrefix(unit, "d"):
		days, err := strconv.Atoi(number)
		if err != nil || days > 1000 {
			return errors.New(want)
		}
		number, unit = strconv.Itoa(24*days), "h"
	default:
		return errors.New(want)
	}
	return fmt.Errorf("did you mean %s%s? A%s", number, unit, want[1:])
}

// noArguments is for commands that take none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes no arguments, and there is %s", cmd.CommandPath(), args[0])
}

// atMostOne is for commands that take one of what it is.
func atMostOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= 1 {
			return nil
		}
		return fmt.Errorf("%s takes one %s, and here are %d: %s", cmd.CommandPath(), what, len(args), strings.Join(args, ", "))
	}
}

// atLeastOne is for commands that take several.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return fmt.Errorf("%s needs at least one %s", cmd.CommandPath(), what)
	}
}

// noCommand says what was probably meant by the name of a command that there is not.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			names = append(names, c.Name())
		}
	}
	if _, err := os.Stat(args[0]); err == nil && !cmd.HasParent() {
		return fmt.Errorf("%s is a file and not a command: did you mean %s boot %[1]s?", args[0], cmd.Name())
	}
	return fmt.Errorf("%s has no command %s: %w", cmd.CommandPath(), args[0], known(args[0], names))
}
