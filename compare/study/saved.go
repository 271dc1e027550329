package study

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// Saved are boots that have been run, a line of JSON each. A boot is found again where everything is the same that its
// record depends on: the image and the configuration, byte for byte, and the program. What is damaged, or is another's,
// is passed over.
type Saved struct {
	Damaged int // lines that were not what they should be

	program string
	lines   io.Writer
	torn    bool // the last line has no end

	mu    sync.Mutex
	known map[string][]byte // records by key
}

// SavedSchema names the version of the lines.
const SavedSchema = "tacit.boot/1"

// MaxSaved bounds what is read, in bytes: a boot of Linux takes some 200 KiB.
const MaxSaved = 512 << 20

// A SavedLine is a boot that has been run.
type SavedLine struct {
	Schema  string          `json:"schema"`
	Program string          `json:"program"`
	Key     string          `json:"key"`
	SHA256  string          `json:"sha256"` // of the record's bytes, in hexadecimal
	Record  json.RawMessage `json:"record"`
}

// Load reads what was saved, and saves more at its end: file is open for reading, and for appending. Program tells the
// program that runs the boots from every other, such as a digest of its executable: a version is not enough, since that
// does not change with the sources. A file that has something else, and no boot, is an error: nothing is to be added to it.
func Load(ctx context.Context, file io.ReadWriter, program string) (*Saved, error) {
	if program == "" {
		return nil, errors.New("the program is not known, and so is not whether it would run a boot in the same way")
	}
	s := &Saved{program: program, lines: file, known: map[string][]byte{}}
	const begins = `{"schema":"tacit.boot/` // as all lines of every version do
	ours, others := false, false
	limited := &io.LimitedReader{R: file, N: MaxSaved + 1}
	for r := bufio.NewReaderSize(limited, 1<<20); ; {
		line, err := r.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return nil, err
		}
		if limited.N == 0 {
			return nil, fmt.Errorf("larger than %s, which is more than boots take", record.FormatBytes(MaxSaved))
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.torn = err == io.EOF && len(line) > 0
		if len(bytes.TrimSpace(line)) > 0 {
			cut := min(len(line), len(begins)) // of a torn line there may be less
			if string(line[:cut]) == begins[:cut] {
				ours = true
			} else {
				others = true
			}
			s.take(line)
		}
		if err == io.EOF {
			if others && !ours {
				return nil, errors.New("no line of it is a boot that tacit keeps; give a file that is to have nothing else")
			}
			return s, nil
		}
	}
}

func (s *Saved) take(text []byte) {
	var line SavedLine
	if json.Unmarshal(text, &line) != nil || line.Schema != SavedSchema || digest(line.Record) != line.SHA256 {
		s.Damaged++
		return
	}
	if line.Program == s.program {
		s.known[line.Key] = line.Record
	}
}

// find is the record of a boot that has been run before; nil if there is none.
func (s *Saved) find(key string) *record.Record {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	text := s.known[key]
	s.mu.Unlock()
	var r record.Record
	if text == nil || json.Unmarshal(text, &r) != nil || r.Schema != record.Schema {
		return nil
	}
	return &r
}

// keep saves a boot, unless what ended it was a limit, which may have been one of the host's.
func (s *Saved) keep(key string, r *record.Record) error {
	if s == nil || r.Outcome == record.Limit {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	line, err := json.Marshal(SavedLine{SavedSchema, s.program, key, digest(text), text})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.torn {
		line, s.torn = append([]byte("\n"), line...), false
	}
	_, err = s.lines.Write(append(line, '\n')) // in one piece, so that what ends the process leaves whole lines
	return err
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// keyOf is a digest of all that the record of a run depends on, but for the program.
func keyOf(c *vm.Config) string {
	data := guest.Demo()
	if c.Image != nil {
		data = c.Image.Data
	}
	text, err := json.Marshal(struct {
		Image, Platform, Policy, Append string
		Own                             bool
		Memory, HostPage, Instructions  uint64
		CPUs                            int
		Virtual                         time.Duration
		Callers                         bool
		Name                            string // of the image, which the record has
		Cost                            string `json:",omitempty"` // with a digest of its numbers; tacit's own never change
	}{digest(data), c.Platform, c.FirmwarePolicy, c.Append, c.Image == nil, c.Memory, c.HostPage, c.MaxInstructions, c.CPUs, c.MaxVirtual, c.Callers, nameOf(c), c.Cost.Name()})
	if err != nil {
		panic(err) // words and numbers
	}
	return digest(text)
}

func nameOf(c *vm.Config) string {
	if c.Image == nil {
		return guest.DemoName
	}
	return c.Image.Name
}
