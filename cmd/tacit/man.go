package main

import (
	"io"
	"regexp"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Write the manual page",
		Long: "man writes all that --help says, of all commands, as a manual page for man(1): the words are the same, and a flag\n" +
			"that is in one is in the other.",
		Example: "  tacit man | man -l -\n" +
			"  tacit man >/usr/local/share/man/man1/tacit.1",
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return writeMan(cmd.OutOrStdout(), cmd.Root())
		},
	}
}

// writeMan writes the commands as a page in the macros of man(7).
func writeMan(w io.Writer, root *cobra.Command) error {
	out := &errWriter{w: w}
	name := root.Name()
	version := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	// There is no date: the same program writes the same page.
	out.printf(".TH %s 1 \"\" \"%s %s\"\n", strings.ToUpper(name), name, roff(version))
	out.printf(".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n", name, roff(root.Short))
	var commands []*cobra.Command
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			commands = append(commands, c)
			out.printf(".B %s\n.br\n", roff(c.UseLine()))
		}
	}
	out.printf(".SH DESCRIPTION\n")
	manText(out, root.Long)
	for _, c := range commands {
		manSection(out, c)
	}
	return out.err
}

// manSection writes a command, and those below it in sections of their own; what the library brings for shells is a list.
func manSection(out *errWriter, c *cobra.Command) {
	out.printf(".SH \"%s\"\n%s.\n", roff(strings.ToUpper(c.CommandPath())), roff(c.Short))
	if c.Long != "" {
		out.printf(".PP\n")
		manText(out, c.Long)
	}
	if c.HasAvailableLocalFlags() {
		out.printf(".SS Flags\n")
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { manFlag(out, f) })
	}
	if c.Name() == "completion" {
		for _, sub := range c.Commands() {
			out.printf(".TP\n.B %s\n%s.\n", roff(sub.CommandPath()), roff(sub.Short))
		}
	}
	if c.Example != "" {
		out.printf(".SS Examples\n.nf\n%s\n.fi\n", roff(c.Example))
	}
	if c.Name() != "completion" {
		for _, sub := range c.Commands() {
			manSection(out, sub)
		}
	}
}

func manFlag(out *errWriter, f *pflag.Flag) {
	if f.Hidden {
		return
	}
	names := "--" + f.Name
	if f.Shorthand != "" {
		names = "-" + f.Shorthand + ", " + names
	}
	value, usage := pflag.UnquoteUsage(f)
	out.printf(".TP\n\\fB%s\\fR", roff(names))
	if value != "" {
		out.printf(" \\fI%s\\fR", roff(value))
	}
	out.printf("\n%s", roff(usage))
	// As --help has it: a default is told where it says something.
	switch f.DefValue {
	case "", "0", "0s", "false", "[]":
	default:
		out.printf(" (default %s)", roff(f.DefValue))
	}
	out.printf(".\n")
}

var aTable = regexp.MustCompile(`(?m)^ `)

// manText writes paragraphs. Lines that are indented, as those of tables are, stay as they are.
func manText(out *errWriter, text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			out.printf(".PP\n")
		}
		// A paragraph may lead to a table: the lines before the first that is indented.
		table := len(paragraph)
		if at := aTable.FindStringIndex(paragraph); at != nil {
			table = at[0]
		}
		if table > 0 {
			out.printf("%s\n", roff(strings.TrimSuffix(paragraph[:table], "\n")))
		}
		if table < len(paragraph) {
			out.printf(".PP\n.nf\n%s\n.fi\n", roff(strings.TrimSuffix(paragraph[table:], "\n")))
		}
	}
}

// roff escapes what roff would take for its own: backslashes, hyphens that are to stay what one types, and dots and quotes
// at the beginning of a line.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
