package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/uefi"
)

// A variableStore holds EFI variables (UEFI 2.10, section 8.2). It starts with firmware's own and with those of Config.Variables:
// whether what is called non-volatile outlives the machine is its owner's to decide. There is no secure boot, and so no variable that only a key may
// write.
type variableStore struct {
	list []variable // in the order of their creation, which is what GetNextVariableName follows
	size int        // bytes of names, contents and overhead
}

type variable struct {
	vendor     uefi.GUID
	name       []uint16 // without the terminating zero
	attributes uint32
	data       []byte
}

const (
	maxName     = 512       // characters
	maxVariable = 64 << 10  // bytes of contents
	maxStore    = 512 << 10 // bytes of names, contents and overhead
	overhead    = 64        // bytes that each variable counts for in addition

	knownAttributes = uefi.VariableNonVolatile | uefi.VariableBootServiceAccess | uefi.VariableRuntimeAccess | uefi.VariableAppendWrite
)

func (v *variable) size() int { return overhead + 2*len(v.name) + len(v.data) }

func (s *variableStore) find(vendor uefi.GUID, name []uint16) int {
	return slices.IndexFunc(s.list, func(v variable) bool { return v.vendor == vendor && slices.Equal(v.name, name) })
}

// visible says whether a variable can be seen: after ExitBootServices only if it was made to be.
func (f *Firmware) visible(v *variable) bool {
	return !f.exited || v.attributes&uefi.VariableRuntimeAccess != 0
}

// variableNamed reads a name and a vendor and finds the variable; -1 where there is none that can be seen.
func (f *Firmware) variableNamed(nameAt, vendorAt uint64) (i int, name []uint16, vendor uefi.GUID, err error) {
	if name, err = f.loadString(nameAt, maxName); err != nil {
		return
	}
	if vendor, err = f.loadGUID(vendorAt); err != nil {
		return
	}
	if i = f.variables.find(vendor, name); i >= 0 && !f.visible(&f.variables.list[i]) {
		i = -1
	}
	return
}

// getVariable(*VariableName, *VendorGuid, *Attributes, *DataSize, *Data)
func (f *Firmware) getVariable(a args) error {
	i, name, _, err := f.variableNamed(a[0], a[1])
	if err != nil {
		return err
	}
	size, err := f.load64(a[3])
	if err != nil {
		return err
	}
	if i < 0 || len(name) == 0 {
		return notFound
	}
	v := &f.variables.list[i]
	if a[2] != 0 {
		if err := f.store32(a[2], v.attributes); err != nil {
			return err
		}
	}
	if err := f.store64(a[3], uint64(len(v.data))); err != nil {
		return err
	}
	if size < uint64(len(v.data)) {
		return bufferTooSmall
	}
	return f.write(a[4], v.data)
}

// getNextVariableName(*VariableNameSize, *VariableName, *VendorGuid)
func (f *Firmware) getNextVariableName(a args) error {
	size, err := f.load64(a[0])
	if err != nil {
		return err
	}
	if size < 2 {
		return invalidParameter // not room for the empty name that asks for the first
	}
	i, name, _, err := f.variableNamed(a[1], a[2])
	if err != nil {
		return err
	}
	if len(name) > 0 && i < 0 {
		return invalidParameter
	}
	if len(name) == 0 {
		i = -1
	}
	for i++; i < len(f.variables.list); i++ {
		v := &f.variables.list[i]
		if !f.visible(v) {
			continue
		}
		b := terminated(v.name)
		if err := f.store64(a[0], uint64(len(b))); err != nil {
			return err
		}
		if size < uint64(len(b)) {
			return bufferTooSmall
		}
		if err := f.write(a[1], b); err != nil {
			return err
		}
		return f.write(a[2], v.vendor[:])
	}
	return notFound
}

// setVariable(*VariableName, *VendorGuid, Attributes, DataSize, *Data)
func (f *Firmware) setVariable(a args) error {
	attributes, size := uint32(a[2]), a[3]
	i, name, vendor, err := f.variableNamed(a[0], a[1])
	if err != nil {
		return err
	}
	appending := attributes&uefi.VariableAppendWrite != 0
	attributes &^= uefi.VariableAppendWrite
	const access = uefi.VariableBootServiceAccess | uefi.VariableRuntimeAccess
	switch {
	case len(name) == 0 || attributes&access == uefi.VariableRuntimeAccess:
		return invalidParameter
	case attributes&^knownAttributes != 0:
		return unsupported
	case size > maxVariable:
		return outOfResources
	case i >= 0 && own(vendor, name):
		return writeProtected
	case i < 0 && f.variables.find(vendor, name) >= 0:
		return invalidParameter // it exists, out of sight
	}
	if size == 0 && !appending || attributes&access == 0 {
		if i < 0 {
			return notFound
		}
		return f.removeVariable(i)
	}
	if f.exited && attributes != access|uefi.VariableNonVolatile {
		return invalidParameter // UEFI 2.10, section 8.2: all that can be written now
	}
	data := make([]byte, size)
	if size > 0 {
		if err := f.read(a[4], data); err != nil {
			return err
		}
	}
	v := variable{vendor, name, attributes, data}
	if i >= 0 {
		old := &f.variables.list[i]
		if old.attributes != attributes {
			return invalidParameter
		}
		if appending {
			v.data = append(slices.Clone(old.data), data...)
		}
		f.variables.size -= old.size()
		if len(v.data) > maxVariable || f.variables.size+v.size() > maxStore {
			f.variables.size += old.size()
			return outOfResources
		}
		f.variables.size += v.size()
		*old = v
		return nil
	}
	if size == 0 {
		return nil // nothing appended to nothing
	}
	if f.variables.size+v.size() > maxStore {
		return outOfResources
	}
	f.variables.size += v.size()
	f.variables.list = append(f.variables.list, v)
	return nil
}

func (f *Firmware) removeVariable(i int) error {
	f.variables.size -= f.variables.list[i].size()
	f.variables.list = slices.Delete(f.variables.list, i, i+1)
	return nil
}

// queryVariableInfo(Attributes, *MaximumVariableStorageSize, *RemainingVariableStorageSize, *MaximumVariableSize)
func (f *Firmware) queryVariableInfo(a args) error {
	switch attributes := uint32(a[0]); {
	case attributes == 0 || attributes&^uefi.VariableNonVolatile == uefi.VariableRuntimeAccess:
		return invalidParameter
	case attributes&^knownAttributes != 0:
		return unsupported
	}
	for i, v := range []int{maxStore, maxStore - f.variables.size, maxVariable} {
		if err := f.store64(a[1+i], uint64(v)); err != nil {
			return err
		}
	}
	return nil
}
