// Package uefi is the vocabulary that firmware and its guests share: names and numbers of the Unified Extensible
// Firmware Interface specification, version 2.10, as far as a 64-bit guest meets them, with a few of Linux and of
// EDK2. It has no behaviour beyond reading, writing and printing them.
//
// Names are the specification's, without the EFI prefix and in Go's capitals; every group of constants names the
// table or structure that it comes from. Structures that live in a guest's memory are given by the offsets of their
// fields, in bytes: the program that fills them in may run on bare metal, or read the memory of a
// guest from outside. Everything in them is little endian, and pointers and UINTN have eight bytes.
//
// The package imports nothing, and allocates nothing but the text of errors and of numbers that have no name.
package uefi
