package snp

import (
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// The RMP is about frames, and the nested page tables, which lead from a guest-physical address to one, are the host's to
// change. [Platform.rmp] has the entries of those frames that an address leads to, by that address. This file has the
// others: a frame that nothing leads to keeps its entry and its contents, and comes back with both. So two frames can be
// validated for one address, and the guest does not see which it has got: it is why a guest must never validate an address
// twice, and PVALIDATE cannot tell it so, as the second frame's entry is new (APM 15.36.6; Linux, pval_pages;
// COCONUT-SVSM, "Remapping attacks").
//
// An honest host needs none of this.

// A hostFrame is a frame that the host has a number for: its index, counted from 1.
type hostFrame struct {
	used bool
	at   uint64 // number of the page that leads to it, counted from 1; 0 where none does

	// The rest is kept where nothing leads to the frame.
	entry   pageState // of the RMP: unmapped (which is not assigned), assigned or validated; and VMSA
	gpa     uint64    // for which it is assigned
	levels  [abi.VMPLs - 1]permissions
	content []byte // as the guest reads it, with its key
}

// maxFrames bounds what the host can keep: 16 MiB.
const maxFrames = 4096

// number finds a number that stands for no frame.
func (p *Platform) number(of hostFrame) (confidential.Frame, error) {
	of.used = true
	i := slices.IndexFunc(p.frames, func(f hostFrame) bool { return !f.used })
	switch {
	case i >= 0:
		p.frames[i] = of
	case len(p.frames) == maxFrames:
		return confidential.NoFrame, fmt.Errorf("the host has %d frames in its hands, and can have no more", maxFrames)
	default:
		i, p.frames = len(p.frames), append(p.frames, of)
	}
	return confidential.Frame(i + 1), nil
}

func (p *Platform) frame(f confidential.Frame) (*hostFrame, error) {
	if f == confidential.NoFrame || int(f) > len(p.frames) || !p.frames[f-1].used {
		return nil, fmt.Errorf("there is no frame %d", f)
	}
	return &p.frames[f-1], nil
}

// NewFrame takes a frame that is the host's and holds zeros.
func (p *Platform) NewFrame() (confidential.Frame, error) {
	f, err := p.number(hostFrame{})
	if err == nil {
		p.keep(&p.frames[f-1], make([]byte, mem.PageSize))
		p.key.decrypt(f, p.frames[f-1].content)
	}
	return f, err
}

// FrameAt returns the frame that private page gpa leads to. It has this number until the page is taken away
// ([Platform.RemovePages]).
func (p *Platform) FrameAt(gpa uint64) (confidential.Frame, error) {
	if gpa%mem.PageSize != 0 || !p.isRAM(gpa, mem.PageSize) || !p.rmp.At(gpa/mem.PageSize).private() {
		return confidential.NoFrame, &ResultError{"finding the frame", gpa, abi.FailInput}
	}
	at := gpa/mem.PageSize + 1
	if i := slices.IndexFunc(p.frames, func(f hostFrame) bool { return f.at == at }); i >= 0 {
		return confidential.Frame(i + 1), nil
	}
	return p.number(hostFrame{at: at})
}

// MapFrame has gpa lead to a frame, or to none. The frame that it led to keeps its RMP entry; where that is one of 2 MiB,
// it is split. Only what is assigned for this address, and what nothing leads to, can be mapped: the guest would fault
// forever on anything else.
func (p *Platform) MapFrame(c *x86.CPU, gpa uint64, f confidential.Frame) error {
	const call = "mapping the frame"
	if gpa%mem.PageSize != 0 || !p.isRAM(gpa, mem.PageSize) {
		return &ResultError{call, gpa, abi.FailInput}
	}
	if f != confidential.NoFrame {
		next, err := p.frame(f)
		switch {
		case err != nil:
			return err
		case next.at == gpa/mem.PageSize+1:
			return nil
		case next.at != 0, !next.entry.private(), next.gpa != gpa:
			return &ResultError{call, gpa, abi.FailInput}
		}
	}
	switch s := p.rmp.At(gpa / mem.PageSize); {
	case s.owner() == shared:
		return &ResultError{call, gpa, abi.FailInUse}
	case s.private():
		if err := p.unmapFrame(c, gpa); err != nil {
			return err
		}
	}
	if f == confidential.NoFrame {
		return nil
	}
	return p.putFrame(gpa, &p.frames[f-1])
}

// unmapFrame keeps what is known of the private frame that gpa leads to, and has it lead nowhere.
func (p *Platform) unmapFrame(c *x86.CPU, gpa uint64) error {
	n := gpa / mem.PageSize
	if p.rmp.At(n)&large != 0 {
		if err := p.SplitPage(c, gpa&^(size2M-1)); err != nil {
			return err
		}
	}
	number, err := p.FrameAt(gpa)
	if err != nil {
		return err
	}
	p.touch(physical.Private, gpa, p.rmp.At(n))
	content := make([]byte, mem.PageSize)
	if err := p.mem.Read(physical.Private, gpa, content); err != nil {
		return err
	}
	f := &p.frames[number-1]
	f.at, f.entry, f.gpa = 0, p.rmp.At(n)&(ownerMask|vmsa), gpa
	for i := range f.levels {
		f.levels[i] = p.levels[i].At(n)
	}
	p.keep(f, content)
	p.rmp.Update(n, n+1, func(s pageState) pageState { return s.gone() })
	p.levels.clear(n, n+1)
	p.forget(gpa, gpa+mem.PageSize)
	return p.mem.Release(physical.Private, gpa, gpa+mem.PageSize)
}

// putFrame has gpa, which leads nowhere, lead to f.
func (p *Platform) putFrame(gpa uint64, f *hostFrame) error {
	if err := p.mem.Write(physical.Private, gpa, f.content); err != nil {
		return err
	}
	n := gpa / mem.PageSize
	p.rmp.Update(n, n+1, func(s pageState) pageState { return s&^(ownerMask|vmsa) | f.entry })
	for i, may := range f.levels {
		p.levels.set(uint8(i+1), n, n+1, may)
	}
	p.keep(f, nil)
	*f = hostFrame{used: true, at: n + 1}
	p.forget(gpa, gpa+mem.PageSize)
	return nil
}

// UpdateFrame is RMPUPDATE of a frame that nothing leads to: it becomes the guest's, for address gpa, or the host's. It
// is not validated then, and has its contents still.
func (p *Platform) UpdateFrame(c *x86.CPU, f confidential.Frame, gpa uint64, guests bool) error {
	const call = "RMPUPDATE"
	of, err := p.frame(f)
	switch {
	case err != nil:
		return err
	case of.at != 0:
		return &ResultError{call, (of.at - 1) * mem.PageSize, abi.FailInUse}
	case gpa%mem.PageSize != 0, guests && !p.isRAM(gpa, mem.PageSize):
		return &ResultError{call, gpa, abi.FailInput}
	}
	of.entry, of.gpa, of.levels = unmapped, 0, [len(of.levels)]permissions{}
	if guests {
		of.entry, of.gpa = assigned, gpa
	}
	c.Charge(cost.RMPUpdate, 1)
	return nil
}

// ReadFrame reads the 4 KiB of a frame as the host sees them: without the guest's key.
func (p *Platform) ReadFrame(f confidential.Frame, b *[mem.PageSize]byte) error {
	of, err := p.frame(f)
	switch {
	case err != nil:
		return err
	case of.at == 0:
		copy(b[:], of.content)
	default:
		gpa := (of.at - 1) * mem.PageSize
		p.touch(physical.Private, gpa, p.rmp.At(of.at-1))
		if err := p.mem.Read(physical.Private, gpa, b[:]); err != nil {
			return err
		}
	}
	p.key.encrypt(f, b[:])
	return nil
}

// WriteFrame writes the 4 KiB of a frame without the guest's key. One that is assigned to the guest is not the host's to
// write to: it would take a page fault (APM table 15-39).
func (p *Platform) WriteFrame(f confidential.Frame, b *[mem.PageSize]byte) error {
	of, err := p.frame(f)
	switch {
	case err != nil:
		return err
	case of.at != 0 || of.entry.private():
		return fmt.Errorf("frame %d is assigned to the guest: %w", f, &ResultError{"writing to the frame", of.gpa, abi.FailInUse})
	}
	copy(of.content, b[:])
	p.key.decrypt(f, of.content)
	return nil
}

// keep sets what the host's memory has to hold for a frame that nothing leads to, and counts it.
func (p *Platform) keep(f *hostFrame, content []byte) {
	if p.grew != nil {
		p.grew(int64(len(content) - len(f.content)))
	}
	f.content = content
}

// freeFrames takes the numbers of the frames away that pages [first, end) lead to: the host has freed them.
func (p *Platform) freeFrames(first, end uint64) {
	for i := range p.frames {
		if at := p.frames[i].at; at > first && at <= end {
			p.frames[i] = hostFrame{}
		}
	}
}
