package firmware

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/imagetest"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/uefi"
)

// A testDisk is a disk in memory, which can fail.
type testDisk struct {
	bytes []byte
	fails bool
}

var errBroken = errors.New("broken")

func (d *testDisk) Size() int64 { return int64(len(d.bytes)) }

func (d *testDisk) ReadAt(b []byte, at int64) (int, error) {
	switch {
	case d.fails:
		return 0, errBroken
	case at < 0 || at > d.Size()-int64(len(b)):
		return 0, io.EOF
	}
	return copy(b, d.bytes[at:]), nil
}

func (d *testDisk) WriteAt(b []byte, at int64) (int, error) {
	if d.fails || at < 0 || at > d.Size()-int64(len(b)) {
		return 0, errBroken
	}
	return copy(d.bytes[at:], b), nil
}

// aDisk has an EFI system partition with files.
func aDisk(t testing.TB, files imagetest.Files) *testDisk {
	t.Helper()
	b, err := os.ReadFile(imagetest.Disk(t, "gpt", imagetest.Partition{Type: imagetest.ESP, Path: imagetest.FAT(t, 16, 16, files)}))
	if err != nil {
		t.Fatal(err)
	}
	return &testDisk{bytes: b}
}

// fromDisk boots a machine from a disk.
func fromDisk(t testing.TB, d *testDisk) *machine {
	t.Helper()
	return newMachine(t, func(c *Config) { c.Image, c.Disks = nil, []Disk{d} })
}

// at64 returns a member of an interface.
func (m *machine) at64(this uint64, offset int) uint64 { return m.word(this + uint64(offset)) }

func (m *machine) status(want uefi.Status, function uint64, args ...uint64) {
	m.Helper()
	if got := m.must(function, args...); got != want {
		m.Errorf("%v, want %v", got, want)
	}
}

func TestBlocks(t *testing.T) {
	d := aDisk(t, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": testImage(nil), "a": bytes.Repeat([]byte{7}, 5000)})
	m := fromDisk(t, d)
	if len(m.media) != 2 || !m.media[1].esp || !m.media[1].fat || m.media[0].fat {
		t.Fatalf("media %+v", m.media)
	}
	for _, medium := range m.media {
		this := medium.blockIO
		media := m.at64(this, uefi.BlockIOMedia)
		if last := m.at64(media, uefi.BlockMediaLastBlock); last != uint64(medium.size/512)-1 {
			t.Errorf("the last block is %d of %d bytes", last, medium.size)
		}
		read, write := m.at64(this, uefi.BlockIOReadBlocks), m.at64(this, uefi.BlockIOWriteBlocks)
		buffer := m.alloc(make([]byte, 3<<20))
		m.status(uefi.Success, read, this, mediaID, 3, 3<<20, buffer) // in pieces
		if !bytes.Equal(m.bytes(buffer, 3<<20), d.bytes[medium.start+3*512:][:3<<20]) {
			t.Error("other bytes than the disk has")
		}
		blocks := uint64(medium.size / 512)
		m.status(uefi.Success, read, this, mediaID, blocks-1, 512, buffer)
		m.status(uefi.Success, read, this, mediaID, blocks, 0, buffer)
		m.status(uefi.InvalidParameter, read, this, mediaID, blocks, 512, buffer)
		m.status(uefi.InvalidParameter, read, this, mediaID, blocks-1, 1024, buffer)
		m.status(uefi.InvalidParameter, read, this, mediaID, ^uint64(0), 512, buffer)
		m.status(uefi.InvalidParameter, read, this, mediaID, 1, ^uint64(511), buffer)
		m.status(uefi.BadBufferSize, read, this, mediaID, 0, 511, buffer)
		m.status(uefi.MediaChanged, read, this, mediaID+1, 0, 512, buffer)
		m.status(uefi.InvalidParameter, read, this+8, mediaID, 0, 512, buffer)
		m.status(uefi.InvalidParameter, read, this, mediaID, 0, 512, 0)
		m.poke(buffer, []byte("written"))
		m.status(uefi.Success, write, this, mediaID, blocks-1, 512, buffer)
		if at := medium.start + medium.size - 512; string(d.bytes[at:at+7]) != "written" {
			t.Error("what was written is not on the disk")
		}
		m.status(uefi.InvalidParameter, write, this, mediaID, blocks, 512, buffer)
		bytesRead := m.at64(medium.diskIO, uefi.DiskIOReadDisk)
		m.status(uefi.Success, bytesRead, medium.diskIO, mediaID, 3, 5, buffer)
		m.status(uefi.InvalidParameter, bytesRead, medium.diskIO, mediaID, uint64(medium.size)-4, 5, buffer)
		d.fails = true
		m.status(uefi.DeviceError, read, this, mediaID, 0, 512, buffer)
		m.status(uefi.DeviceError, write, this, mediaID, 0, 512, buffer)
		d.fails = false
	}
}

// root opens the file system of the partition.
func (m *machine) root() uint64 {
	m.Helper()
	at := m.room(1)
	m.status(uefi.Success, m.at64(m.media[1].fileSystem, uefi.FileSystemOpenVolume), m.media[1].fileSystem, at)
	return m.word(at)
}

// opens opens a file and returns its interface; 0 where that fails as it should.
func (m *machine) opens(want uefi.Status, dir uint64, name string, mode uint64) uint64 {
	m.Helper()
	at := m.room(1)
	m.status(want, m.at64(dir, uefi.FileOpen), dir, at, m.alloc(wide(name)), mode, 0)
	return m.word(at)
}

func TestFiles(t *testing.T) {
	contents := bytes.Repeat([]byte("0123456789"), 1000)
	m := fromDisk(t, aDisk(t, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": testImage(nil), "dir/A long name.txt": contents, "dir/empty": nil}))
	root := m.root()
	dir := m.opens(uefi.Success, root, `DIR`, uefi.FileModeRead)
	for _, name := range []string{`\dir\A long name.txt`, `dir\a LONG name.TXT`, `.\dir\..\dir\.\A long name.txt`} {
		m.opens(uefi.Success, root, name, uefi.FileModeRead)
	}
	m.opens(uefi.NotFound, root, `dir\other`, uefi.FileModeRead)
	m.opens(uefi.NotFound, root, `dir\empty\x`, uefi.FileModeRead)
	m.opens(uefi.NotFound, root, `..\x`, uefi.FileModeRead)
	m.opens(uefi.InvalidParameter, root, `dir`, 0)
	m.opens(uefi.WriteProtected, root, `dir\new`, uefi.FileModeRead|uefi.FileModeWrite|uefi.FileModeCreate)
	m.opens(uefi.WriteProtected, root, `dir\empty`, uefi.FileModeRead|uefi.FileModeWrite)

	file := m.opens(uefi.Success, dir, `A long name.txt`, uefi.FileModeRead)
	read, size, buffer := m.at64(file, uefi.FileRead), m.room(1), m.alloc(make([]byte, 20000))
	m.putWord(size, 7)
	m.status(uefi.Success, read, file, size, buffer)
	m.status(uefi.Success, read, file, size, buffer)
	if got := m.bytes(buffer, 7); string(got) != "7890123" {
		t.Errorf("read %q", got)
	}
	m.putWord(size, 20000)
	m.status(uefi.Success, read, file, size, buffer)
	if m.word(size) != 10000-14 || !bytes.Equal(m.bytes(buffer, 10000-14), contents[14:]) {
		t.Errorf("%d bytes", m.word(size))
	}
	m.putWord(size, 20000)
	m.status(uefi.Success, read, file, size, buffer)
	if m.word(size) != 0 {
		t.Errorf("%d bytes after the end", m.word(size))
	}
	setPosition := m.at64(file, uefi.FileSetPosition)
	m.status(uefi.Success, setPosition, file, 1<<40)
	m.status(uefi.DeviceError, read, file, size, buffer)
	m.status(uefi.Success, setPosition, file, ^uint64(0))
	m.status(uefi.Success, m.at64(file, uefi.FileGetPosition), file, size)
	if m.word(size) != 10000 {
		t.Errorf("the end is at %d", m.word(size))
	}
	m.status(uefi.WriteProtected, m.at64(file, uefi.FileWrite), file, size, buffer)

	var names []string
	for range 4 {
		m.putWord(size, 20000)
		m.status(uefi.Success, m.at64(dir, uefi.FileRead), dir, size, buffer)
		if n := m.word(size); n > 0 {
			b := m.bytes(buffer, int(n))
			names = append(names, narrow(untilZero(b[uefi.FileInfoFileName:])))
			if binary.LittleEndian.Uint64(b) != n {
				t.Errorf("an entry of %d bytes says %d", n, binary.LittleEndian.Uint64(b))
			}
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"A long name.txt", "empty"}) {
		t.Errorf("the directory has %q", names)
	}
	m.putWord(size, 8)
	m.status(uefi.BufferTooSmall, m.at64(file, uefi.FileGetInfo), file, m.guid(uefi.FileInfoGUID), size, buffer)
	m.status(uefi.Success, m.at64(file, uefi.FileGetInfo), file, m.guid(uefi.FileInfoGUID), size, buffer)
	if n := m.at64(buffer, uefi.FileInfoFileSize); n != 10000 {
		t.Errorf("a file of %d bytes", n)
	}
	m.status(uefi.Success, m.at64(file, uefi.FileClose), file)
	m.status(uefi.InvalidParameter, read, file, size, buffer)
}

// What has no file system that can be read, and what is damaged, is an error of the guest's, or of the user's at the start.
func TestDisksWithNothingToStart(t *testing.T) {
	damaged := aDisk(t, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": []byte("no program")})
	for what, d := range map[string]*testDisk{
		"an empty disk":        {bytes: make([]byte, 1<<20)},
		"no bytes":             {},
		"no loader":            aDisk(t, imagetest.Files{"a": nil}),
		"a loader that is not": damaged,
	} {
		m := &machine{TB: t, functions: map[uint64]func(rcx, rdx uint64) uint64{}}
		cfg := Config{TotalMemory: 256 << 20, ACPI: testACPI(), Disks: []Disk{d}}
		var err error
		if m.ram, err = mem.New(cfg.TotalMemory); err != nil {
			t.Fatal(err)
		}
		defer m.ram.Close()
		if m.Firmware, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		err = m.boot(m)
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "disk") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A variable names what is started, wherever its partition is; what cannot be started is passed over.
func TestBootOrder(t *testing.T) {
	d := aDisk(t, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": testImage(nil), `EFI/other.efi`: testImage(nil)})
	m := fromDisk(t, d)
	short := m.mediumPath(&m.media[1])[len(diskPath(0)):]
	option := func(active uint32, path string) []byte {
		list := endPath(short, pathNode(pathMedia, pathFile, wide(path)))
		b := binary.LittleEndian.AppendUint32(nil, active)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(list)))
		return append(append(append(b, wide("something")...), list...), "options"...)
	}
	set := func(name string, data []byte) {
		m.variables.list = append(m.variables.list, variable{vendor: uefi.GlobalVariableGUID, name: units(name), data: data})
	}
	set("BootOrder", []byte{7, 0, 8, 0, 9, 0, 10, 0})
	set("Boot0007", option(0, `\EFI\other.efi`)) // not active
	set("Boot0009", option(1, `\EFI\none.efi`))
	set("Boot000A", option(1, `\EFI\other.efi`))
	m.options = m.bootOptions()
	var paths []string
	for _, o := range m.options {
		paths = append(paths, o.path)
	}
	if want := []string{`\EFI\none.efi`, `\EFI\other.efi`, fallback}; !slices.Equal(paths, want) {
		t.Fatalf("%q, want %q", paths, want)
	}
	m.frames = nil
	if err := m.bootNext(); err != nil {
		t.Fatal(err)
	}
	im := m.image(m.frames[0].image)
	if im.name != `\EFI\other.efi` || m.word(im.options) != binary.LittleEndian.Uint64([]byte("options\x00")) || len(m.options) != 1 {
		t.Errorf("started %q, left %d", im.name, len(m.options))
	}
}

// An image that a path leads to is loaded, and knows its device.
func TestLoadImageFromDisk(t *testing.T) {
	m := fromDisk(t, aDisk(t, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": testImage(nil), "x.efi": testImage(nil), "y": []byte("text")}))
	at := m.room(1)
	for path, want := range map[string]uefi.Status{`\x.efi`: uefi.Success, `x.efi`: uefi.Success, `\y`: uefi.LoadError, `\z`: uefi.NotFound} {
		whole := endPath(m.mediumPath(&m.media[1]), pathNode(pathMedia, pathFile, wide(path)))
		m.wants(want, uefi.BSLoadImage, 0, m.images[0].handle, m.alloc(whole), 0, 0, at)
		if want != uefi.Success {
			continue
		}
		im := m.image(m.word(at))
		if im.name != `\x.efi` || m.at64(im.loaded, uefi.LoadedImageDeviceHandle) != m.media[1].handle {
			t.Errorf("%+v", im)
		}
	}
}

func TestDevicePathText(t *testing.T) {
	m := fromDisk(t, aDisk(t, imagetest.Files{"EFI/BOOT/BOOTX64.EFI": testImage(nil)}))
	path := endPath(m.mediumPath(&m.media[1]), pathNode(pathMedia, pathFile, wide(`\a\b`)))
	text := pathText(path)
	if !strings.HasPrefix(text, "PciRoot(0x0)/Pci(0x2,0x0)/HD(1,GPT,") || !strings.HasSuffix(text, `/\a\b`) {
		t.Errorf("%q", text)
	}
	var nodes [][]byte
	for _, word := range strings.Split(text, "/") {
		nodes = append(nodes, nodeOf(word))
	}
	if back := endPath(nodes...); !bytes.Equal(back, path) {
		t.Errorf("%q becomes % x, not % x", text, back, path)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		text, pattern string
		want          bool
	}{
		{"a.txt", "*.TXT", true}, {"a.txt", "?.txt", true}, {"a.txt", "b*", false}, {"", "*", true}, {"", "?", false},
		{"fs0:", "fs[0-9]:", true}, {"fsx:", "fs[0-9]:", false}, {"aab", "*a*b", true}, {"aab", "*a*c", false}, {"x", "[", false},
	} {
		if got := matches(units(c.text), units(c.pattern)); got != c.want {
			t.Errorf("%q like %q: %v", c.text, c.pattern, got)
		}
	}
}
