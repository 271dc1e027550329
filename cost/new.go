package cost

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxNS bounds what one event may cost: ten seconds. More is a mistake in the unit.
const MaxNS = 10_000_000_000

// maxSource bounds a row's source, in bytes.
const maxSource = 1000

// kinds are how a source begins, and say what kind of number the row has.
var kinds = []string{"published", "derived", "measured", "estimate"}

var modelName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,39}$`)

// A RowError is what is wrong with one row of a model.
type RowError struct {
	Event Event
	Err   string
}

func (e *RowError) Error() string { return fmt.Sprintf("%v %s", e.Event, e.Err) }

// CheckName says what is wrong with a name for [New].
func CheckName(name string) error {
	if !modelName.MatchString(name) {
		return fmt.Errorf("%q is no name for a model: it has lower-case letters, digits, dots and hyphens, 40 at most", name)
	}
	if _, err := Named(name); err == nil {
		return fmt.Errorf("%s is the name of another model, whose numbers never change", name)
	}
	return nil
}

// New makes a model for a platform ("tdx", "snp", "none") with a row for each event that can happen there. Its name
// becomes name@digest, by which it is told from another with the same name and other numbers. Where it has holds of its own,
// they take the place of the platform's. Errors are of [CheckName], about the platform, a *[RowError], and a *[HoldError].
func New(name, platform string, rows []Row, own []Hold) (Model, error) {
	if err := CheckName(name); err != nil {
		return Model{}, err
	}
	tacits, err := Of(platform)
	if err != nil {
		return Model{}, err
	}
	var all [events]Row
	for _, row := range rows {
		if row.Event >= events {
			return Model{}, &RowError{row.Event, "is no event"}
		}
		if err := row.check(tacits, all[row.Event].Source != ""); err != nil {
			return Model{}, err
		}
		all[row.Event] = row
	}
	h := sha256.New()
	for e, row := range all {
		if tacits.rows[e].Source != "" {
			if row.Source == "" {
				return Model{}, &RowError{Event(e), "costs nothing yet: give it a number and its source, or a base that has them"}
			}
			fmt.Fprintf(h, "%v %d\n", Event(e), row.NS)
		}
	}
	m, differ, err := Model{platform: platform, rows: &all}.withHolds(own)
	if err != nil {
		return Model{}, err
	}
	h.Write([]byte(differ)) // nothing, where all are the platform's
	digest := hex.EncodeToString(h.Sum(nil))[:12]
	m.name = name + "@" + digest
	return m, nil
}

func (r Row) check(own Model, twice bool) error {
	wrong := func(format string, args ...any) error { return &RowError{r.Event, fmt.Sprintf(format, args...)} }
	if own.rows[r.Event].Source == "" {
		return wrong("never happens on platform %s", own.platform)
	}
	switch {
	case twice:
		return wrong("has two rows")
	case r.Event == Instruction && r.NS != 1:
		return wrong("takes 1 ns by definition, so that the guest's clock of 1 GHz ticks with it; it cannot be %d", r.NS)
	case r.NS < 0:
		return wrong("cannot cost %d ns", r.NS)
	case r.NS > MaxNS:
		return wrong("cannot cost %d ns: that is more than %d, ten seconds", r.NS, int64(MaxNS))
	}
	if err := checkSource(r.Source); err != nil {
		return wrong("%v", err)
	}
	return nil
}

// checkSource says what is wrong with where a number is said to come from.
func checkSource(source string) error {
	switch kind, text, _ := strings.Cut(source, ":"); {
	case source == "":
		return errors.New("has no source")
	case !slices.Contains(kinds, kind) || strings.TrimSpace(text) == "":
		return fmt.Errorf("has the source %q: want one of %s, a colon, and what that is", shortened(source), strings.Join(kinds, ", "))
	case len(source) > maxSource:
		return fmt.Errorf("has a source of %d bytes, %d at most", len(source), maxSource)
	case !utf8.ValidString(source) || strings.ContainsFunc(source, func(c rune) bool { return !unicode.IsPrint(c) }):
		return errors.New("has a source that cannot be printed")
	}
	return nil
}

// shortened is as much of a text as an error shows.
func shortened(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

// Of is tacit's own model for a platform.
func Of(platform string) (Model, error) {
	var names []string
	for _, m := range Models() {
		if m.platform == platform {
			return m, nil
		}
		names = append(names, m.platform)
	}
	return Model{}, fmt.Errorf("no platform %q: there are %s", platform, strings.Join(names, ", "))
}
