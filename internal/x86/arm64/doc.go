// Package arm64 assembles A64 instructions, for code that is made while a machine runs on an arm64 host.
//
// What can be assembled is a table, one row an instruction ([encodings]): a word, and the form that says where operands go
// in it (Arm Architecture Reference Manual, DDI 0487, C4.1). The package knows nothing of processors that are emulated with it.
//
// Operands are the caller's to get right: an immediate that does not fit is a bug and panics, where a caller cannot ask
// beforehand ([FitsBitmask], [FitsImm12]).
package arm64
