package inside

import (
	"errors"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
)

// Platforms, as the kernel's files tell them.
const (
	TDX   = "tdx"
	SNP   = "snp"
	Other = "" // neither, or the kernel does not say
)

// Status is all that a kernel tells of unaccepted memory. What it does not tell is zero, and why is among Unknown.
type Status struct {
	Platform string
	Kernel   string // its release, such as 6.12.57-cloud-amd64
	Books    Books
	Support  bool   // the kernel has books on unaccepted memory
	VMStat   uint64 // unaccepted by /proc/vmstat, in bytes
	Zones    []Zone
	Blocks   Blocks
	Table    uint64   // guest-physical address of the EFI table of unaccepted memory; 0 for none, or an unknown one
	Unknown  []string // what could not be read, and why
}

// A Zone is a part of a node's memory that has books of its own.
type Zone struct {
	Node       int
	Name       string
	Free       uint64 // bytes; what is unaccepted is among it
	Unaccepted uint64 // bytes
}

// Blocks are the units in which memory is added to and taken from a running system.
type Blocks struct {
	Size            uint64 // bytes
	Online, Offline int    // how many; of unaccepted memory in them sysfs tells nothing
}

// Read reads the files of the kernel below root. The log is the kernel's; logErr says why there is none.
func Read(root fs.FS, log string, logErr error) (s Status, err error) {
	s.Books, err = readBooks(root)
	s.Support = err == nil
	if err != nil && !errors.Is(err, ErrNoSupport) {
		return s, err
	}
	release, err := read(root, "proc/sys/kernel/osrelease")
	s.missing("kernel's release", err)
	s.Kernel = release
	s.Platform = platform(root, log)

	vmstat, err := read(root, "proc/vmstat")
	s.missing("vmstat", err)
	s.VMStat = counter(vmstat, "nr_unaccepted") * pageSize
	zones, err := read(root, "proc/zoneinfo")
	s.missing("zones", err)
	s.Zones = zonesOf(zones)
	s.missing("memory blocks", s.Blocks.read(root))

	s.missing("EFI table", logErr)
	if m := tableInLog.FindStringSubmatch(log); m != nil {
		s.Table, err = strconv.ParseUint(m[1], 16, 64)
		s.missing("EFI table", err)
	}
	return s, nil
}

func (s *Status) missing(what string, err error) {
	if err != nil {
		s.Unknown = append(s.Unknown, what+": "+err.Error())
	}
}

// tableInLog is the kernel's line on the tables that firmware has, in which Unaccepted is the one that the EFI stub leaves:
// "efi: ACPI=0x… Unaccepted=0x7e5ac018".
var tableInLog = regexp.MustCompile(`(?m)efi: .*\bUnaccepted=0x([0-9a-f]{1,16})\b`)

// platform finds out what the guest runs on: a TDX guest has a flag among its processor's; an SEV-SNP guest has its VMPL in
// sysfs from 6.11 on, and a device where its driver is there. Both say so in the log.
func platform(root fs.FS, log string) string {
	if cpuinfo, err := read(root, "proc/cpuinfo"); err == nil {
		for line := range strings.Lines(cpuinfo) {
			if name, flags, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "flags" {
				for flag := range strings.FieldsSeq(flags) {
					if flag == "tdx_guest" {
						return TDX
					}
				}
				break // all processors have the same
			}
		}
	}
	for _, name := range []string{"sys/devices/system/cpu/sev/vmpl", "dev/sev-guest"} {
		if _, err := fs.Stat(root, name); err == nil {
			return SNP
		}
	}
	for line := range strings.Lines(log) {
		if _, features, ok := strings.Cut(line, "Memory Encryption Features active:"); ok {
			switch {
			case strings.Contains(features, "TDX"):
				return TDX
			case strings.Contains(features, "SEV-SNP"):
				return SNP
			}
		}
	}
	return Other
}

// counter finds the line "NAME number"; 0 for none.
func counter(text, name string) uint64 {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			n, _ := strconv.ParseUint(f[1], 10, 52) // in bytes, 64 bits; the kernel writes nothing else
			return n
		}
	}
	return 0
}

var aZone = regexp.MustCompile(`^Node ([0-9]{1,6}), zone +([A-Za-z0-9]+)$`)

// zonesOf reads /proc/zoneinfo. Zones without pages are left out.
func zonesOf(text string) (zones []Zone) {
	var z *Zone
	for line := range strings.Lines(text) {
		if m := aZone.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			node, _ := strconv.Atoi(m[1]) // the expression leaves nothing else
			zones = append(zones, Zone{Node: node, Name: m[2]})
			z = &zones[len(zones)-1]
			continue
		}
		if z == nil {
			continue
		}
		z.Free += counter(line, "nr_free_pages") * pageSize
		z.Unaccepted += counter(line, "nr_unaccepted") * pageSize
	}
	kept := zones[:0]
	for _, z := range zones {
		if z.Free != 0 {
			kept = append(kept, z)
		}
	}
	return kept
}

func (b *Blocks) read(root fs.FS) (err error) {
	const dir = "sys/devices/system/memory"
	if b.Size, err = number(root, dir+"/block_size_bytes", 16); err != nil {
		return err
	}
	entries, err := fs.ReadDir(root, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "memory")
		if _, err := strconv.Atoi(digits); !ok || err != nil {
			continue
		}
		state, err := read(root, dir+"/"+e.Name()+"/state")
		switch {
		case err != nil:
			return err
		case state == "online":
			b.Online++
		default:
			b.Offline++ // going-offline, too
		}
	}
	return nil
}
