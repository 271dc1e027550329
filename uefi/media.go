package uefi

// Interfaces of what has blocks and files (UEFI 2.10, chapter 13). Members without a type are pointers to functions.

// EFI_BLOCK_IO_PROTOCOL (section 13.9).
const (
	BlockIORevision    = 0 // UINT64: BlockIORevision2
	BlockIOMedia       = 8 // EFI_BLOCK_IO_MEDIA*
	BlockIOReset       = 16
	BlockIOReadBlocks  = 24
	BlockIOWriteBlocks = 32
	BlockIOFlushBlocks = 40
	BlockIOSize        = 48

	BlockIORevision2 = 0x2_0001
)

// EFI_BLOCK_IO_MEDIA (section 13.9).
const (
	BlockMediaID               = 0  // UINT32
	BlockMediaRemovable        = 4  // BOOLEAN
	BlockMediaPresent          = 5  // BOOLEAN
	BlockMediaLogicalPartition = 6  // BOOLEAN
	BlockMediaReadOnly         = 7  // BOOLEAN
	BlockMediaWriteCaching     = 8  // BOOLEAN
	BlockMediaBlockSize        = 12 // UINT32, bytes
	BlockMediaIoAlign          = 16 // UINT32, bytes
	BlockMediaLastBlock        = 24 // UINT64
	BlockMediaSize             = 48
)

// EFI_DISK_IO_PROTOCOL (section 13.7).
const (
	DiskIORevision  = 0 // UINT64: DiskIORevision1
	DiskIOReadDisk  = 8
	DiskIOWriteDisk = 16
	DiskIOSize      = 24

	DiskIORevision1 = 0x1_0000
)

// EFI_SIMPLE_FILE_SYSTEM_PROTOCOL (section 13.4).
const (
	FileSystemRevision   = 0 // UINT64: FileSystemRevision1
	FileSystemOpenVolume = 8
	FileSystemSize       = 16

	FileSystemRevision1 = 0x1_0000
)

// EFI_FILE_PROTOCOL (section 13.5).
const (
	FileRevision    = 0 // UINT64: FileRevision1
	FileOpen        = 8
	FileClose       = 16
	FileDelete      = 24
	FileRead        = 32
	FileWrite       = 40
	FileGetPosition = 48
	FileSetPosition = 56
	FileGetInfo     = 64
	FileSetInfo     = 72
	FileFlush       = 80
	FileSize        = 88

	FileRevision1 = 0x1_0000
)

// Modes of EFI_FILE_PROTOCOL.Open (section 13.5).
const (
	FileModeRead   = 1
	FileModeWrite  = 2
	FileModeCreate = 1 << 63
)

// EFI_FILE_INFO (section 13.5). The name follows, 16 bits a character, with a zero at its end.
const (
	FileInfoSize         = 0  // UINT64: of all of this, in bytes
	FileInfoFileSize     = 8  // UINT64, bytes
	FileInfoPhysicalSize = 16 // UINT64, bytes
	FileInfoCreated      = 24 // EFI_TIME
	FileInfoAccessed     = 40 // EFI_TIME
	FileInfoModified     = 56 // EFI_TIME
	FileInfoAttribute    = 72 // UINT64
	FileInfoFileName     = 80
)

// EFI_FILE_SYSTEM_INFO (section 13.5). The label follows, as a file's name does.
const (
	FileSystemInfoSize       = 0  // UINT64: of all of this, in bytes
	FileSystemInfoReadOnly   = 8  // BOOLEAN
	FileSystemInfoVolumeSize = 16 // UINT64, bytes
	FileSystemInfoFreeSpace  = 24 // UINT64, bytes
	FileSystemInfoBlockSize  = 32 // UINT32, bytes
	FileSystemInfoLabel      = 36
)

// What EFI_FILE_PROTOCOL.GetInfo can be asked for.
var (
	FileInfoGUID              = MustParseGUID("09576e92-6d3f-11d2-8e39-00a0c969723b")
	FileSystemInfoGUID        = MustParseGUID("09576e93-6d3f-11d2-8e39-00a0c969723b")
	FileSystemVolumeLabelGUID = MustParseGUID("db47d7d3-fe81-11d3-9a35-0090273fc14d")
)
