// Package physical has the words for guest-physical memory that the parts of the machine and its records share: sizes of
// pages, the two planes of a confidential guest, and where RAM lies.
package physical
