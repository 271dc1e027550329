package vm

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/tacit-vm/tacit/record"
)

// Typed is what was typed on the guest's console at one instant.
type Typed struct {
	record.Stamp
	Text Keys `json:"typed"`
}

// Keys are bytes as a terminal sends them. In JSON they are a string with a character for each byte, so that a person
// can read and write it.
type Keys []byte

// MarshalJSON implements [json.Marshaler].
func (k Keys) MarshalJSON() ([]byte, error) {
	runes := make([]rune, len(k))
	for i, b := range k {
		runes[i] = rune(b)
	}
	return json.Marshal(string(runes))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (k *Keys) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	*k = (*k)[:0]
	for _, r := range text {
		if r > 0xFF {
			return fmt.Errorf("character %q is more than a byte", r)
		}
		*k = append(*k, byte(r))
	}
	return nil
}

// maxInput bounds what is read of an input log, in bytes.
const maxInput = 64 << 20

// ReadInput reads an input log: what Config.Typed heard in another run, a line of JSON each.
func ReadInput(r io.Reader) ([]Typed, error) {
	var all []Typed
	lines := bufio.NewScanner(io.LimitReader(r, maxInput))
	lines.Buffer(nil, 1<<20)
	n := 1
	for ; lines.Scan(); n++ {
		var t Typed
		if err := json.Unmarshal(lines.Bytes(), &t); err != nil {
			return nil, fmt.Errorf("line %d of the input log: %w", n, err)
		}
		if len(all) > 0 && t.VirtualNS < all[len(all)-1].VirtualNS {
			return nil, fmt.Errorf("line %d of the input log goes back in time", n)
		}
		all = append(all, t)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d of the input log is longer than 1 MiB", n)
	} else if err != nil {
		return nil, err
	}
	return all, nil
}

// A ReplayError ends a run that cannot have been the one whose input it is to repeat.
type ReplayError struct {
	Want, Now record.Stamp
}

func (e *ReplayError) Error() string {
	return fmt.Sprintf("the recorded input is of another run: it was typed at %d ns after %d instructions, and here these are %d ns and %d instructions, "+
		"or it does not fit into the serial port", e.Want.VirtualNS, e.Want.Instructions, e.Now.VirtualNS, e.Now.Instructions)
}

// Unwrap makes it a cancelled run, and no fault of the guest's.
func (e *ReplayError) Unwrap() error { return errCancelled }

// A keyboard types on the first serial port: first what is to be repeated, then what comes in.
type keyboard struct {
	m       *Machine
	live    <-chan []byte // nil when nothing comes any more
	waiting []byte        // has come in, and does not fit into the serial port yet
	replay  []Typed
	sum     hash.Hash // of what was typed; nil where nothing was
}

// maxWaiting is how much is taken in before the guest has to read, in bytes: somebody may paste a book.
const maxWaiting = 64 << 10

// open says whether anything may still be typed.
func (k *keyboard) open() bool { return k.live != nil || len(k.replay) > 0 || len(k.waiting) > 0 }

// until returns when to look again: at the latest at ns.
func (k *keyboard) until(ns int64) int64 {
	if len(k.replay) > 0 {
		return min(ns, max(k.replay[0].VirtualNS, k.m.Now()+1))
	}
	return ns
}

// press gives the guest what is to be typed now.
func (k *keyboard) press() error {
	for len(k.replay) > 0 && k.replay[0].VirtualNS <= k.m.Now() {
		t := k.replay[0]
		k.replay = k.replay[1:]
		if now := k.m.stamp(); now != t.Stamp || k.put(t.Text) < len(t.Text) {
			return &ReplayError{t.Stamp, now}
		}
	}
	if len(k.replay) > 0 {
		return nil
	}
	k.collect()
	if len(k.waiting) > 0 {
		k.waiting = k.waiting[k.put(k.waiting):]
	}
	return nil
}

// put writes to the serial port and returns how much it took.
func (k *keyboard) put(text []byte) int {
	n, _ := k.m.board.COM1.Write(text) // short only where it is full
	if n == 0 {
		return 0
	}
	if l := k.m.lockstep; l != nil {
		l.follower.keyboard.put(text[:n])
	}
	t := Typed{k.m.stamp(), text[:n:n]}
	if k.sum == nil {
		k.sum = sha256.New()
	}
	if err := json.NewEncoder(k.sum).Encode(t); err != nil {
		panic("BUG: " + err.Error()) // numbers and a string
	}
	if k.m.cfg.Typed != nil {
		k.m.cfg.Typed(t)
	}
	return n
}

// collect takes in what has come, without waiting.
func (k *keyboard) collect() {
	for k.live != nil && len(k.waiting) < maxWaiting {
		select {
		case b, ok := <-k.live:
			k.take(b, ok)
		default:
			return
		}
	}
}

func (k *keyboard) take(b []byte, ok bool) {
	if !ok {
		k.live = nil
	}
	k.waiting = append(k.waiting, b...)
}

// rest lets a processor wait from now until a time, and returns until when it has waited. With somebody at the keyboard
// time goes as on the wall, so that a guest that waits for a key does not meet all of its timeouts before that comes;
// what is typed ends the wait.
func (k *keyboard) rest(ctx context.Context, now, until int64) int64 {
	if k.live == nil || len(k.replay) > 0 || len(k.waiting) > 0 {
		return until
	}
	began := time.Now()
	timer := time.NewTimer(time.Duration(until - now))
	defer timer.Stop()
	select {
	case b, ok := <-k.live:
		k.take(b, ok)
		return min(until, now+max(int64(time.Since(began)), 1))
	case <-timer.C:
	case <-ctx.Done():
	}
	return until
}

// digest returns the checksum of the input log of this run; it is empty where nothing was typed.
func (k *keyboard) digest() string {
	if k.sum == nil {
		return ""
	}
	return hex.EncodeToString(k.sum.Sum(nil))
}

// replayError finds out whether the run could not repeat what was typed.
func replayError(end error) error {
	var e *ReplayError
	if errors.As(end, &e) {
		return e
	}
	return nil
}
