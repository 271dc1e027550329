package firmware

import (
	"encoding/binary"
	"slices"

	"github.com/tacit-vm/tacit/uefi"
)

// This file is EFI_SIMPLE_TEXT_INPUT_PROTOCOL and EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL (UEFI 2.10, sections 12.2 and 12.3). Keys come
// as a terminal on a serial line sends them: characters, and control sequences for keys that have none (ECMA-48; those of
// xterm and of the VT220).

// A Keyboard is what somebody types, as bytes of a terminal.
type Keyboard interface {
	Waiting() bool               // a byte has come
	Next() (b byte, ok bool)     // takes it
	Open() bool                  // more may come
	Rest(now, until int64) int64 // lets time pass for one who waits for a key, until a virtual time or a key, and says until when
}

// A keyboardState is what has been taken of a key that is not all there.
type keyboardState struct {
	bytes  []byte // at most maxTyped
	forKey uint64 // the event that a key signals
	forEx  uint64
	notify []keyNotify
}

const (
	maxSequence = 8          // bytes of a control sequence
	keyRest     = 10_000_000 // ns of waiting for a key at a time
)

// Scan codes (UEFI 2.10, appendix B).
var sequences = map[string]uint16{
	"[A": 0x01, "[B": 0x02, "[C": 0x03, "[D": 0x04, "[H": 0x05, "[F": 0x06, "OH": 0x05, "OF": 0x06, "OA": 0x01, "OB": 0x02, "OC": 0x03, "OD": 0x04,
	"[1~": 0x05, "[2~": 0x07, "[3~": 0x08, "[4~": 0x06, "[5~": 0x09, "[6~": 0x0A,
	"OP": 0x0B, "OQ": 0x0C, "OR": 0x0D, "OS": 0x0E, "[15~": 0x0F, "[17~": 0x10, "[18~": 0x11, "[19~": 0x12, "[20~": 0x13, "[21~": 0x14,
	"[23~": 0x15, "[24~": 0x16,
}

const scanEscape = 0x17

// keyWaits says whether a key can be read.
func (f *Firmware) keyWaits() bool {
	return len(f.keyboard.bytes) > 0 || f.cfg.Keyboard != nil && f.cfg.Keyboard.Waiting()
}

// typing says whether a key may still come.
func (f *Firmware) typing() bool {
	return f.cfg.Keyboard != nil && (f.cfg.Keyboard.Open() || f.keyWaits())
}

// key takes a key. A control sequence that is not all there within a moment is an escape key and what follows it.
func (f *Firmware) key() (scan, char uint16, ok bool) {
	b := &f.keyboard.bytes
	for len(*b) < maxSequence && f.cfg.Keyboard != nil {
		next, ok := f.cfg.Keyboard.Next()
		if !ok {
			break
		}
		*b = append(*b, next)
	}
	if len(*b) == 0 {
		return 0, 0, false
	}
	first := (*b)[0]
	if first == 0x1B {
		for n := 2; n < len(*b); n++ {
			if scan, ok := sequences[string((*b)[1:n+1])]; ok {
				*b = (*b)[n+1:]
				return scan, 0, true
			}
		}
		*b = (*b)[1:]
		return scanEscape, 0, true
	}
	*b = (*b)[1:]
	switch first {
	case 0x7F:
		return 0, '\b', true
	case '\n':
		return 0, '\r', true
	}
	return 0, uint16(first), true
}

// signalKeys signals those who wait for a key.
func (f *Firmware) signalKeys() {
	f.notifyKeys()
	if !f.keyWaits() {
		return
	}
	for _, id := range []uint64{f.keyboard.forKey, f.keyboard.forEx} {
		if e, err := f.event(id); err == nil {
			f.signal(e)
		}
	}
}

// inputReset(*This, ExtendedVerification) forgets what has been typed.
func (f *Firmware) inputReset(args) error {
	for range maxString {
		if _, _, ok := f.key(); !ok {
			break
		}
	}
	return nil
}

// readKeyStroke(*This, *Key)
func (f *Firmware) readKeyStroke(a args) error {
	if _, err := f.readU32(a[1]); err != nil {
		return err
	}
	scan, char, ok := f.key()
	if !ok {
		return notReady
	}
	return f.store32(a[1], uint32(scan)|uint32(char)<<16)
}

// readKeyStrokeEx(*This, *KeyData): of the keys that change others nothing is known.
func (f *Firmware) readKeyStrokeEx(a args) error {
	b := make([]byte, uefi.KeyDataSize)
	if a[1] == 0 {
		return invalidParameter
	}
	scan, char, ok := f.key()
	if !ok {
		if err := f.write(a[1], b); err != nil {
			return err
		}
		return notReady
	}
	binary.LittleEndian.PutUint16(b[uefi.KeyDataScanCode:], scan)
	binary.LittleEndian.PutUint16(b[uefi.KeyDataUnicodeChar:], char)
	return f.write(a[1], b)
}

// A keyNotify is a function that is called when a key is pressed, whoever reads that.
type keyNotify struct {
	event      uint64 // which calls it
	data       uint64 // the EFI_KEY_DATA that it gets
	scan, char uint16
	control    bool
}

const (
	maxKeyNotify = 64
	maxTyped     = 4096        // bytes that firmware takes in for their sake
	anyControl   = 1<<2 | 1<<3 // of KeyShiftState: EFI_RIGHT_CONTROL_PRESSED, EFI_LEFT_CONTROL_PRESSED
)

// registerKeyNotify(*This, *KeyData, KeyNotificationFunction, **NotifyHandle)
func (f *Firmware) registerKeyNotify(a args) error {
	if a[1] == 0 || a[2] == 0 || a[3] == 0 {
		return invalidParameter
	}
	if len(f.keyboard.notify) >= maxKeyNotify || len(f.events) >= maxEvents {
		return outOfResources
	}
	b := make([]byte, uefi.KeyDataSize)
	if err := f.read(a[1], b); err != nil {
		return err
	}
	data, err := f.putPool(uefi.BootServicesData, b)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	n := keyNotify{
		data: data, scan: le.Uint16(b[uefi.KeyDataScanCode:]), char: le.Uint16(b[uefi.KeyDataUnicodeChar:]),
		control: le.Uint32(b[uefi.KeyDataShiftState:])&anyControl != 0,
	}
	n.event = f.addEvent(event{kind: uefi.EventNotifySignal, tpl: uefi.TPLCallback, notify: a[2], argument: data})
	f.keyboard.notify = append(f.keyboard.notify, n)
	return f.store64(a[3], n.event)
}

// unregisterKeyNotify(*This, *NotificationHandle)
func (f *Firmware) unregisterKeyNotify(a args) error {
	i := slices.IndexFunc(f.keyboard.notify, func(n keyNotify) bool { return n.event == a[1] })
	if i < 0 {
		return invalidParameter
	}
	_ = f.returnPool(f.keyboard.notify[i].data) // the guest may have freed it
	f.keyboard.notify = slices.Delete(f.keyboard.notify, i, i+1)
	return f.closeEvent(args{a[1]})
}

// notifyKeys takes in what has been typed and has the functions called that wait for it. Only characters are looked at, as
// no program has been met that waits for another key.
func (f *Firmware) notifyKeys() {
	for len(f.keyboard.notify) > 0 && len(f.keyboard.bytes) < maxTyped && f.cfg.Keyboard != nil {
		b, ok := f.cfg.Keyboard.Next()
		if !ok {
			return
		}
		f.keyboard.bytes = append(f.keyboard.bytes, b)
		for _, n := range f.keyboard.notify {
			letter := n.control && b < ' ' && lower(n.char) == uint16(b)+'a'-1
			if e, err := f.event(n.event); err == nil && n.scan == 0 && (n.char == uint16(b) || letter) {
				f.signal(e)
			}
		}
	}
}

func (f *Firmware) readU32(va uint64) (uint32, error) {
	var b [4]byte
	err := f.read(va, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}
