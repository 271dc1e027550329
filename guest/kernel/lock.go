//go:build linux && amd64

package kernel

// All that processors share in the kernel is under one lock: a processor takes it when it comes from the program, and lets go
// of it when it goes back, rests, or waits for memory to be accepted. It comes with no interrupts.
//
// A processor in the program may use translations that it has kept. Who changes the program's page tables has to know that
// nobody does any more before he goes on. Each processor says whether it is in the program; one that is not will look,
// before it returns there or does anything in the kernel, whether page tables have changed since it looked last.

// acquire begins what p does in the kernel, coming from the program or from a rest.
func (k *kernel) acquire(p *processor) {
	p.inProgram.Store(0)
	k.lock.Lock()
	k.look(p)
}

// look has p forget what it has kept of page tables, where they have changed.
func (k *kernel) look(p *processor) {
	if now := k.changes.Load(); p.seen.Load() != now {
		p.seen.Store(now)
		writeCR3(k.tables.root | k.encrypted)
	}
}

// unlock lets go of the lock.
func (k *kernel) unlock() { k.lock.Unlock() }

// goBack is the last thing that p does in the kernel, with the lock: it lets go of it, and is in the program.
func (k *kernel) goBack(p *processor) {
	p.inProgram.Store(1)
	k.unlock()
}

// glance is for a processor that was called out of the program without anything to do there.
func (k *kernel) glance(p *processor) {
	for {
		p.inProgram.Store(0)
		k.look(p)
		p.inProgram.Store(1)
		if p.seen.Load() == k.changes.Load() {
			return
		}
	}
}

// stopOthers keeps all other processors in the kernel from now on. It is called with the lock, which nobody gets any more.
func (k *kernel) stopOthers() {
	for i := range k.online {
		if q := k.cpus[i]; q.inProgram.Load() != 0 {
			k.interrupt(q.id, vectorCall)
			for q.inProgram.Load() != 0 {
				pause()
			}
		}
	}
}

// flushOthers is called with the lock, when p has taken something out of page tables, and has forgotten it itself: no other
// processor uses it any more when it returns.
func (k *kernel) flushOthers(p *processor) {
	if k.online == 1 {
		return
	}
	now := k.changes.Add(1)
	p.seen.Store(now)
	for i := range k.online {
		if q := k.cpus[i]; q.inProgram.Load() != 0 {
			k.interrupt(q.id, vectorLook)
		}
	}
	for i := range k.online {
		for q := k.cpus[i]; q.inProgram.Load() != 0 && q.seen.Load() != now; {
			pause()
		}
	}
}
