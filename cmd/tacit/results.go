package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/catalogue"
	"github.com/tacit-vm/tacit/catalogue/jetstream"
	"github.com/tacit-vm/tacit/catalogue/page"
	"github.com/tacit-vm/tacit/internal/schema"
	"github.com/tacit-vm/tacit/record"
)

// resultsCommand is tacit results.
func resultsCommand(status *exitStatus) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "results",
		Short: "Show what tacit certify has found so far, and what changed",
		Long: "results shows what tacit certify has kept: list all verdicts, diff two dates or two versions of tacit, export what\n" +
			"boots showed, expire what is old.",
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(resultsListCommand(), resultsDiffCommand(status), resultsExportCommand(), resultsExpireCommand())
	return cmd
}

// withStore opens the store and has do look into it. A directory that is none is not made one: its name may be mistyped.
func (f *storeFlags) withStore(cmd *cobra.Command, do func(context.Context, *jetstream.Store) error) error {
	if f.remote.URL == "" {
		dir, err := f.directory()
		if err != nil {
			return err
		}
		if there, err := jetstream.Exists(dir); err != nil {
			return fmt.Errorf("the store %s: %w", dir, err)
		} else if !there {
			return fmt.Errorf("%s: nothing is kept there: tacit certify makes the store with its first result", dir)
		}
	}
	s, err := f.open(cmd.Context(), "tacit results", cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer s.Close()
	return do(cmd.Context(), s)
}

// written is a file that a command writes, or none where the path is empty.
type written struct {
	path string
	fill func(io.Writer) error
}

// writing writes files; - is standard output.
func writing(cmd *cobra.Command, files ...written) (err error) {
	out := outputs{stdout: cmd.OutOrStdout()}
	defer out.discard()
	var paths []string
	for _, f := range files {
		paths = append(paths, f.path)
	}
	opened, err := out.createAll(cmd.Context(), paths...)
	if err != nil {
		return err
	}
	for i, f := range files {
		err = errors.Join(err, opened[i].fill(f.fill))
	}
	return errors.Join(err, out.keep())
}

func resultsListCommand() *cobra.Command {
	var f storeFlags
	var path, html, markdown, since string
	cmd := &cobra.Command{
		Use:   "list [IMAGE…]",
		Short: "List the verdicts that are kept, of all images or of those named",
		Long: "list writes a line for each verdict: when it was first found, the result, the image as it was named, the rest. --html and\n" +
			"--markdown write a page to send to others: of each image and configuration the latest verdict, those before it, and which\n" +
			"answers changed: since the verdict before, or between --since and now.\n",
		Example: "  tacit results list --html catalogue.html --since 2026-11-22",
		Args: func(cmd *cobra.Command, args []string) error {
			if since != "" && html == "" && markdown == "" {
				return errors.New("--since is for --html and --markdown: what changed, as text, says tacit results diff")
			}
			out := []named{{"--json", path, textFile}, {"--html", html, textFile}, {"--markdown", markdown, textFile}}
			return cmp.Or(f.check(), files{in: f.files(), out: out, std: streamsOf(cmd)}.check())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.withStore(cmd, func(ctx context.Context, s *jetstream.Store) error {
				all, err := s.Entries(ctx)
				if err != nil {
					return err
				}
				all = slices.DeleteFunc(all, func(e catalogue.Entry) bool { return len(args) > 0 && !slices.Contains(args, e.Subject()) })
				p, err := historyPage(all, since)
				if err != nil {
					return err
				}
				if path == "" && html == "" && markdown == "" {
					return onPaper(cmd.OutOrStdout(), func(w io.Writer) error { return writeEntries(w, all) })
				}
				return writing(cmd,
					written{path, func(w io.Writer) error { return schema.Write(w, entriesFile{entriesSchema, all}) }},
					written{html, p.WriteHTML}, written{markdown, p.WriteMarkdown})
			})
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	flags.StringVar(&path, "json", "", "write the entries to `FILE`; - is standard output instead of the table")
	flags.StringVar(&html, "html", "", "write a page to `FILE`, which needs nothing else; - is standard output instead of the table")
	flags.StringVar(&markdown, "markdown", "", "write the same as Markdown to `FILE`; - is standard output instead of the table")
	flags.StringVar(&since, "since", "", "on the page, what changed since `WHEN`: as tacit results diff takes it")
	return cmd
}

// historyPage is the page of entries, with what changed since a state that is named as for tacit results diff. Without a name
// that is the verdict before the latest, of each image that has one.
func historyPage(all []catalogue.Entry, since string) (*page.Page, error) {
	p := page.New(versionText(), all)
	if since == "" {
		before, latest := catalogue.Latest(all)
		p.Compare("the verdict before", "the latest", catalogue.Diff(before, latest))
		return p, nil
	}
	before, err := stateOf(since, all)
	if err != nil {
		return nil, fmt.Errorf("--since %w", err)
	}
	p.Compare(since, "now", catalogue.Diff(before, all))
	return p, nil
}

// entriesFile is the JSON of tacit results list.
type entriesFile struct {
	Schema  string            `json:"schema"`
	Entries []catalogue.Entry `json:"entries"`
}

const entriesSchema = "tacit.entries/1"

// changesFile is the JSON of tacit results diff.
type changesFile struct {
	Schema  string             `json:"schema"`
	Before  string             `json:"before"` // as the command line says it
	After   string             `json:"after"`
	Changes []catalogue.Change `json:"changes"`
}

const changesSchema = "tacit.changes/1"

func writeEntries(w io.Writer, all []catalogue.Entry) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "found\timage\tanswer\tconfiguration\ttool")
	for _, e := range all {
		row := []string{e.When.Format(time.RFC3339), e.Subject(), e.Answer(), e.Config, e.Tool}
		for i := range row {
			row[i] = record.Printable(row[i])
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

func resultsDiffCommand(status *exitStatus) *cobra.Command {
	var f storeFlags
	var path string
	cmd := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "Say which images changed their answer between two dates or two versions of tacit",
		Long: "diff holds two states of what is known against each other. BEFORE and AFTER are each a date (2026-11-29: the end of that\n" +
			"day, UTC), an instant (2026-11-29T12:00:00Z), the word now, or a part of a version as tacit results list shows it.\n" +
			"Of each image and configuration the latest verdict of a state counts.\n\n" +
			statusHelp([]statusMeaning{{0, "no answer changed"}, {statusNo, "an answer changed, came or went"}, {statusError, "what is kept could not be read"}, {statusUsage, "the command line is wrong"}}),
		Example: "  tacit results diff 2026-11-22 now",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("give two: BEFORE and AFTER")
			}
			return cmp.Or(f.check(), files{in: f.files(), out: []named{{"--json", path, textFile}}, std: streamsOf(cmd)}.check())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.withStore(cmd, func(ctx context.Context, s *jetstream.Store) error {
				all, err := s.Entries(ctx)
				if err != nil {
					return err
				}
				before, err := stateOf(args[0], all)
				if err != nil {
					return err
				}
				after, err := stateOf(args[1], all)
				if err != nil {
					return err
				}
				changes := catalogue.Diff(before, after)
				if len(changes) > 0 {
					*status = statusNo
				}
				if path == "" {
					return onPaper(cmd.OutOrStdout(), func(w io.Writer) error { return writeChanges(w, changes) })
				}
				return writing(cmd, written{path, func(w io.Writer) error {
					return schema.Write(w, changesFile{changesSchema, args[0], args[1], changes})
				}})
			})
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&path, "json", "", "write the changes to `FILE`; - is standard output instead of lines")
	return cmd
}

// stateOf are the entries that a date or a version means.
func stateOf(text string, all []catalogue.Entry) (state []catalogue.Entry, err error) {
	until := time.Time{}
	switch day, dayErr := time.Parse(time.DateOnly, text); {
	case dayErr == nil:
		until = day.AddDate(0, 0, 1).Add(-time.Nanosecond)
	case text == "now":
		until = time.Now()
	default:
		if until, err = time.Parse(time.RFC3339, text); err != nil {
			for _, e := range all {
				if strings.Contains(e.Tool, text) {
					state = append(state, e)
				}
			}
			if len(state) == 0 {
				return nil, fmt.Errorf("%s: no date, and no version of which something is kept", record.Printable(text))
			}
			return state, nil
		}
	}
	for _, e := range all {
		if !e.When.After(until) {
			state = append(state, e)
		}
	}
	return state, nil
}

func writeChanges(w io.Writer, changes []catalogue.Change) error {
	side := func(e *catalogue.Entry) string {
		if e == nil {
			return "not known"
		}
		return record.Printable(e.Answer()) + "  (" + e.When.Format(time.RFC3339) + ", " + record.Printable(e.Tool) + ")"
	}
	for _, c := range changes {
		if _, err := fmt.Fprintf(w, "%s  %s\n  - %s\n  + %s\n", record.Printable(c.Subject), record.Printable(c.Config), side(c.Before), side(c.After)); err != nil {
			return err
		}
	}
	changed := "images changed their answers"
	if len(changes) == 1 {
		changed = "image changed its answer"
	}
	_, err := fmt.Fprintf(w, "%d %s\n", len(changes), changed)
	return err
}

func resultsExportCommand() *cobra.Command {
	var f storeFlags
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Write what every boot showed, a line of JSON each",
		Long:  "export writes a result a line, with the record of the boot, in the order of their keys. FILE - is standard output.\n",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("give the FILE to write, or - for standard output")
			}
			return cmp.Or(f.check(), files{in: f.files(), out: []named{{"FILE", args[0], textFile}}, std: streamsOf(cmd)}.check())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.withStore(cmd, func(ctx context.Context, s *jetstream.Store) error {
				keys, err := s.ResultKeys(ctx)
				if err != nil {
					return err
				}
				return writing(cmd, written{args[0], func(w io.Writer) error {
					e := json.NewEncoder(w)
					for _, key := range keys {
						r, err := s.Result(ctx, key)
						if errors.Is(err, catalogue.ErrUnknown) { // expired meanwhile
							continue
						}
						if err == nil {
							err = e.Encode(r)
						}
						if err != nil {
							return err
						}
					}
					return nil
				}})
			})
		},
	}
	f.add(cmd.Flags())
	return cmd
}

func resultsExpireCommand() *cobra.Command {
	var f storeFlags
	var days int
	cmd := &cobra.Command{
		Use:   "expire --days N",
		Short: "Forget what was kept more than N days ago",
		Long:  "expire removes results, verdicts and what was read out of files. What is asked for again is found out again.\n",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := noArguments(cmd, args); err != nil {
				return err
			}
			if days < 0 || !cmd.Flags().Changed("days") {
				return errors.New("give --days, 0 or more: how old is what is to be kept at most")
			}
			return cmp.Or(f.check(), files{in: f.files(), std: streamsOf(cmd)}.check())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.withStore(cmd, func(ctx context.Context, s *jetstream.Store) error {
				n, err := s.Expire(ctx, time.Now().AddDate(0, 0, -days))
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d forgotten\n", n)
				return err
			})
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().IntVar(&days, "days", 0, "keep what is not older than `N` days; 0 forgets everything")
	return cmd
}
