package firmware

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/uefi"
)

// This file is as much of the human interface infrastructure as the EDK2 Shell takes its texts from: EFI_HII_DATABASE_PROTOCOL,
// which keeps packages, and EFI_HII_STRING_PROTOCOL, which finds a string in them (UEFI 2.10, chapters 33 and 34). There are no
// forms, fonts and keyboard layouts.

// A packageList is what a program has handed in.
type packageList struct {
	handle uint64
	guid   uefi.GUID
	driver uint64
	bytes  []byte // with its header
}

const (
	hiiBase        = 0x7AC1_4111_0000_0000 // not canonical
	maxPackageList = 4 << 20               // bytes of one, and of all
	maxPackages    = 64

	packageHeader = 4
	listHeader    = 20
	stringPackage = 0x04 // EFI_HII_PACKAGE_STRINGS
	endPackage    = 0xDF
)

// newPackageList(*This, *PackageList, DriverHandle, *Handle)
func (f *Firmware) newPackageList(a args) error {
	head := make([]byte, listHeader)
	if err := f.read(a[1], head); err != nil {
		return err
	}
	size := uint64(binary.LittleEndian.Uint32(head[16:]))
	if size < listHeader || a[3] == 0 {
		return invalidParameter
	}
	held := uint64(0)
	for _, l := range f.packages {
		held += uint64(len(l.bytes))
	}
	if len(f.packages) >= maxPackages || size > maxPackageList || held+size > maxPackageList {
		return outOfResources
	}
	b := make([]byte, size)
	if err := f.read(a[1], b); err != nil {
		return err
	}
	f.packageSeq++
	l := packageList{hiiBase + f.packageSeq, uefi.GUID(head[:16]), a[2], b}
	f.packages = append(f.packages, l)
	return f.store64(a[3], l.handle)
}

// removePackageList(*This, Handle)
func (f *Firmware) removePackageList(a args) error {
	n := len(f.packages)
	f.packages = slices.DeleteFunc(f.packages, func(l packageList) bool { return l.handle == a[1] })
	if len(f.packages) == n {
		return notFound
	}
	return nil
}

// listPackageLists(*This, PackageType, *PackageGuid, *HandleBufferLength, *Handle): those with packages of a type; 0 is any.
func (f *Firmware) listPackageLists(a args) error {
	size, err := f.load64(a[3])
	if err != nil {
		return err
	}
	var ids []uint64
	for _, l := range f.packages {
		has := byte(a[1]) == 0
		l.each(func(kind byte, _ []byte) bool { has = has || kind == byte(a[1]); return !has })
		if has {
			ids = append(ids, l.handle)
		}
	}
	if len(ids) == 0 {
		return notFound
	}
	return f.give(encode(ids), size, a[3], a[4])
}

// packageListHandle(*This, PackageListHandle, *DriverHandle)
func (f *Firmware) packageListHandle(a args) error {
	for _, l := range f.packages {
		if l.handle == a[1] {
			return f.store64(a[2], l.driver)
		}
	}
	return invalidParameter
}

// each goes through the packages of a list until do returns false.
func (l *packageList) each(do func(kind byte, body []byte) bool) {
	for b := l.bytes[listHeader:]; len(b) >= packageHeader; {
		v := binary.LittleEndian.Uint32(b)
		n, kind := int(v&0xFF_FFFF), byte(v>>24)
		if n < packageHeader || n > len(b) || kind == endPackage || !do(kind, b[:n]) {
			return
		}
		b = b[n:]
	}
}

// hiiLanguage is a string package: its language and its blocks (UEFI 2.10, section 33.3.6).
func hiiLanguage(b []byte) (language string, blocks []byte) {
	const header = 46
	if len(b) < header {
		return "", nil
	}
	language, _, _ = strings.Cut(string(b[header:]), "\x00")
	if at := int(binary.LittleEndian.Uint32(b[8:])); at >= header && at <= len(b) {
		blocks = b[at:]
	}
	return language, blocks
}

// hiiString finds a string among blocks.
func hiiString(blocks []byte, id uint16) ([]uint16, bool) {
	const (
		end, scsu, scsuFont, scsus, scsusFont = 0x00, 0x10, 0x11, 0x12, 0x13
		ucs2, ucs2Font, ucs2s, ucs2sFont      = 0x14, 0x15, 0x16, 0x17
		duplicate, skip2, skip1               = 0x20, 0x21, 0x22
		ext1, ext2, ext4                      = 0x30, 0x31, 0x32
	)
	le := binary.LittleEndian
	narrowText := func(b []byte) (s []uint16, n int, ok bool) {
		n = bytes.IndexByte(b, 0)
		for _, c := range b[:max(n, 0)] {
			s = append(s, uint16(c))
		}
		return s, n + 1, n >= 0
	}
	wideText := func(b []byte) (s []uint16, n int, ok bool) {
		for ; n+2 <= len(b); n += 2 {
			if c := le.Uint16(b[n:]); c != 0 {
				s = append(s, c)
				continue
			}
			return s, n + 2, true
		}
		return nil, 0, false
	}
	at := uint16(1) // of the next string
	for b := blocks; len(b) > 0; {
		kind, text, head, count := b[0], narrowText, 1, 1
		switch kind {
		case end:
			return nil, false
		case scsuFont:
			head = 2
		case scsus, scsusFont, ucs2s, ucs2sFont:
			if head = 3; kind == scsusFont || kind == ucs2sFont {
				head = 4
			}
			if len(b) < head {
				return nil, false
			}
			count = int(le.Uint16(b[head-2:]))
		case ucs2Font:
			head = 2
		case scsu, ucs2:
		case duplicate:
			if len(b) < 3 {
				return nil, false
			}
			if at == id {
				if other := le.Uint16(b[1:]); other < id { // one before it: a circle ends
					return hiiString(blocks, other)
				}
				return nil, false
			}
			at, b = at+1, b[3:]
			continue
		case skip2, skip1:
			n, size := 0, 2
			if kind == skip2 {
				size = 3
			}
			if len(b) < size {
				return nil, false
			}
			if n = int(b[1]); kind == skip2 {
				n = int(le.Uint16(b[1:]))
			}
			if id >= at && int(id) < int(at)+n {
				return nil, false
			}
			at, b = at+uint16(n), b[size:]
			continue
		case ext1, ext2, ext4:
			if len(b) < 6 {
				return nil, false
			}
			n := int(b[2])
			if kind == ext2 {
				n = int(le.Uint16(b[2:]))
			} else if kind == ext4 {
				n = int(min(le.Uint32(b[2:]), maxPackageList))
			}
			if n == 0 || n > len(b) {
				return nil, false
			}
			b = b[n:]
			continue
		default:
			return nil, false
		}
		if kind >= ucs2 {
			text = wideText
		}
		if len(b) < head {
			return nil, false
		}
		b = b[head:]
		for range count {
			s, n, ok := text(b)
			if !ok || at == id {
				return s, ok
			}
			at, b = at+1, b[n:]
		}
	}
	return nil, false
}

// strings goes through the string packages of a list.
func (f *Firmware) strings(handle uint64, do func(language string, blocks []byte) bool) (known bool) {
	for i := range f.packages {
		if l := &f.packages[i]; l.handle == handle {
			l.each(func(kind byte, b []byte) bool {
				if kind != stringPackage {
					return true
				}
				language, blocks := hiiLanguage(b)
				return do(language, blocks)
			})
			return true
		}
	}
	return false
}

// getString(*This, *Language, PackageList, StringId, *String, *StringSize, **StringFontInfo)
func (f *Firmware) getString(a args) error {
	sizeAt := a[5]
	var language [32]byte
	if err := f.read(a[1], language[:1]); err != nil {
		return err
	}
	for i := range language {
		if err := f.read(a[1]+uint64(i), language[i:i+1]); err != nil {
			return err
		}
		if language[i] == 0 {
			break
		}
	}
	want, _, _ := strings.Cut(string(language[:]), "\x00")
	var found []uint16
	has, speaks := false, false
	known := f.strings(a[2], func(language string, blocks []byte) bool {
		if language != want {
			return true
		}
		speaks = true
		found, has = hiiString(blocks, uint16(a[3]))
		return !has
	})
	switch {
	case known && !speaks:
		return failure(uefi.InvalidLanguage)
	case !has:
		return notFound
	}
	size, err := f.load64(sizeAt)
	if err != nil {
		return err
	}
	if a[4] == 0 {
		size = 0
	}
	return f.give(terminated(found), size, sizeAt, a[4])
}

// getLanguages(*This, PackageList, *Languages, *LanguagesSize)
func (f *Firmware) getLanguages(a args) error {
	size, err := f.load64(a[3])
	if err != nil {
		return err
	}
	var all []string
	if !f.strings(a[1], func(language string, _ []byte) bool {
		if !slices.Contains(all, language) {
			all = append(all, language)
		}
		return true
	}) {
		return notFound
	}
	return f.give(append([]byte(strings.Join(all, ";")), 0), size, a[3], a[2])
}

// publishHII installs the protocols.
func (f *Firmware) publishHII() error {
	for _, p := range []struct {
		guid      uefi.GUID
		size      int
		functions []function
	}{
		{uefi.HIIDatabaseProtocolGUID, uefi.HIIDatabaseSize, hiiDatabase},
		{uefi.HIIStringProtocolGUID, uefi.HIIStringSize, hiiStrings},
		{uefi.HIIConfigRoutingProtocolGUID, uefi.HIIConfigRoutingSize, hiiConfigRouting},
		{uefi.DevicePathUtilitiesProtocolGUID, uefi.DevicePathUtilitiesSize, devicePathUtilities},
		{uefi.DevicePathToTextProtocolGUID, uefi.DevicePathToTextSize, devicePathToText},
		{uefi.DevicePathFromTextProtocolGUID, uefi.DevicePathFromTextSize, devicePathFromText},
	} {
		if _, err := f.publish(0, p.guid, p.size, p.functions); err != nil {
			return err
		}
	}
	return f.publishCollation()
}
