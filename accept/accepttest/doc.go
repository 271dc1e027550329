// Package accepttest checks drivers, allocators and bitmaps of unaccepted memory, anybody's, against a model of a
// guest's memory that is too simple to be wrong: a byte for each page.
//
//   - [Memory] is that model. It is an [accept.Driver], and complains of what would end a real guest: memory accepted
//     twice, or touched before it was accepted; and of what an allocator must not do.
//   - [TestDriver], [TestAllocator], [TestBitmap] and [TestRules] do random operations with what they are given and
//     return the first thing that is wrong, as package fstest of the standard library does, so that they can be used
//     from any test. The error has the seed: with it the same operations come again, where only one goroutine does
//     them.
//   - [Monitor] is the lock that an [accept.Tracker] wants, made of package sync.
package accepttest
