package junit

import (
	"strings"
	"testing"
	"time"

	reader "github.com/joshdk/go-junit"
)

// Another's reader finds what was written, whatever a guest has put into the text.
func TestOthersReadIt(t *testing.T) {
	s := Suite{Name: "6.12 \x1b<&\"'\x00]]>"}
	s.Add(Case{Class: "a", Name: "fine", Seconds: SecondsOf(1_500_000_000), Output: "<b>\x00]]>&amp;"})
	s.Add(Case{Class: "a", Name: "fails", Failure: &Message{"it \"says\" <no>"}})
	s.Add(Case{Class: "a", Name: "shows nothing", Error: &Message{"gone"}})
	var text strings.Builder
	if err := Write(&text, []Suite{s, {Name: "empty"}}); err != nil {
		t.Fatal(err)
	}
	suites, err := reader.Ingest([]byte(text.String()))
	if err != nil || len(suites) != 2 {
		t.Fatalf("%v, %d suites of\n%s", err, len(suites), &text)
	}
	got := suites[0]
	if got.Name != "6.12 \ufffd<&\"'\ufffd]]>" || got.Totals.Tests != 3 || got.Totals.Passed != 1 || got.Totals.Failed != 1 || got.Totals.Error != 1 {
		t.Errorf("%q, %+v", got.Name, got.Totals)
	}
	if got.Tests[0].Duration != 1500*time.Millisecond || got.Tests[0].SystemOut != "<b>\ufffd]]>&amp;" || got.Tests[1].Message != `it "says" <no>` {
		t.Errorf("%+v", got.Tests)
	}
}
