package firmware

import (
	"fmt"
	"math"
	"slices"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// jobs is what processors other than the first do for a program. Each executes a procedure, which returns to an entry point
// of firmware's own, and waits for the next.
type jobs struct {
	others []otherProcessor // from processor 1 on
	all    job              // what StartupAllAPs has asked for last
	single bool             // of those, one at a time
}

type otherProcessor struct {
	state    apState
	disabled bool
	unwell   bool
	own      job    // what StartupThisAP has asked for last
	stack    uint64 // its end; 0 before the first job
}

type apState uint8

const (
	apIdle apState = iota
	apOwn          // executes what StartupThisAP has asked for
	apAll          // executes what StartupAllAPs has asked for
	apNext         // is to execute that when its turn comes
)

// A job is a procedure and who is to hear of its end.
type job struct {
	procedure, argument uint64
	event               uint64 // is signalled; 0 where the caller waits
	answer              uint64 // where StartupAllAPs has a list of those that were late, and StartupThisAP a byte that says that it has ended; 0 for nowhere
	deadline            int64  // virtual time, in nanoseconds; 0 where there is none
}

const (
	apPoll      = 10_000 // ns after which a caller that waits looks again
	apStackSize = 32 << 10
)

// status is what GetProcessorInfo says of the processor.
func (p *otherProcessor) status() uint32 {
	var s uint32
	if !p.disabled {
		s |= uefi.ProcessorIsEnabled
	}
	if !p.unwell {
		s |= uefi.ProcessorIsHealthy
	}
	return s
}

// deadline is when so many microseconds will have passed; 0 stands for never.
func (f *Firmware) deadline(us uint64) int64 {
	if us == 0 {
		return 0
	}
	return f.cpu.Now() + int64(min(us, math.MaxInt64/4/1000))*1000
}

func (f *Firmware) late(j *job) bool { return j.deadline != 0 && f.cpu.Now() >= j.deadline }

// beginAll has all processors that are enabled execute a job, at the same time or one after the other.
func (f *Firmware) beginAll(all job, single bool) error {
	if len(f.jobs.others) == 0 {
		return failure(uefi.NotStarted)
	}
	if all.procedure == 0 {
		return invalidParameter
	}
	enabled := 0
	for i := range f.jobs.others {
		if p := &f.jobs.others[i]; !p.disabled {
			if p.state != apIdle {
				return notReady
			}
			if err := f.equip(i + 1); err != nil {
				return err
			}
			enabled++
		}
	}
	if enabled == 0 {
		return failure(uefi.NotStarted)
	}
	f.jobs.all, f.jobs.single = all, single
	for i := range f.jobs.others {
		if p := &f.jobs.others[i]; !p.disabled {
			p.state = apNext
		}
	}
	return f.startNext()
}

// beginOne has a processor execute its own job.
func (f *Firmware) beginOne(n int) error {
	if err := f.equip(n); err != nil {
		return err
	}
	p := &f.jobs.others[n-1]
	p.state = apOwn
	return f.execute(n, &p.own)
}

// startNext starts those whose turn it is in the job of all.
func (f *Firmware) startNext() error {
	for i := range f.jobs.others {
		p := &f.jobs.others[i]
		if f.jobs.single && p.state == apAll {
			return nil
		}
		if p.state != apNext {
			continue
		}
		p.state = apAll
		if err := f.execute(i+1, &f.jobs.all); err != nil || f.jobs.single {
			return err
		}
	}
	return nil
}

// equip gives a processor a stack and, where programs talk to the host in a page, one of its own, when it is first needed.
func (f *Firmware) equip(n int) error {
	p := &f.jobs.others[n-1]
	if p.stack != 0 {
		return nil
	}
	r, err := f.takePages(uefi.BootServicesData, apStackSize/pageSize, physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	if f.cfg.Share != nil {
		if err := f.sharePage(n); err != nil {
			return err
		}
	}
	p.stack = r.End
	return nil
}

// execute has a processor begin with a job: in the mode, and with the tables, of the one at work, and with interrupts off.
func (f *Firmware) execute(n int, j *job) error {
	sp := f.jobs.others[n-1].stack - shadowSpace - 8 // as a call leaves it
	if err := f.put64(sp, f.trap+slotProcedureReturned*entrySize); err != nil {
		return err
	}
	like := f.cpu.State()
	return f.cfg.Processors.Start(n, func(c *x86.CPU) error {
		s := c.State()
		s.CR0, s.CR3, s.CR4, s.EFER = like.CR0, like.CR3, like.CR4, like.EFER
		s.GDTR, s.IDTR, s.Seg = like.GDTR, like.IDTR, like.Seg
		s.GPR = [16]uint64{rcx: j.argument, rsp: sp}
		s.RIP, s.RFLAGS, s.CPL = j.procedure, 1<<1, 0
		c.SetState(&s)
		return nil
	})
}

// procedureReturned is where a job's procedure returns to.
func (f *Firmware) procedureReturned(uint64) error {
	n := f.cpu.ID()
	if n == 0 || n > len(f.jobs.others) || f.jobs.others[n-1].state != apOwn && f.jobs.others[n-1].state != apAll {
		return fmt.Errorf("return of a procedure that firmware did not have processor %d execute", n)
	}
	p := &f.jobs.others[n-1]
	own := p.state == apOwn
	p.state = apIdle
	f.cfg.Processors.Stop(n)
	if own {
		return f.ended(&p.own, []byte{1})
	}
	if err := f.startNext(); err != nil || f.doesAll() {
		return err
	}
	return f.ended(&f.jobs.all, nil)
}

// doesAll says whether a processor has not done what StartupAllAPs asked for.
func (f *Firmware) doesAll() bool {
	for i := range f.jobs.others {
		if s := f.jobs.others[i].state; s == apAll || s == apNext {
			return true
		}
	}
	return false
}

// ended says that a job has: with an answer, where one is wanted, and by an event. A program that has given an address that is
// not mapped does not get the answer.
func (f *Firmware) ended(j *job, answer []byte) error {
	if j.answer != 0 && len(answer) > 0 {
		if err := f.write(j.answer, answer); err != nil && err != invalidParameter {
			return err
		}
	}
	if e, err := f.event(j.event); err == nil {
		f.signal(e)
	}
	*j = job{}
	return nil
}

// checkAll says whether what StartupAllAPs asked for has ended, and with which status. It ends it where that is late.
func (f *Firmware) checkAll() (status uefi.Status, ended bool, err error) {
	if !f.doesAll() {
		return uefi.Success, true, nil
	}
	if !f.late(&f.jobs.all) {
		return 0, false, nil
	}
	var list []uint64
	for i := range f.jobs.others {
		if s := f.jobs.others[i].state; s == apAll || s == apNext {
			f.giveUp(i + 1)
			list = append(list, uint64(i+1))
		}
	}
	at := uint64(0)
	if f.jobs.all.answer != 0 {
		at, err = f.putPool(uefi.BootServicesData, encode(append(list, uefi.EndOfCPUList)))
		if err != nil && err != outOfResources { // without room there is no list
			return 0, false, err
		}
	}
	return uefi.Timeout, true, f.ended(&f.jobs.all, encode([]uint64{at}))
}

// checkOne is checkAll for the job of one processor.
func (f *Firmware) checkOne(n int) (status uefi.Status, ended bool, err error) {
	p := &f.jobs.others[n-1]
	if p.state != apOwn {
		return uefi.Success, true, nil
	}
	if !f.late(&p.own) {
		return 0, false, nil
	}
	f.giveUp(n)
	return uefi.Timeout, true, f.ended(&p.own, nil)
}

// giveUp stops a processor, whatever it does.
func (f *Firmware) giveUp(n int) {
	p := &f.jobs.others[n-1]
	if p.state == apOwn || p.state == apAll {
		f.cfg.Processors.Stop(n)
	}
	p.state = apIdle
}

// tickJobs ends jobs that are late and that no caller waits for.
func (f *Firmware) tickJobs() error {
	if f.jobs.all.event != 0 {
		if _, _, err := f.checkAll(); err != nil {
			return err
		}
	}
	for i := range f.jobs.others {
		if f.jobs.others[i].own.event != 0 {
			if _, _, err := f.checkOne(i + 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// nextDeadline is when tickJobs has something to do; x86.Never where it has not.
func (f *Firmware) nextDeadline() int64 {
	next := int64(x86.Never)
	look := func(j *job) {
		if j.event != 0 && j.deadline != 0 {
			next = min(next, j.deadline)
		}
	}
	look(&f.jobs.all)
	for i := range f.jobs.others {
		look(&f.jobs.others[i].own)
	}
	return next
}

// working says whether another processor does something of which an event tells the end.
func (f *Firmware) working() bool {
	return f.jobs.all.event != 0 || slices.ContainsFunc(f.jobs.others, func(p otherProcessor) bool { return p.own.event != 0 })
}

// stopJobs has all processors wait again, for the operating system.
func (f *Firmware) stopJobs() {
	for i := range f.jobs.others {
		f.giveUp(i + 1)
		f.jobs.others[i].own = job{}
	}
	f.jobs.all = job{}
}

func (j *jobs) carry(s *state.Stream) {
	j.all.carry(s)
	s.Bool(&j.single)
	for i := range j.others {
		p := &j.others[i]
		state.Numbers(s, &p.state)
		s.Bool(&p.disabled, &p.unwell)
		p.own.carry(s)
		state.Numbers(s, &p.stack)
		s.Check(p.state <= apNext, "a processor that does nothing that there is")
	}
}

func (j *job) carry(s *state.Stream) {
	state.Numbers(s, &j.procedure, &j.argument, &j.event, &j.answer)
	state.Numbers(s, &j.deadline)
}
