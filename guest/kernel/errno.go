//go:build linux && amd64

package kernel

// Errors of Linux, as a system call returns them (include/uapi/asm-generic/errno-base.h and errno.h).
const (
	eperm        = ^uint64(1) + 1
	enoent       = ^uint64(2) + 1
	esrch        = ^uint64(3) + 1
	eintr        = ^uint64(4) + 1
	eio          = ^uint64(5) + 1
	ebadf        = ^uint64(9) + 1
	echild       = ^uint64(10) + 1
	eagain       = ^uint64(11) + 1
	enomem       = ^uint64(12) + 1
	eacces       = ^uint64(13) + 1
	efault       = ^uint64(14) + 1
	ebusy        = ^uint64(16) + 1
	eexist       = ^uint64(17) + 1
	enodev       = ^uint64(19) + 1
	enotdir      = ^uint64(20) + 1
	eisdir       = ^uint64(21) + 1
	einval       = ^uint64(22) + 1
	emfile       = ^uint64(24) + 1
	enotty       = ^uint64(25) + 1
	etxtbsy      = ^uint64(26) + 1
	efbig        = ^uint64(27) + 1
	enospc       = ^uint64(28) + 1
	espipe       = ^uint64(29) + 1
	epipe        = ^uint64(32) + 1
	erange       = ^uint64(34) + 1
	enametoolong = ^uint64(36) + 1
	enosys       = ^uint64(38) + 1
	enotempty    = ^uint64(39) + 1
	eloop        = ^uint64(40) + 1
	enotsock     = ^uint64(88) + 1
	eopnotsupp   = ^uint64(95) + 1
	eafnosup     = ^uint64(97) + 1
	etimedout    = ^uint64(110) + 1
)
