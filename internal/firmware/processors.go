package firmware

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/uefi"
)

// This file is EFI_MP_SERVICES_PROTOCOL (PI 1.8, volume 2, section 13.4), by which a program has other processors than the
// first execute procedures of its own. jobs.go has what they do meanwhile.

// Processors are those of a machine other than the first. They wait until a program has them started, and once boot services
// are left the operating system starts them by the platform's means.
type Processors interface {
	// Start has a processor run that enter has put into its state, from now on, whatever it did before.
	Start(id int, enter func(c *x86.CPU) error) error

	// Stop ends what a processor does.
	Stop(id int)
}

var mpServices = []function{
	ofAny(member("MPServices.GetNumberOfProcessors", uefi.MPServicesGetNumberOfProcessors, 3, (*Firmware).getNumberOfProcessors)),
	ofAny(member("MPServices.GetProcessorInfo", uefi.MPServicesGetProcessorInfo, 3, (*Firmware).getProcessorInfo)),
	ofAny(member("MPServices.StartupAllAPs", uefi.MPServicesStartupAllAPs, 7, (*Firmware).startupAllAPs)),
	ofAny(member("MPServices.StartupThisAP", uefi.MPServicesStartupThisAP, 7, (*Firmware).startupThisAP)),
	ofAny(member("MPServices.SwitchBSP", uefi.MPServicesSwitchBSP, 3, (*Firmware).switchBSP)),
	ofAny(member("MPServices.EnableDisableAP", uefi.MPServicesEnableDisableAP, 4, (*Firmware).enableDisableAP)),
	ofAny(member("MPServices.WhoAmI", uefi.MPServicesWhoAmI, 2, (*Firmware).whoAmI)),
}

// ofAny marks a function that may be called by any processor. Of the others programs know that none but the first may.
func ofAny(fn function) function {
	fn.any = true
	return fn
}

// publishProcessors offers the protocol.
func (f *Firmware) publishProcessors() error {
	_, err := f.publish(0, uefi.MPServicesProtocolGUID, uefi.MPServicesSize, mpServices)
	return err
}

// second says whether the processor at work is another than the first.
func (f *Firmware) second() bool { return f.cpu.ID() != 0 }

// getNumberOfProcessors(*This, *NumberOfProcessors, *NumberOfEnabledProcessors)
func (f *Firmware) getNumberOfProcessors(a args) error {
	if f.second() {
		return deviceError
	}
	enabled := uint64(1)
	for i := range f.jobs.others {
		if !f.jobs.others[i].disabled {
			enabled++
		}
	}
	if a[1] == 0 || a[2] == 0 {
		return invalidParameter
	}
	if err := f.store64(a[1], uint64(1+len(f.jobs.others))); err != nil {
		return err
	}
	return f.store64(a[2], enabled)
}

// getProcessorInfo(*This, ProcessorNumber, *ProcessorInfoBuffer)
func (f *Firmware) getProcessorInfo(a args) error {
	if f.second() {
		return deviceError
	}
	n := a[1] &^ uefi.CPUV2ExtendedTopology
	switch {
	case a[2] == 0:
		return invalidParameter
	case n > uint64(len(f.jobs.others)):
		return notFound
	}
	status := uint32(uefi.ProcessorIsBSP | uefi.ProcessorIsEnabled | uefi.ProcessorIsHealthy)
	if n > 0 {
		status = f.jobs.others[n-1].status()
	}
	threads, cores := uint32(max(f.cfg.Threads, 1)), uint32(max(f.cfg.Cores, 1))
	thread, core, socket := uint32(n)%threads, uint32(n)/threads%cores, uint32(n)/threads/cores
	b := make([]byte, uefi.ProcessorInfoSize)
	put64(b[uefi.ProcessorInfoID:], uint64(f.apicID(int(n))))
	for at, v := range map[int]uint32{
		uefi.ProcessorInfoStatus: status, uefi.ProcessorInfoPackage: socket, uefi.ProcessorInfoCore: core, uefi.ProcessorInfoThread: thread,
		uefi.ProcessorInfoExtended: socket, uefi.ProcessorInfoExtended + 16: core, uefi.ProcessorInfoExtended + 20: thread,
	} {
		binary.LittleEndian.PutUint32(b[at:], v)
	}
	if a[1]&uefi.CPUV2ExtendedTopology == 0 {
		b = b[:uefi.ProcessorInfoExtended]
	}
	return f.write(a[2], b)
}

func (f *Firmware) apicID(n int) uint32 {
	if f.cfg.ACPI.APICID == nil {
		return uint32(n)
	}
	return f.cfg.ACPI.APICID(n)
}

// startupAllAPs(*This, Procedure, SingleThread, WaitEvent, TimeoutInMicroSeconds, *ProcedureArgument, **FailedCpuList)
func (f *Firmware) startupAllAPs(a args) error {
	if f.second() {
		return deviceError
	}
	u := &f.unfinished
	if !u.started {
		if a[6] != 0 {
			if err := f.store64(a[6], 0); err != nil {
				return err
			}
		}
		all := job{procedure: a[1], argument: a[5], event: a[3], answer: a[6], deadline: f.deadline(a[4])}
		if err := f.beginAll(all, byte(a[2]) != 0); err != nil || a[3] != 0 {
			return err
		}
		u.started = true
	}
	status, ended, err := f.checkAll()
	return f.await(status, ended, err)
}

// startupThisAP(*This, Procedure, ProcessorNumber, WaitEvent, TimeoutInMicroseconds, *ProcedureArgument, *Finished)
func (f *Firmware) startupThisAP(a args) error {
	if f.second() {
		return deviceError
	}
	u, n := &f.unfinished, a[2]
	if !u.started {
		if a[6] != 0 {
			if err := f.write(a[6], []byte{0}); err != nil {
				return err
			}
		}
		switch {
		case n > uint64(len(f.jobs.others)):
			return notFound
		case n == 0 || a[1] == 0 || f.jobs.others[n-1].disabled:
			return invalidParameter
		case f.jobs.others[n-1].state != apIdle:
			return notReady
		}
		f.jobs.others[n-1].own = job{procedure: a[1], argument: a[5], event: a[3], answer: a[6], deadline: f.deadline(a[4])}
		if err := f.beginOne(int(n)); err != nil || a[3] != 0 {
			return err
		}
		u.started = true
	}
	status, ended, err := f.checkOne(int(n))
	return f.await(status, ended, err)
}

// await is what a caller gets that waits for processors: it is asked again until they have ended.
func (f *Firmware) await(status uefi.Status, ended bool, err error) error {
	switch {
	case err != nil:
		return err
	case !ended:
		f.cpu.Idle(apPoll)
		return errAgain
	case status != uefi.Success:
		return failure(status)
	}
	return nil
}

// switchBSP(*This, ProcessorNumber, EnableOldBSP): firmware may do without.
func (f *Firmware) switchBSP(args) error {
	if f.second() {
		return deviceError
	}
	return unsupported
}

// enableDisableAP(*This, ProcessorNumber, EnableAP, *HealthFlag)
func (f *Firmware) enableDisableAP(a args) error {
	switch {
	case f.second():
		return deviceError
	case a[1] == 0:
		return invalidParameter
	case a[1] > uint64(len(f.jobs.others)):
		return notFound
	}
	p := &f.jobs.others[a[1]-1]
	if p.state != apIdle {
		return unsupported // not before it has ended
	}
	if a[3] != 0 {
		var health [4]byte
		if err := f.read(a[3], health[:]); err != nil {
			return err
		}
		p.unwell = binary.LittleEndian.Uint32(health[:])&uefi.ProcessorIsHealthy == 0
	}
	p.disabled = byte(a[2]) == 0
	return nil
}

// whoAmI(*This, *ProcessorNumber)
func (f *Firmware) whoAmI(a args) error { return f.store64(a[1], uint64(f.cpu.ID())) }
