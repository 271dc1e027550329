package firmware

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/uefi"
)

// A frame is a call from firmware into the guest that has not returned: a started image, a notification function or a function that
// a service asks.
// What a call chain of C functions would have on its stack is here, as data.
type frame struct {
	kind  frameKind
	saved registers // where to go on afterwards
	tpl   uint64    // task priority level to go back to

	unfinished unfinished // the service that goes on

	image    uint64 // handle of the started image
	dataSize uint64 // where StartImage's caller wants to have its exit data, if anywhere
	data     uint64
}

type frameKind uint8

const (
	frameImage frameKind = iota
	frameNotification
	frameQuestion
)

// registers is what a function must preserve, and more: a service that is to be called again needs its arguments.
type registers struct {
	gpr [16]uint64
	xmm [16]x86.XMM
	rip uint64

	flags uint64
}

// maxFrames bounds how deep calls nest. A boot loader that starts a kernel makes two.
const maxFrames = 64

func (f *Firmware) save() registers {
	return registers{*f.cpu.GPR(), *f.cpu.XMM(), f.cpu.RIP(), f.cpu.Flags()}
}

func (f *Firmware) restore(r registers) {
	*f.cpu.GPR(), *f.cpu.XMM() = r.gpr, r.xmm
	f.cpu.SetRIP(r.rip)
	f.cpu.SetFlags(r.flags)
}

// saveCaller is save for a service that is to return later: it goes on after the call.
func (f *Firmware) saveCaller() registers {
	r := f.save()
	r.gpr[rsp] += 8
	r.rip = f.from
	return r
}

func (f *Firmware) push(fr frame) error {
	if len(f.frames) >= maxFrames {
		return &BoundError{fmt.Sprintf("images and notification functions are nested %d deep at most", maxFrames)}
	}
	f.frames = append(f.frames, fr)
	return nil
}

// notifyNext has the guest run the next notification function that the task priority level allows, if any; the guest
// then goes on where it stands now.
func (f *Firmware) notifyNext() (bool, error) {
	e := f.nextDue()
	if e == nil {
		return false, nil
	}
	if err := f.push(frame{kind: frameNotification, saved: f.save(), tpl: f.tpl, unfinished: f.unfinished}); err != nil {
		return false, err
	}
	f.unfinished = unfinished{}
	f.setTPL(e.tpl)
	return true, f.enter(e.notify, slotNotified, cmp.Or(e.argument, e.id), e.context)
}

// notified is where a notification function returns to.
func (f *Firmware) notified(uint64) error {
	top := len(f.frames) - 1
	if top < 0 || f.frames[top].kind != frameNotification {
		return errors.New("return from a notification function that firmware did not call")
	}
	fr := f.frames[top]
	f.frames = f.frames[:top]
	f.restore(fr.saved)
	f.setTPL(fr.tpl)
	f.unfinished = fr.unfinished
	_, err := f.notifyNext()
	return err
}

// ask has the guest execute a function for the service under way. When it has returned the service is called again, with what it
// said in f.unfinished. The error is errAsked.
func (f *Firmware) ask(function uint64, arguments ...uint64) error {
	fr := frame{kind: frameQuestion, saved: f.save(), tpl: f.tpl, unfinished: f.unfinished}
	if err := f.push(fr); err != nil {
		return err
	}
	if err := f.enter(function, slotAnswered, arguments...); err != nil {
		f.frames = f.frames[:len(f.frames)-1]
		return err
	}
	f.unfinished = unfinished{}
	return errAsked
}

// answered is where a function returns to that a service has asked.
func (f *Firmware) answered(uint64) error {
	top := len(f.frames) - 1
	if top < 0 || f.frames[top].kind != frameQuestion {
		return errors.New("return from a function that firmware did not call")
	}
	fr := f.frames[top]
	f.frames = f.frames[:top]
	fr.unfinished.answer = f.cpu.GPR()[rax]
	f.restore(fr.saved)
	f.setTPL(fr.tpl)
	f.unfinished = fr.unfinished
	return nil
}

// running returns the index of the frame of the image that is running, -1 where there is none.
func (f *Firmware) running() int {
	for i := len(f.frames) - 1; i >= 0; i-- {
		if f.frames[i].kind == frameImage {
			return i
		}
	}
	return -1
}

// imageReturned is where the entry point of an image returns to.
func (f *Firmware) imageReturned(uint64) error {
	if f.running() < 0 || f.exited {
		return errors.New("return of an image that firmware did not start, or after ExitBootServices")
	}
	return f.leave(uefi.Status(f.cpu.GPR()[rax]), 0, 0)
}
