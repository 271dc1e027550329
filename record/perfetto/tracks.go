package perfetto

import (
	"slices"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// Tracks, by their numbers: the machine is a process, its processor a thread, and what else there is has tracks of the
// process. Agents and kinds of exits have a track each.
const (
	trackMachine uint64 = 1 + iota
	trackProcessor
	trackPhases
	trackHost
	trackConsole
	trackExits
	trackAccepted
	trackUnaccepted
	trackShared
	trackGiven
	trackTouched
	trackAgents = 0x100 // + agent
	trackKinds  = 0x200 // + kind
)

// The machine's one process and its one thread.
const pid, tid = 1, 1

// describe says which tracks there are.
func (b *builder) describe(r *record.Record, t *timeline.Timeline) {
	name := r.Image.Kernel
	if name == "" {
		name = "guest"
	}
	process := message{}.number(processPID, pid).text(processName, name)
	if line := r.Config.CommandLine; line != "" {
		process = process.text(processLine, line)
	}
	for _, label := range []string{
		"platform " + r.Platform, record.FormatBytes(t.Memory), "host pages of " + record.FormatBytes(r.Config.HostPageBytes),
		"firmware policy " + r.Config.FirmwarePolicy, "cost model " + r.CostModel, "outcome " + string(r.Outcome),
	} {
		process = process.text(processLabels, label)
	}
	b.track(trackMachine, 0, "", message{}.message(trackProcess, process), message{}.number(trackOrdering, orderingExplicit))
	b.track(trackProcessor, 0, "", message{}.message(trackThread, message{}.number(threadPID, pid).number(threadTID, tid).text(threadName, "processor 0")),
		message{}.number(trackOrdering, orderingExplicit))

	agents := map[record.Agent]string{
		record.Firmware: "accepted by firmware", record.Stub: "accepted by " + r.Acceptance.By.Stub.Name, record.Kernel: "accepted by the kernel",
	}
	for by := record.Firmware; by <= record.Kernel; by++ {
		if slices.ContainsFunc(t.Taken, func(taken timeline.Taken) bool { return taken.By == by }) {
			b.child(trackAgents+uint64(by), trackProcessor, int(by), agents[by])
		}
	}

	rank := 0
	add := func(track uint64, name string, more ...message) {
		b.child(track, trackMachine, rank, name, more...)
		rank++
	}
	bytes := message{}.message(trackCounter, message{}.number(counterUnit, unitBytes))
	add(trackPhases, "phases")
	add(trackConsole, "console")
	add(trackHost, "pages added by the host")
	add(trackAccepted, "accepted", bytes)
	add(trackUnaccepted, "unaccepted", bytes)
	add(trackShared, "shared", bytes)
	add(trackGiven, "given by the host", bytes)
	add(trackTouched, "touched", bytes)
	if len(t.Exits) > 0 {
		add(trackExits, "exits", message{}.number(trackOrdering, orderingExplicit))
	}
	for i, kind := range t.Exits {
		b.child(trackKinds+uint64(i), trackExits, i, kind, message{}.message(trackCounter, message{}.number(counterUnit, unitCount)))
	}
}

func (b *builder) child(track, parent uint64, rank int, name string, more ...message) {
	b.track(track, parent, name, append(more, message{}.number(trackRank, uint64(rank)))...)
}

func (b *builder) track(track, parent uint64, name string, more ...message) {
	d := message{}.number(trackNumber, track)
	if parent != 0 {
		d = d.number(trackParent, parent)
	}
	if name != "" {
		d = d.text(trackName, name)
	}
	for _, m := range more {
		d = append(d, m...)
	}
	b.tracks = append(b.tracks, d)
}
