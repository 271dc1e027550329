package firmware

import "github.com/tacit-vm/tacit/cost"

// Firmware works for the guest, and the host does that work while no instruction of the guest's is executed. A call
// costs the guest [cost.Exit], whatever it does; so a guest that has gigabytes summed up again and again would use up the
// host's time and none of its own. Therefore two things follow the bytes that a service touches:
//
//   - A service that may take long is cut into pieces of a bounded size. Between them the machine looks at its limits, and
//     the processor stands at the service's entry point, as if the guest had called it once more. What the service has
//     to know of the pieces before is in Firmware.unfinished, as data.
//   - The bytes take virtual time, [cost.ServiceMiB], once a run's services have touched more than freeBytes. A boot of a
//     kernel stays far below that, so that its time is that of its calls.

// A work is what services have done.
type work struct {
	calls   uint64
	bytes   uint64
	charged uint64 // MiB that have taken time
}

const (
	// step is how much of long work is done at a time, in bytes.
	step = 1 << 20

	// freeBytes is what the services of a run touch before that takes time of its own.
	freeBytes = 1 << 30

	// accessBytes is what an access of guest memory counts for beside its bytes: the way through the page tables takes as
	// long as moving so many.
	accessBytes = 512
)

// touch counts an access of n bytes.
func (f *Firmware) touch(n int) { f.work.bytes += uint64(n) + accessBytes }

// charge takes the virtual time of what has been touched.
func (f *Firmware) charge() {
	const mib = 1 << 20
	if n := (max(f.work.bytes, freeBytes) - freeBytes) / mib; n > f.work.charged {
		f.cpu.Charge(cost.ServiceMiB, n-f.work.charged)
		f.work.charged = n
	}
}

// Worked returns how long services have worked since the image was started, in virtual nanoseconds: what all calls cost,
// and all bytes that they touched, the first ones too. Waiting for events is no work.
func (f *Firmware) Worked() uint64 {
	const kib = 1 << 10
	ns := func(e cost.Event) uint64 { return uint64(f.cpu.Cost().NS(e)) }
	return f.work.calls*ns(cost.Exit) + f.work.bytes/kib*ns(cost.ServiceMiB)/kib
}

// An unfinished is how far a service has come that is to be called again. It is for the call that began it: one from
// another place, as from an interrupt handler that came between two pieces, starts from the beginning.
type unfinished struct {
	slot, from, sp uint64 // whose it is: the service, where it returns to, and its stack

	going   bool     // it has been counted
	started bool     // the processors that StartupAllAPs or StartupThisAP waits for
	polled  bool     // the notification functions of the events that CheckEvent or WaitForEvent looks at have run
	done    uint64   // bytes
	sum     uint32   // CalculateCrc32's, of the bytes that are done
	loading *loading // LoadImage's
	driving *driving // of services that have drivers start and stop
	answer  uint64   // what the guest's function said that was asked last
}

// resume finds out whether the call of a service goes on with what is unfinished.
func (f *Firmware) resume(slot uint64) {
	u, sp := &f.unfinished, f.cpu.GPR()[rsp]
	if u.slot != slot || u.from != f.from || u.sp != sp {
		f.abandon()
		*u = unfinished{slot: slot, from: f.from, sp: sp}
	}
}

// abandon forgets what is unfinished.
func (f *Firmware) abandon() {
	if l := f.unfinished.loading; l != nil {
		f.unload(l)
	}
	f.unfinished = unfinished{}
}
