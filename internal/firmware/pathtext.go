package firmware

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/tacit-vm/tacit/uefi"
)

// This file is EFI_DEVICE_PATH_TO_TEXT_PROTOCOL and EFI_DEVICE_PATH_FROM_TEXT_PROTOCOL (UEFI 2.10, section 10.6): of the nodes that
// firmware's own paths have, and of all others as Path(type,subtype,data).

// nodeText writes a node.
func nodeText(n []byte) string {
	le := binary.LittleEndian
	kind, subtype, body := n[0], n[1], n[pathNodeSize:]
	switch {
	case kind == pathACPI && subtype == pathACPINode && len(body) == 8 && le.Uint32(body) == pciRoot:
		return fmt.Sprintf("PciRoot(0x%X)", le.Uint32(body[4:]))
	case kind == pathHardware && subtype == pathPCI && len(body) == 2:
		return fmt.Sprintf("Pci(0x%X,0x%X)", body[1], body[0])
	case kind == pathHardware && subtype == pathVendor && len(body) >= 16:
		return "VenHw(" + strings.ToUpper(uefi.GUID(body[:16]).String()) + dataText(body[16:]) + ")"
	case kind == pathMedia && subtype == pathVendorMedia && len(body) >= 16:
		return "VenMedia(" + strings.ToUpper(uefi.GUID(body[:16]).String()) + dataText(body[16:]) + ")"
	case kind == pathMedia && subtype == pathFile:
		return narrow(untilZero(body))
	case kind == pathMedia && subtype == pathHardDrive && len(body) == 38:
		scheme, signature := fmt.Sprintf("0x%X", body[36]), "0"
		switch body[37] {
		case signatureMBR:
			signature = fmt.Sprintf("0x%08X", le.Uint32(body[20:]))
		case signatureGPT:
			signature = strings.ToUpper(uefi.GUID(body[20:36]).String())
		}
		switch body[36] {
		case formatMBR:
			scheme = "MBR"
		case formatGPT:
			scheme = "GPT"
		}
		return fmt.Sprintf("HD(%d,%s,%s,0x%X,0x%X)", le.Uint32(body), scheme, signature, le.Uint64(body[4:]), le.Uint64(body[12:]))
	}
	return fmt.Sprintf("Path(%d,%d%s)", kind, subtype, dataText(body))
}

func dataText(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return fmt.Sprintf(",%X", b)
}

func untilZero(b []byte) (s []uint16) {
	for ; len(b) >= 2 && b[0]|b[1] != 0; b = b[2:] {
		s = append(s, binary.LittleEndian.Uint16(b))
	}
	return s
}

// pathText writes a whole path, whose nodes have been checked.
func pathText(path []byte) string {
	var b strings.Builder
	for len(path) >= pathNodeSize && path[0] != pathEnd {
		n := int(binary.LittleEndian.Uint16(path[2:]))
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(nodeText(path[:n]))
		path = path[n:]
	}
	return b.String()
}

// nodeOf reads a node from text. What is no node is the name of a file.
func nodeOf(text string) []byte {
	le := binary.LittleEndian
	name, rest, call := strings.Cut(text, "(")
	if list, ok := strings.CutSuffix(rest, ")"); call && ok {
		words := strings.Split(list, ",")
		var numbers [8]uint64
		for i, w := range words {
			if i < len(numbers) {
				numbers[i], _ = strconv.ParseUint(w, 0, 64)
			}
		}
		switch {
		case name == "PciRoot" && len(words) == 1:
			return pathNode(pathACPI, pathACPINode, le.AppendUint32(le.AppendUint32(nil, pciRoot), uint32(numbers[0])))
		case name == "Pci" && len(words) == 2:
			return pathNode(pathHardware, pathPCI, []byte{byte(numbers[1]), byte(numbers[0])})
		case name == "HD" && len(words) == 5 && words[1] == "GPT":
			if g, err := uefi.ParseGUID(strings.ToLower(words[2])); err == nil {
				b := le.AppendUint64(le.AppendUint64(le.AppendUint32(nil, uint32(numbers[0])), numbers[3]), numbers[4])
				return pathNode(pathMedia, pathHardDrive, append(append(b, g[:]...), formatGPT, signatureGPT))
			}
		case name == "HD" && len(words) == 5 && words[1] == "MBR":
			b := le.AppendUint64(le.AppendUint64(le.AppendUint32(nil, uint32(numbers[0])), numbers[3]), numbers[4])
			b = append(le.AppendUint32(b, uint32(numbers[2])), make([]byte, 12)...)
			return pathNode(pathMedia, pathHardDrive, append(b, formatMBR, signatureMBR))
		}
	}
	return pathNode(pathMedia, pathFile, wide(text))
}

// nodeToText(*DeviceNode, DisplayOnly, AllowShortcuts) returns a string in pool memory, or nothing.
func (f *Firmware) nodeToText(a args) error {
	return f.pointerOrNone(func() (uint64, error) {
		n, err := f.loadNode(a[0])
		if err != nil {
			return 0, err
		}
		return f.putPool(uefi.BootServicesData, wide(nodeText(n)))
	})
}

// pathToText(*DevicePath, DisplayOnly, AllowShortcuts)
func (f *Firmware) pathToText(a args) error {
	return f.pointerOrNone(func() (uint64, error) {
		path, err := f.loadPath(a[0])
		if err != nil {
			return 0, err
		}
		return f.putPool(uefi.BootServicesData, wide(pathText(path)))
	})
}

// textToNode(*TextDeviceNode)
func (f *Firmware) textToNode(a args) error {
	return f.pointerOrNone(func() (uint64, error) {
		text, err := f.loadString(a[0], maxWay)
		if err != nil {
			return 0, err
		}
		return f.putPool(uefi.BootServicesData, nodeOf(narrow(text)))
	})
}

// textToPath(*TextDevicePath)
func (f *Firmware) textToPath(a args) error {
	return f.pointerOrNone(func() (uint64, error) {
		text, err := f.loadString(a[0], maxWay)
		if err != nil {
			return 0, err
		}
		var nodes [][]byte
		for _, word := range strings.Split(narrow(text), "/") {
			if word != "" {
				nodes = append(nodes, nodeOf(word))
			}
		}
		return f.putPool(uefi.BootServicesData, endPath(nodes...))
	})
}

// pointerOrNone returns what a function makes, or a null pointer where it fails, which these services have for an error.
func (f *Firmware) pointerOrNone(make func() (uint64, error)) error {
	at, err := make()
	if _, failed := err.(failure); failed {
		return nil
	}
	f.ret = at
	return err
}

// loadNode reads one node.
func (f *Firmware) loadNode(va uint64) ([]byte, error) {
	head := make([]byte, pathNodeSize)
	if err := f.read(va, head); err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint16(head[2:]))
	if n < pathNodeSize || n > maxPath {
		return nil, invalidParameter
	}
	b := make([]byte, n)
	return b, f.read(va, b)
}
