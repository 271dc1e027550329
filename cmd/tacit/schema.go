package main

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/catalogue"
	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/certify/matrix"
	"github.com/tacit-vm/tacit/compare/hunt"
	"github.com/tacit-vm/tacit/compare/storm"
	"github.com/tacit-vm/tacit/compare/study"
	"github.com/tacit-vm/tacit/internal/bench"
	"github.com/tacit-vm/tacit/internal/schema"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/scenario"
	"github.com/tacit-vm/tacit/trial"
	"github.com/tacit-vm/tacit/vm"
)

// forms are all forms of JSON that tacit writes to files of its users; docs/json.md has a row for each.
func forms() []schema.Form {
	events := map[string]reflect.Type{}
	for word, e := range record.Kinds() {
		events[word] = reflect.TypeOf(e)
	}
	return []schema.Form{
		{Name: record.Schema, About: "the record of a run (boot --json)", Type: reflect.TypeFor[record.Record]()},
		{Name: "tacit.event/1", About: "a line of boot --events", One: events},
		{Name: "tacit.typed/1", About: "a line of boot --input-log", Type: reflect.TypeFor[vm.Typed]()},
		{Name: certify.Schema, About: "what boots of images showed (certify --json)", Type: reflect.TypeFor[certify.Certificate]()},
		{Name: matrix.Schema, About: "what the combinations of a matrix showed (certify --matrix --json)", Type: reflect.TypeFor[matrix.Report]()},
		{Name: entriesSchema, About: "verdicts that are kept (results list --json)", Type: reflect.TypeFor[entriesFile]()},
		{Name: catalogue.EntrySchema, About: "one of them", Type: reflect.TypeFor[catalogue.Entry]()},
		{Name: changesSchema, About: "answers that changed (results diff --json)", Type: reflect.TypeFor[changesFile]()},
		{Name: catalogue.ResultSchema, About: "a line of results export", Type: reflect.TypeFor[catalogue.Result]()},
		{Name: trial.Schema, About: "attacks on guests (attack --json)", Type: reflect.TypeFor[trial.Report]()},
		{Name: study.Schema, About: "boots held side by side (compare --json)", Type: reflect.TypeFor[study.JSON]()},
		{Name: study.SavedSchema, About: "a line of compare --resume", Type: reflect.TypeFor[study.SavedLine]()},
		{Name: storm.Schema, About: "boots with more and more processors (storm --json)", Type: reflect.TypeFor[storm.JSON]()},
		{Name: hunt.Schema, About: "what a hunt for races found (hunt --json)", Type: reflect.TypeFor[hunt.Result]()},
		{Name: scenario.Schema, About: "what came of scenarios (scenario run --json)", Type: reflect.TypeFor[scenario.Report]()},
		{Name: scenario.ListSchema, About: "what can be booted so (scenario list --json)", Type: reflect.TypeFor[scenario.List]()},
		{Name: inspectSchema, About: "what images can do by their bytes (inspect --json)", Type: reflect.TypeFor[inspectJSON]()},
		{Name: costSchema, About: "cost models (cost --json)", Type: reflect.TypeFor[modelsJSON]()},
		{Name: sensitivitySchema, About: "what rests on estimates (cost sensitivity --json)", Type: reflect.TypeFor[sensitivityJSON]()},
		{Name: bench.Schema, About: "what was measured of tacit itself (bench --save)", Type: reflect.TypeFor[bench.Report]()},
	}
}

// formWord is what a form is called on the command line: its name without tacit and version.
func formWord(f schema.Form) string {
	name := strings.TrimSuffix(strings.TrimPrefix(f.Name, "tacit-"), "-1") // of the oldest
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "tacit."), "/")
	return name
}

func formWords() (words []string) {
	for _, f := range forms() {
		words = append(words, formWord(f))
	}
	return words
}

// schemaCommand is tacit schema.
func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema NAME",
		Short: "Print the JSON Schema of a form of JSON that tacit writes",
		Long: "schema prints the JSON Schema (draft 2020-12) of the form NAME, made from the types that tacit writes it with. NAME is\n" +
			"record, certificate or another that tacit schema list shows. New keys may appear under one version of a form, and a\n" +
			"schema has nothing against them.\n",
		Example: "  tacit schema list\n" +
			"  tacit schema certificate >certificate.schema.json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("%s takes one NAME, and here are %d: tacit schema list shows them", cmd.CommandPath(), len(args))
			}
			if err := known(args[0], append(formWords(), "list")); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return append(formWords(), "list"), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "list" {
				return onPaper(cmd.OutOrStdout(), listForms)
			}
			for _, f := range forms() {
				if formWord(f) == args[0] {
					return schema.Write(cmd.OutOrStdout(), schema.Of(f, forms()))
				}
			}
			return nil
		},
	}
}

func listForms(w io.Writer) error {
	out := &errWriter{w: w}
	for _, f := range forms() {
		out.printf("%-15s%-20s  %s\n", formWord(f), f.Name, f.About)
	}
	return out.err
}
