package abi

// A message to the secure processor is in a page that the guest shares, whose address is SW_EXITINFO1 of EventGuestRequest: a
// header, and the payload after it, which is encrypted with a key of the secrets page and the message's number (SEV-SNP firmware
// ABI, "Guest messages"; Linux, struct snp_guest_msg_hdr).
const (
	MessageNumber      = 0x20 // 8 bytes: never twice under one key
	MessageHeaderSize  = 0x32 // 2 bytes
	MessagePayloadSize = 0x36 // 2 bytes
	MessageKey         = 0x3C // a byte: which key, the VMPL that it is for
	MessageHeader      = 0x60 // bytes of the header

	MessageKeys = 4
)

// InvalidLength is SW_EXITINFO2 where the host wants more room for certificates: the request has not gone to the secure
// processor (GHCB specification, SNP Extended Guest Request; Linux, SNP_GUEST_VMM_ERR_INVALID_LEN).
const InvalidLength = 1 << 32
