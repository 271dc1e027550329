package firmware

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/uefi"
)

// args are a service's arguments (UEFI 2.10, section 2.3.4.2, which is Microsoft's x64 convention): the first four in
// registers, the others on the stack, after the return address and 32 bytes that are the called function's own.
type args [10]uint64

const (
	shadowSpace  = 32
	registerArgs = 4
)

// call does what the service at the guest-physical address gpa does. The processor stands there, or, when call
// has returned, where the guest goes on. An error is the end of the run.
func (f *Firmware) call(cpu processor, gpa uint64) error {
	defer f.sized()
	f.cpu = cpu
	slot := (gpa - f.trap) / entrySize
	if gpa%entrySize != 0 || slot >= uint64(len(entries)) {
		return fmt.Errorf("execution in firmware at %#x, which is no entry point (guest-virtual %#x)", gpa, cpu.RIP())
	}
	e := &entries[slot]
	if e.land != nil {
		return e.land(f, slot)
	}
	a, err := f.arguments(e)
	if err != nil {
		return fmt.Errorf("%s was called without a stack: %w", e.name, err)
	}
	if f.second() && !f.exited {
		return f.callFromOther(e, a)
	}
	if f.resume(slot); !f.unfinished.going {
		f.unfinished.going = true
		f.countCall()
	}
	f.work.calls++
	return f.finish(e, f.serve(e, a))
}

func (f *Firmware) serve(e *entry, a args) error {
	f.ret = 0
	if f.exited && !e.runtime {
		return unsupported
	}
	if err := f.watch(); err != nil {
		return err
	}
	if err := f.tickJobs(); err != nil {
		return err
	}
	f.tick()
	return e.serve(f, a)
}

// callFromOther is a call by another processor than the first before boot services are left. It may do little (PI 1.8, volume 2,
// section 13.4), and what is under way is the first's.
func (f *Firmware) callFromOther(e *entry, a args) error {
	status := uefi.Unsupported
	if e.any {
		err := e.serve(f, a)
		failed := failure(0)
		switch {
		case err == nil:
			status = uefi.Success
		case errors.As(err, &failed):
			status = uefi.Status(failed)
		default:
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	f.cpu.Charge(cost.Exit, 1)
	f.work.calls++
	f.log(e, status)
	f.returnToCaller(uint64(status))
	return nil
}

// arguments reads the return address and the arguments.
func (f *Firmware) arguments(e *entry) (a args, err error) {
	gpr := f.cpu.GPR()
	copy(a[:], []uint64{gpr[rcx], gpr[rdx], gpr[r8], gpr[r9]})
	var frame [8 + shadowSpace + 8*(len(a)-registerArgs)]byte
	b := frame[:8]
	if e.args > registerArgs {
		b = frame[:8+shadowSpace+8*(e.args-registerArgs)]
	}
	if err := f.cpu.ReadVirtual(gpr[rsp], b); err != nil {
		return a, err
	}
	f.from = binary.LittleEndian.Uint64(b)
	for i := registerArgs; i < e.args; i++ {
		a[i] = binary.LittleEndian.Uint64(b[8+shadowSpace+8*(i-registerArgs):])
	}
	return a, nil
}

// finish gives the guest the outcome of a service.
func (f *Firmware) finish(e *entry, err error) error {
	f.charge()
	if err == errMore || err == errAsked {
		return nil
	}
	f.cpu.Charge(cost.Exit, 1)
	if err != errAgain {
		f.abandon()
	}
	status := uefi.Success
	switch failed := failure(0); {
	case err == nil:
	case err == errAgain:
		f.tick()
		_, err := f.notifyNext()
		return err
	case err == errElsewhere:
		f.log(e, status)
		return nil
	case errors.As(err, &failed):
		status = uefi.Status(failed)
	default:
		switch err.(type) {
		case *Reset, *Returned:
			return err // says by itself what was called
		}
		return fmt.Errorf("%s: %w", e.name, err)
	}
	f.log(e, status)
	f.returnToCaller(uint64(status) | f.ret)
	if f.exited {
		return nil
	}
	f.tick()
	_, err = f.notifyNext()
	return err
}

// returnToCaller goes back to the caller.
func (f *Firmware) returnToCaller(value uint64) {
	gpr := f.cpu.GPR()
	gpr[rax] = value
	gpr[rsp] += 8
	f.cpu.SetRIP(f.from)
}

func (f *Firmware) log(e *entry, s uefi.Status) {
	f.cfg.Log.Call(record.Called{Stamp: f.stamp(), Interface: record.UEFI, Name: e.name, Status: statusName(s)})
}

func (f *Firmware) stamp() record.Stamp {
	return record.Stamp{VirtualNS: f.cpu.Now(), Instructions: f.cpu.Instructions()}
}

// enter makes the guest call a function: it goes on at entry with up to four arguments, on the present stack, and
// returns to firmware's own entry point back. It is never done after SetVirtualAddressMap, so the entry point's
// physical address will do.
func (f *Firmware) enter(entry uint64, back int, arguments ...uint64) error {
	gpr := f.cpu.GPR()
	sp := gpr[rsp]&^15 - shadowSpace - 8 // a call leaves the stack 8 off a multiple of 16
	if err := f.store64(sp, f.trap+uint64(back)*entrySize); err != nil {
		return fmt.Errorf("calling %#x: the stack: %w", entry, err)
	}
	gpr[rsp] = sp
	for i, v := range arguments {
		gpr[[registerArgs]int{rcx, rdx, r8, r9}[i]] = v
	}
	f.cpu.SetRIP(entry)
	return nil
}
