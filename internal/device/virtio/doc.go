// Package virtio is virtio 1.x over PCI: a disk, a source of randomness, and a network card that hears nothing.
//
// Devices are modern ones (no legacy interface), offer VIRTIO_F_VERSION_1 and VIRTIO_F_ACCESS_PLATFORM, and refuse a driver
// that does not take both. All they know of memory is [Memory], which is the platform's word on what a device may reach:
// a driver of a confidential guest that hands over a private buffer fails.
//
// # Time
//
// A device does one request of a queue after another. Each takes time by [Timing], and its end is an event at an exact
// virtual time, whatever the guest does meanwhile. What a request does to memory and disk it does at its beginning.
//
// # Hostile drivers
//
// A request is at most so many descriptors as its queue is long (or an indirect table, which is as long at most), and at
// most [maxRequest] bytes. What breaks a rule of the rings breaks the device: it sets DEVICE_NEEDS_RESET and does nothing
// more until the driver resets it (2.1.2 of the specification), and [Device.Traffic] says why.
//
// Facts: OASIS, Virtual I/O Device (VIRTIO) Version 1.2.
package virtio
