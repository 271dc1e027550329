package main

import (
	"fmt"
	"strings"

	"github.com/tacit-vm/tacit/inspect"
)

// Statuses of the commands that judge images.
const (
	statusNo      exitStatus = 3 // one does not meet what is required
	statusUnknown exitStatus = 4 // of one it could not be told
)

// requireHelp is the part of --help that explains requirements on what, and exit statuses.
func requireHelp(what string, statuses []statusMeaning) string {
	var b strings.Builder
	b.WriteString("Requirements:\n")
	for _, r := range inspect.Requirements {
		fmt.Fprintf(&b, "  %-10s %s %s\n", r.Name, what, r.Meaning)
	}
	return b.String() + "\n" + statusHelp(statuses)
}

// parseRequire reads what --require says: nothing, if it is empty.
func parseRequire(text string) ([]inspect.Requirement, error) {
	if text == "" {
		return nil, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		if err := known(name, requirementNames()); err != nil {
			return nil, fmt.Errorf("--require: %q is not a requirement: %w", name, err)
		}
	}
	return inspect.ParseRequirements(text)
}

func requirementNames() (names []string) {
	for _, r := range inspect.Requirements {
		names = append(names, r.Name)
	}
	return names
}
