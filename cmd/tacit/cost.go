package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/cost/file"
	"github.com/tacit-vm/tacit/internal/schema"
)

// costSchema names the form of what tacit cost --json prints; docs/cost.md describes it.
const costSchema = "tacit.cost/1"

// costCommand is tacit cost.
func costCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Show what events cost in virtual time, who says so, and what rests on it",
		Long: "cost prints tacit's own cost models, one for each platform: what each event costs in virtual time, and where that\n" +
			"number comes from. Most are estimates. The commands below it read models from files, say how much of a time or of a\n" +
			"ratio rests on estimates, and make a model of what was measured. Wherever a MODEL is wanted, it is the name of one of\n" +
			"tacit's own or a file, whose form docs/cost.md describes:\n\n" +
			"  name: my-machine\n" +
			"  base: tdx-estimate-1\n" +
			"  costs:\n" +
			"    exit: {ns: 2100, source: \"measured: …\"}\n",
		Example: "  tacit cost\n" +
			"  tacit cost show --yaml tdx-estimate-1 >my-machine.yaml\n" +
			"  tacit boot --cost my-machine.yaml --json record.json IMAGE",
		Args:              noCommand,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return showModels(cmd.OutOrStdout(), cost.Models(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	cmd.AddCommand(costCheckCommand(), costFitCommand(), costMeasureCommand(), costSensitivityCommand(), costShowCommand())
	return cmd
}

func costShowCommand() *cobra.Command {
	var asJSON, asYAML bool
	cmd := &cobra.Command{
		Use:   "show MODEL…",
		Short: "Show models of tacit's own or of files",
		Example: "  tacit cost show snp-estimate-1\n" +
			"  tacit cost show --yaml tdx-estimate-1 >my-machine.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if asYAML && (asJSON || len(args) > 1) {
				return errors.New("--yaml is for one model, and not with --json")
			}
			return atLeastOne("MODEL")(cmd, args)
		},
		ValidArgsFunction: completeModel,
		RunE: func(cmd *cobra.Command, args []string) error {
			var models []cost.Model
			for _, name := range args {
				m, err := modelOf(name)
				if err != nil {
					return err
				}
				models = append(models, m)
			}
			if asYAML {
				return file.Write(cmd.OutOrStdout(), models[0])
			}
			return showModels(cmd.OutOrStdout(), models, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&asJSON, "json", false, "print them as JSON")
	flags.BoolVar(&asYAML, "yaml", false, "print it as a file, to begin one of your own with: give that another name")
	return cmd
}

func costCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE…",
		Short:   "Say whether files are models, and which numbers of theirs are estimates",
		Example: "  tacit cost check my-machine.yaml",
		Args:    atLeastOne("FILE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			for _, path := range args {
				m, wrong := modelOf(path)
				if wrong != nil {
					err = errors.Join(err, wrong)
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, for platform %s; %s\n", path, m.Name(), m.Platform(), estimatesOf(m))
			}
			return err
		},
	}
}

// estimatesOf says which numbers of a model have not been measured. An instruction takes what it takes by definition.
func estimatesOf(m cost.Model) string {
	var names []string
	for _, row := range m.Table() {
		if row.Uncertain() && row.Event != cost.Instruction {
			names = append(names, row.Event.String())
		}
	}
	text := "nothing is estimated"
	if len(names) > 0 {
		text = "estimated: " + strings.Join(names, ", ")
	}
	names = nil
	for _, h := range m.Holds() {
		if h.Uncertain() {
			names = append(names, h.Name())
		}
	}
	if len(names) > 0 {
		text += "; of what is held: " + strings.Join(names, ", ")
	}
	return text
}

// modelOf reads a model of tacit's own by its name, or one from a file.
func modelOf(text string) (cost.Model, error) {
	m, unknown := cost.Named(text)
	if unknown == nil {
		return m, nil
	}
	f, _, err := openRegular(text)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%w, and no such file", unknown)
	} else if err != nil {
		return m, err
	}
	defer f.Close()
	if m, err = file.Read(f); err != nil {
		return m, fmt.Errorf("%s: %w", text, err)
	}
	return m, nil
}

// completeModel completes the names of models; where none begins so, the shell completes files.
func completeModel(*cobra.Command, []string, string) (names []string, _ cobra.ShellCompDirective) {
	for _, m := range cost.Models() {
		names = append(names, m.Name()+"\tfor platform "+m.Platform())
	}
	return names, cobra.ShellCompDirectiveDefault
}

// modelsJSON is the JSON of tacit cost and tacit cost show.
type modelsJSON struct {
	Schema string      `json:"schema"`
	Models []modelJSON `json:"models"`
}

type modelJSON struct {
	Name     string     `json:"name"`
	Platform string     `json:"platform"`
	Costs    []rowJSON  `json:"costs"`
	Holds    []holdJSON `json:"holds"`
}

type rowJSON struct {
	Event  string `json:"event"`
	NS     int64  `json:"ns"`
	Source string `json:"source"`
}

type holdJSON struct {
	Of     string `json:"of"` // the event's name, or "halt"
	Lock   string `json:"lock"`
	NS     int64  `json:"ns"`
	Source string `json:"source"`
}

func showModels(w io.Writer, models []cost.Model, asJSON bool) error {
	if !asJSON {
		return onPaper(w, func(w io.Writer) error { return writeModels(w, models) })
	}
	out := modelsJSON{Schema: costSchema}
	for _, m := range models {
		shown := modelJSON{Name: m.Name(), Platform: m.Platform()}
		for _, row := range m.Table() {
			shown.Costs = append(shown.Costs, rowJSON{row.Event.String(), row.NS, row.Source})
		}
		for _, h := range m.Holds() {
			shown.Holds = append(shown.Holds, holdJSON{h.Name(), h.Lock.String(), h.NS, h.Source})
		}
		out.Models = append(out.Models, shown)
	}
	return schema.Write(w, out)
}

func writeModels(w io.Writer, models []cost.Model) error {
	out := &errWriter{w: w}
	for i, m := range models {
		if i > 0 {
			out.printf("\n")
		}
		out.printf("%s, for platform %s\n\n%-14s%14s  %s\n", m.Name(), m.Platform(), "event", "virtual ns", "source")
		for _, row := range m.Table() {
			out.printf("%-14v%14d  %s\n", row.Event, row.NS, row.Source)
		}
		out.printf("\n%-14s%-14s%14s  %s\n", "of an event", "holds", "virtual ns", "source")
		for _, h := range m.Holds() {
			out.printf("%-14s%-14v%14d  %s\n", h.Name(), h.Lock, h.NS, h.Source)
		}
	}
	return out.err
}
