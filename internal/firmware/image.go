package firmware

import (
	"debug/pe"
	"io"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// An image is one that has been loaded and not unloaded.
type image struct {
	handle    uint64
	name      string
	memory    accept.Range
	entry     uint64
	subsystem uint16
	started   bool
	linux     string // the kernel's release; empty where it is none

	loaded   uint64 // its EFI_LOADED_IMAGE_PROTOCOL
	filePath uint64 // and what that points to; 0 for none
	options  uint64
}

const maxImages = 256

// loadedBy begins the name of an image that is in no file, and is no kernel that says its release.
const loadedBy = "an image loaded by "

func (f *Firmware) image(handle uint64) *image {
	for i := range f.images {
		if f.images[i].handle == handle {
			return &f.images[i]
		}
	}
	return nil
}

// imageAt returns the name of the image that an address is in, or "".
func (f *Firmware) imageAt(address uint64) string {
	for _, im := range f.images {
		if address >= im.memory.Start && address < im.memory.End {
			return im.name
		}
	}
	return ""
}

// caller returns the name of the image that called the service under way, through whatever mapping of its own. What an
// image has copied elsewhere, as Linux's stub does with the kernel, is not known by its address.
func (f *Firmware) caller() string {
	if i := f.callerIndex(); i >= 0 {
		return f.path.Images[i].Name
	}
	return "unknown"
}

// An origin is where an image comes from, for its EFI_LOADED_IMAGE_PROTOCOL.
type origin struct {
	name    string
	parent  uint64 // image handle; 0 for firmware itself
	device  uint64 // handle; 0 for none
	path    []byte // within the device; nil for none
	options []byte
}

// admit enters an image that is loaded into the books.
func (f *Firmware) admit(l *loading) (handle uint64, err error) {
	p, o, memory := l.file, l.origin, l.memory
	if len(f.images) >= maxImages {
		f.unload(l)
		return 0, outOfResources
	}
	im := image{name: o.name, memory: memory, entry: memory.Start + uint64(p.entry), subsystem: p.subsystem, linux: linuxRelease(p.r)}
	if im.linux != "" && strings.HasPrefix(im.name, loadedBy) {
		im.name = im.linux
	}
	defer func() {
		if err != nil {
			f.discard(im)
		}
	}()
	if o.path != nil {
		if im.filePath, err = f.putPool(uefi.BootServicesData, o.path); err != nil {
			return 0, err
		}
	}
	options := o.options
	if len(options) > 0 {
		if im.options, err = f.putPool(uefi.LoaderData, options); err != nil {
			return 0, err
		}
	}
	b := make([]byte, uefi.LoadedImageSize)
	put32(b[uefi.LoadedImageRevision:], uefi.LoadedImageProtocolRevision)
	put64(b[uefi.LoadedImageParentHandle:], o.parent)
	put64(b[uefi.LoadedImageSystemTable:], f.systemTable)
	put64(b[uefi.LoadedImageDeviceHandle:], o.device)
	put64(b[uefi.LoadedImageFilePath:], im.filePath)
	put32(b[uefi.LoadedImageLoadOptionsSize:], uint32(len(options)))
	put64(b[uefi.LoadedImageLoadOptions:], im.options)
	put64(b[uefi.LoadedImageImageBase:], memory.Start)
	put64(b[uefi.LoadedImageImageSize:], uint64(p.sizeOfImage))
	put32(b[uefi.LoadedImageImageCodeType:], uint32(memoryTypes[p.subsystem].code))
	put32(b[uefi.LoadedImageImageDataType:], uint32(memoryTypes[p.subsystem].data))
	if im.loaded, err = f.putPool(uefi.BootServicesData, b); err != nil {
		return 0, err
	}
	if im.handle, err = f.install(0, uefi.LoadedImageProtocolGUID, im.loaded); err != nil {
		return 0, err
	}
	f.images = append(f.images, im)
	return im.handle, nil
}

// discard takes an image out of memory and out of the books. What the guest has already freed or uninstalled itself is
// its own affair.
func (f *Firmware) discard(im image) {
	f.handles.closeAll(im.handle)
	_ = f.handles.uninstall(im.handle, uefi.LoadedImageProtocolGUID, im.loaded)
	for _, address := range []uint64{im.loaded, im.filePath, im.options} {
		if address != 0 {
			_ = f.returnPool(address)
		}
	}
	if f.memory.covers(im.memory, allocatable) {
		f.memory.set(im.memory, uefi.ConventionalMemory)
	}
	f.images = slices.DeleteFunc(f.images, func(i image) bool { return i.handle == im.handle })
}

// loadImage(BootPolicy, ParentImageHandle, *DevicePath, *SourceBuffer, SourceSize, *ImageHandle)
//
// Without a buffer the image is the file on a disk to which the device path leads.
func (f *Firmware) loadImage(a args) error {
	parent, pathAt, source, size, at := a[1], a[2], a[3], a[4], a[5]
	if f.unfinished.loading != nil {
		return f.loadMore(at)
	}
	if f.image(parent) == nil || at == 0 {
		return invalidParameter
	}
	// Of an image that was loaded by one that was loaded, the first loader is named: a chain of images must not make
	// names grow.
	o := origin{name: loadedBy + strings.TrimPrefix(f.image(parent).name, loadedBy), parent: parent}
	var path []byte
	if pathAt != 0 {
		var err error
		if path, err = f.loadPath(pathAt); err != nil {
			return err
		}
		device, length, err := f.matchPath(uefi.DevicePathProtocolGUID, path)
		if err != nil {
			return err
		}
		o.device, o.path = device, path[length:]
	}
	switch {
	case source == 0 && pathAt == 0:
		return invalidParameter
	case source != 0 && (size == 0 || size > maxImage):
		return loadError
	case len(f.images) >= maxImages:
		return outOfResources
	}
	file := sizedReader(&guestFile{f, source, int64(size)})
	if source == 0 {
		medium, name, ok := f.onDisk(path)
		if !ok {
			return notFound
		}
		found, err := f.diskFile(medium, name)
		if err != nil {
			return err
		}
		file = found
	}
	if name, ok := filePath(o.path); ok {
		o.name = name
	}
	p, err := parsePE(file)
	if _, bad := err.(imageError); bad {
		return loadError
	}
	if err != nil {
		return err
	}
	l, err := f.load(p, o)
	if err != nil {
		return err
	}
	f.unfinished.loading = l
	return f.loadMore(at)
}

// loadMore goes on with LoadImage. Where it fails, what is unfinished is given back with the rest.
func (f *Firmware) loadMore(at uint64) error {
	l := f.unfinished.loading
	err := f.continueLoading(l)
	if _, bad := err.(imageError); bad {
		return loadError
	}
	if err != nil {
		return err
	}
	f.unfinished.loading = nil
	handle, err := f.admit(l)
	if err != nil {
		return err
	}
	return f.store64(at, handle)
}

// A guestFile is a file in the guest's memory.
type guestFile struct {
	f    *Firmware
	at   uint64 // guest-virtual
	size int64
}

func (g *guestFile) Size() int64 { return g.size }

func (g *guestFile) ReadAt(b []byte, from int64) (int, error) {
	if from > g.size-int64(len(b)) {
		return 0, io.EOF
	}
	if err := g.f.read(g.at+uint64(from), b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// startImage(ImageHandle, *ExitDataSize, **ExitData)
func (f *Firmware) startImage(a args) error {
	im := f.image(a[0])
	if im == nil || im.started {
		return invalidParameter
	}
	if err := f.start(im, frame{saved: f.saveCaller(), dataSize: a[1], data: a[2]}); err != nil {
		return err
	}
	return errElsewhere
}

// start has the guest run an image. The frame says what is to happen when it returns.
func (f *Firmware) start(im *image, fr frame) error {
	by := "firmware"
	if len(f.frames) > 0 {
		by = f.caller()
	}
	fr.kind, fr.image, fr.tpl = frameImage, im.handle, f.tpl
	if err := f.push(fr); err != nil {
		return err
	}
	if err := f.enter(im.entry, slotImageReturned, im.handle, f.systemTable); err != nil {
		f.frames = f.frames[:len(f.frames)-1] // StartImage fails, and nothing has been started
		return err
	}
	im.started = true
	f.started(im, by)
	return nil
}

// exit(ImageHandle, ExitStatus, ExitDataSize, *ExitData)
func (f *Firmware) exit(a args) error {
	im := f.image(a[0])
	if im == nil {
		return invalidParameter
	}
	if !im.started {
		f.discard(*im)
		return nil
	}
	if i := f.running(); i < 0 || f.frames[i].image != im.handle {
		return invalidParameter // only the image that was started last can exit
	}
	if err := f.leave(uefi.Status(a[1]), a[2], a[3]); err != nil {
		return err
	}
	return errElsewhere
}

// leave ends the image that was started last and goes on after the StartImage that started it.
func (f *Firmware) leave(status uefi.Status, dataSize, data uint64) error {
	i := f.running()
	fr := f.frames[i]
	im := *f.image(fr.image)
	if i == 0 && len(f.options) == 0 {
		return &Returned{Image: im.name, Status: status, Text: f.text(data, dataSize)}
	}
	f.frames = f.frames[:i]
	f.restore(fr.saved)
	f.setTPL(fr.tpl)
	f.cpu.GPR()[rax] = uint64(status)
	// A driver that returns success stays.
	if im.subsystem == pe.IMAGE_SUBSYSTEM_EFI_APPLICATION || status.IsError() {
		f.discard(im)
	}
	if i == 0 {
		return f.bootNext()
	}
	if fr.dataSize == 0 || fr.data == 0 {
		return nil
	}
	// The pointers are StartImage's; if they are bad, there is no caller left to be told.
	if err := f.store64(fr.dataSize, dataSize); err != nil && err != invalidParameter {
		return err
	}
	if err := f.store64(fr.data, data); err != nil && err != invalidParameter {
		return err
	}
	return nil
}

// text reads what an image says on leaving: a string, of which the size counts.
func (f *Firmware) text(va, size uint64) string {
	const most = 1024
	b := make([]byte, min(size, most)&^1)
	if len(b) == 0 || f.read(va, b) != nil {
		return ""
	}
	var s []uint16
	for ; len(b) > 0 && b[0]|b[1] != 0; b = b[2:] {
		s = append(s, uint16(b[0])|uint16(b[1])<<8)
	}
	return narrow(s)
}

// unloadImage(ImageHandle)
//
// An image that has been started is asked, by its Unload function, and stays where it has none or does not want to go. So does one
// that is running.
func (f *Firmware) unloadImage(a args) error {
	im, u := f.image(a[0]), &f.unfinished
	switch {
	case im == nil:
		return invalidParameter
	case slices.ContainsFunc(f.frames, func(fr frame) bool { return fr.kind == frameImage && fr.image == im.handle }):
		return unsupported
	case u.started && u.answer != uint64(uefi.Success):
		return failure(u.answer)
	case im.started && !u.started:
		unload, err := f.load64(im.loaded + uefi.LoadedImageUnload)
		if err != nil {
			return err
		}
		if unload == 0 {
			return unsupported
		}
		u.started = true
		return f.ask(unload, im.handle)
	}
	f.discard(*im)
	return nil
}
