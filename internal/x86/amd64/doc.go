// Package amd64 assembles instructions of the host's, for code that is made while a machine runs.
//
// What can be assembled is a table, one row an instruction ([encodings]), and little code that puts prefixes, REX, ModRM
// and immediates around a row's opcode. The package knows nothing of processors that are emulated with it.
//
// Operands are the caller's to get right: an instruction that has no operand of a size, or an index that cannot be one,
// is a bug and panics.
package amd64
