package firmware

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/uefi"
)

// This file is the boot manager (UEFI 2.10, chapter 3): what firmware starts from disks, one after another until one does not
// come back. Disks are tried in their order, and fixed ones no differently from removable ones, as OVMF does.

// A bootOption is something to try.
type bootOption struct {
	name    string
	medium  int
	path    string
	options []byte // LoadOptions
}

// fallback is what is started of a medium of which no variable says anything (UEFI 2.10, section 3.5.1.1).
const fallback = `\EFI\BOOT\BOOTX64.EFI`

const (
	maxBootOptions = 256
	maxPathNodes   = 64
	bootActive     = 1 // LOAD_OPTION_ACTIVE
)

// units are the 16-bit characters of a text, without a zero at its end.
func units(text string) []uint16 { return utf16.Encode([]rune(text)) }

// bootOptions are those that there are now, in the order in which they are tried.
func (f *Firmware) bootOptions() (all []bootOption) {
	for _, name := range f.bootOrder() {
		if o, ok := f.bootVariable(name); ok {
			all = append(all, o)
		}
	}
	for _, system := range []bool{true, false} { // what says that it is for firmware comes before other file systems
		for i, m := range f.media {
			if m.fat && m.esp == system {
				all = append(all, bootOption{name: fallback, medium: i, path: fallback})
			}
		}
	}
	return all
}

// bootOrder returns the numbers of options that variables name. BootNext counts once.
func (f *Firmware) bootOrder() (numbers []uint16) {
	next := f.variables.find(uefi.GlobalVariableGUID, units("BootNext"))
	if next >= 0 {
		if b := f.variables.list[next].data; len(b) == 2 {
			numbers = append(numbers, binary.LittleEndian.Uint16(b))
		}
		_ = f.removeVariable(next)
	}
	if i := f.variables.find(uefi.GlobalVariableGUID, units("BootOrder")); i >= 0 {
		for b := f.variables.list[i].data; len(b) >= 2 && len(numbers) < maxBootOptions; b = b[2:] {
			numbers = append(numbers, binary.LittleEndian.Uint16(b))
		}
	}
	return numbers
}

// bootVariable reads an EFI_LOAD_OPTION (UEFI 2.10, section 3.1.3); ok is false where it is none, or not of a file on a disk.
func (f *Firmware) bootVariable(number uint16) (o bootOption, ok bool) {
	i := f.variables.find(uefi.GlobalVariableGUID, units(fmt.Sprintf("Boot%04X", number)))
	if i < 0 {
		return o, false
	}
	b := f.variables.list[i].data
	if len(b) < 6 || binary.LittleEndian.Uint32(b)&bootActive == 0 {
		return o, false
	}
	length := int(binary.LittleEndian.Uint16(b[4:]))
	var description []uint16
	for b = b[6:]; ; b = b[2:] {
		if len(b) < 2 {
			return o, false
		}
		c := binary.LittleEndian.Uint16(b)
		if c == 0 {
			b = b[2:]
			break
		}
		description = append(description, c)
	}
	if len(b) < length {
		return o, false
	}
	o = bootOption{name: narrow(description), options: b[length:]}
	o.medium, o.path, ok = f.onDisk(b[:length])
	return o, ok
}

// onDisk finds the file that a device path leads to. The path may begin with the partition, wherever its disk is (UEFI 2.10,
// section 3.1.2).
func (f *Firmware) onDisk(path []byte) (medium int, name string, ok bool) {
	at, rest := -1, []byte(nil)
	for i := range f.media {
		m := &f.media[i]
		if !m.fat {
			continue
		}
		whole := f.mediumPath(m)
		short := whole
		if m.partition != 0 {
			short = whole[len(diskPath(m.disk)):]
		}
		for _, p := range [][]byte{whole, short} {
			if bytes.HasPrefix(path, p) && (at < 0 || len(path)-len(p) < len(rest)) {
				at, rest = i, path[len(p):]
			}
		}
	}
	if at < 0 {
		return 0, "", false
	}
	name, ok = filePath(rest)
	return at, name, ok
}

// mediumPath returns the device path of a medium without the node that ends it.
func (f *Firmware) mediumPath(m *medium) []byte { return m.path[:len(m.path)-pathNodeSize] }

// filePath joins the nodes of a path within a file system; ok is false where there are other ones, or none.
func filePath(path []byte) (name string, ok bool) {
	for range maxPathNodes {
		if len(path) < pathNodeSize {
			return name, name != ""
		}
		n := int(binary.LittleEndian.Uint16(path[2:]))
		if n < pathNodeSize || n > len(path) {
			return "", false
		}
		switch {
		case path[0] == pathEnd:
			return name, name != ""
		case path[0] != pathMedia || path[1] != pathFile:
			return "", false
		}
		var s []uint16
		for b := path[pathNodeSize:n]; len(b) >= 2 && b[0]|b[1] != 0; b = b[2:] {
			s = append(s, binary.LittleEndian.Uint16(b))
		}
		name += `\` + strings.Trim(narrow(s), `\`)
		path = path[n:]
	}
	return "", false
}

// bootNext starts the next thing that disks offer and that can be loaded. The processor has firmware's stack.
func (f *Firmware) bootNext() error {
	for len(f.options) > 0 {
		o := f.options[0]
		f.options = f.options[1:]
		err := f.bootFrom(o)
		if err == nil {
			return nil
		}
		failed, isFailure := err.(failure)
		if !isFailure {
			return err
		}
		if failed != notFound || o.path != fallback {
			f.refused = append(f.refused, fmt.Sprintf("%s of %s: %v", o.path, f.media[o.medium].name(), err))
		}
	}
	if len(f.refused) > 0 {
		return fmt.Errorf("nothing on the disks can be started: %s", strings.Join(f.refused, "; "))
	}
	return fmt.Errorf("the disks have nothing that firmware starts: no variable Boot#### names a file, and no FAT file system has %s", fallback)
}

// bootFrom loads an option and starts it.
func (f *Firmware) bootFrom(o bootOption) error {
	file, err := f.diskFile(o.medium, o.path)
	if err != nil {
		return err
	}
	p, err := parsePE(file)
	if err != nil {
		return orLoadError(err)
	}
	handle, err := f.loadWhole(p, origin{
		name: o.path, device: f.media[o.medium].handle, options: o.options,
		path: endPath(pathNode(pathMedia, pathFile, wide(o.path))),
	})
	if err != nil {
		return orLoadError(err)
	}
	f.watchdog = f.cpu.Now() + bootTimeout
	return f.start(f.image(handle), frame{saved: f.save()})
}

func orLoadError(err error) error {
	if _, bad := err.(imageError); bad {
		return loadError
	}
	return err
}

// loadWhole loads an image at once.
func (f *Firmware) loadWhole(p *peFile, o origin) (handle uint64, err error) {
	l, err := f.load(p, o)
	if err != nil {
		return 0, err
	}
	for err = errMore; err == errMore; err = f.continueLoading(l) {
		if f.cpu.Yielding() {
			return 0, x86.ErrYield
		}
	}
	if err != nil {
		f.unload(l)
		return 0, err
	}
	return f.admit(l)
}

// A diskFile is a file on a disk that is loaded as an image.
type diskFile struct {
	f      *Firmware
	medium int
	path   string
	size   int64
}

func (f *Firmware) diskFile(medium int, path string) (*diskFile, error) {
	c, err := f.contents(medium, path)
	if err != nil {
		return nil, err
	}
	if c.entry.Bytes > maxImage {
		return nil, loadError
	}
	return &diskFile{f, medium, path, c.entry.Bytes}, nil
}

func (d *diskFile) Size() int64 { return d.size }

func (d *diskFile) ReadAt(b []byte, from int64) (int, error) {
	c, err := d.f.contents(d.medium, d.path)
	if err != nil {
		return 0, err
	}
	d.f.touch(len(b))
	n, err := c.bytes.ReadAt(b, from)
	if err != nil && err != io.EOF {
		return n, d.f.diskFailed(err)
	}
	return n, err
}

// publishVariables sets what a loader asks for that wants to know on what firmware it is: there is no secure boot, and no key by
// which there could be.
func (f *Firmware) publishVariables() {
	const readable = uefi.VariableBootServiceAccess | uefi.VariableRuntimeAccess
	for _, v := range []struct {
		name string
		data []byte
	}{
		{"SecureBoot", []byte{0}}, {"SetupMode", []byte{1}},
		{"PlatformLang", []byte("en\x00")}, {"PlatformLangCodes", []byte("en\x00")},
		{"OsIndicationsSupported", make([]byte, 8)},
	} {
		f.variables.add(variable{uefi.GlobalVariableGUID, units(v.name), readable, v.data})
	}
	f.recall(f.cfg.Variables)
}

// own says whether a variable is firmware's to say.
func own(vendor uefi.GUID, name []uint16) bool {
	return vendor == uefi.GlobalVariableGUID && slices.Contains([]string{"SecureBoot", "SetupMode", "PlatformLangCodes", "OsIndicationsSupported"}, narrow(name))
}
