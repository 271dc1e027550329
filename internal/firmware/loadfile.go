package firmware

import "github.com/tacit-vm/tacit/uefi"

// offerInitrd publishes the initrd where Linux's stub looks for it since 5.8: as EFI_LOAD_FILE2_PROTOCOL of a device
// with a path of its own (Linux: drivers/firmware/efi/libstub/efi-stub-helper.c, efi_load_initrd_dev_path).
func (f *Firmware) offerInitrd() error {
	loader, err := f.publish(0, uefi.LoadFile2ProtocolGUID, uefi.LoadFile2Size, loadFile2)
	if err != nil {
		return err
	}
	path := endPath(pathNode(pathMedia, pathVendorMedia, uefi.LinuxInitrdMediaGUID[:]))
	at, err := f.putPool(uefi.BootServicesData, path)
	if err != nil {
		return err
	}
	_, err = f.handles.install(loader.handle, uefi.DevicePathProtocolGUID, at)
	return err
}

// loadInitrd(*This, *FilePath, BootPolicy, *BufferSize, *Buffer) is the LoadFile of EFI_LOAD_FILE2_PROTOCOL (UEFI 2.10,
// section 13.2).
func (f *Firmware) loadInitrd(a args) error {
	path, bootPolicy, sizeAt, buffer := a[1], byte(a[2]), a[3], a[4]
	if bootPolicy != 0 {
		return unsupported
	}
	rest, err := f.loadPath(path)
	if err != nil {
		return err
	}
	if len(rest) != pathNodeSize {
		return notFound // there is one file, and nothing below it
	}
	size, err := f.load64(sizeAt)
	if err != nil {
		return err
	}
	if err := f.store64(sizeAt, uint64(len(f.cfg.Initrd))); err != nil {
		return err
	}
	if buffer == 0 || size < uint64(len(f.cfg.Initrd)) {
		return bufferTooSmall
	}
	u := &f.unfinished
	left := f.cfg.Initrd[u.done:]
	piece := left[:min(len(left), step)]
	if err := f.write(buffer+u.done, piece); err != nil {
		return err
	}
	if u.done += uint64(len(piece)); len(piece) < len(left) {
		return errMore
	}
	return nil
}
