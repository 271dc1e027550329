// Package bench measures how fast guests run: named loops of machine code on a bare processor, and whole boots.
//
// A [Workload] is run several times. What counts is the median; the smallest and largest rate say how far to trust it.
// Rates are by the CPU time of the process, not by the clock on the wall, so that other work on the host disturbs them
// little; wall time is kept, too.
package bench
