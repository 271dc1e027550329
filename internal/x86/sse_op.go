package x86

// Operations on XMM registers. Most carry the mnemonic of the instruction whose work they do; the integer ones serve
// MMX as well.
const (
	// Between memory and XMM slots. Loads of less than 16 bytes clear the rest.
	opLoadX8 = opSSE + iota
	opLoadX16
	opLoadX32
	opLoadX64
	opLoadX128
	opLoadX128A // #GP where the address is not a multiple of 16
	opStoreX8
	opStoreX16
	opStoreX32
	opStoreX64
	opStoreX128
	opStoreX128A
	opMASKMOVDQU

	// Between registers.
	opMovX     // all 16 bytes
	opMOVQ     // low quadword, clearing the high one
	opMOVSSLow // low doubleword alone
	opMOVSDLow // low quadword alone
	opMOVHLPS
	opMOVLHPS
	opMOVSLDUP
	opMOVSHDUP
	opMOVDDUP
	opMovXFromR32 // MOVD
	opMovXFromR64
	opMovRFromX32
	opMovRFromX64
	opMOVMSKPS
	opMOVMSKPD
	opPMOVMSKB
	opPINSRB
	opPINSRW
	opPINSRD
	opPINSRQ
	opPEXTRB
	opPEXTRW
	opPEXTRD
	opPEXTRQ
	opINSERTPS

	// Logic.
	opPAND
	opPANDN
	opPOR
	opPXOR
	opPTEST

	// Packed integers.
	opPADDB
	opPADDW
	opPADDD
	opPADDQ
	opPSUBB
	opPSUBW
	opPSUBD
	opPSUBQ
	opPADDSB
	opPADDSW
	opPADDUSB
	opPADDUSW
	opPSUBSB
	opPSUBSW
	opPSUBUSB
	opPSUBUSW
	opPAVGB
	opPAVGW
	opPMINUB
	opPMINUW
	opPMINUD
	opPMINSB
	opPMINSW
	opPMINSD
	opPMAXUB
	opPMAXUW
	opPMAXUD
	opPMAXSB
	opPMAXSW
	opPMAXSD
	opPABSB
	opPABSW
	opPABSD
	opPSIGNB
	opPSIGNW
	opPSIGND
	opPCMPEQB
	opPCMPEQW
	opPCMPEQD
	opPCMPEQQ
	opPCMPGTB
	opPCMPGTW
	opPCMPGTD
	opPCMPGTQ
	opPMULLW
	opPMULHW
	opPMULHUW
	opPMULHRSW
	opPMULLD
	opPMULDQ
	opPMULUDQ
	opPMADDWD
	opPMADDUBSW
	opPSADBW
	opMPSADBW
	opPHMINPOSUW
	opPHADDW
	opPHADDD
	opPHADDSW
	opPHSUBW
	opPHSUBD
	opPHSUBSW

	// Shifts: the count stands in the source register, or in Imm.
	opPSRLW
	opPSRLD
	opPSRLQ
	opPSRAW
	opPSRAD
	opPSLLW
	opPSLLD
	opPSLLQ
	opPSRLWImm
	opPSRLDImm
	opPSRLQImm
	opPSRAWImm
	opPSRADImm
	opPSLLWImm
	opPSLLDImm
	opPSLLQImm
	opPSRLDQ
	opPSLLDQ

	// Rearranging.
	opPUNPCKLBW
	opPUNPCKLWD
	opPUNPCKLDQ
	opPUNPCKLQDQ
	opPUNPCKHBW
	opPUNPCKHWD
	opPUNPCKHDQ
	opPUNPCKHQDQ
	opPACKSSWB
	opPACKSSDW
	opPACKUSWB
	opPACKUSDW
	opPSHUFB
	opPSHUFD
	opPSHUFHW
	opPSHUFLW
	opPALIGNR
	opSHUFPS
	opSHUFPD
	opPBLENDVB
	opBLENDVPS
	opBLENDVPD
	opPBLENDW
	opBLENDPS
	opBLENDPD
	opPMOVSXBW
	opPMOVSXBD
	opPMOVSXBQ
	opPMOVSXWD
	opPMOVSXWQ
	opPMOVSXDQ
	opPMOVZXBW
	opPMOVZXBD
	opPMOVZXBQ
	opPMOVZXWD
	opPMOVZXWQ
	opPMOVZXDQ

	// Floating point.
	opADDPS
	opADDPD
	opADDSS
	opADDSD
	opSUBPS
	opSUBPD
	opSUBSS
	opSUBSD
	opMULPS
	opMULPD
	opMULSS
	opMULSD
	opDIVPS
	opDIVPD
	opDIVSS
	opDIVSD
	opSQRTPS
	opSQRTPD
	opSQRTSS
	opSQRTSD
	opMINPS
	opMINPD
	opMINSS
	opMINSD
	opMAXPS
	opMAXPD
	opMAXSS
	opMAXSD
	opADDSUBPS
	opADDSUBPD
	opHADDPS
	opHADDPD
	opHSUBPS
	opHSUBPD
	opDPPS
	opDPPD
	opRCPPS
	opRCPSS
	opRSQRTPS
	opRSQRTSS
	opROUNDPS
	opROUNDPD
	opROUNDSS
	opROUNDSD
	opCMPPS
	opCMPPD
	opCMPSS
	opCMPSD
	opCOMISS
	opCOMISD
	opUCOMISS
	opUCOMISD
	opCVTPS2PD
	opCVTPD2PS
	opCVTSS2SD
	opCVTSD2SS
	opCVTDQ2PS
	opCVTDQ2PD
	opCVTPS2DQ
	opCVTTPS2DQ
	opCVTPD2DQ
	opCVTTPD2DQ
	opCVTPI2PS
	opCVTPI2PD
	opCVTPS2PI
	opCVTTPS2PI
	opCVTPD2PI
	opCVTTPD2PI
	opCVTSI2SS32 // from a general-purpose register
	opCVTSI2SS64
	opCVTSI2SD32
	opCVTSI2SD64
	opCVTSS2SI32 // to a general-purpose register
	opCVTSS2SI64
	opCVTSD2SI32
	opCVTSD2SI64
	opCVTTSS2SI32
	opCVTTSS2SI64
	opCVTTSD2SI32
	opCVTTSD2SI64
	opLDMXCSR
	opSTMXCSR
	opFXSAVE
	opFXRSTOR
	opXSAVE
	opXSAVEOPT
	opXSAVEC
	opXRSTOR

	// Cryptography and strings.
	opAESENC
	opAESENCLAST
	opAESDEC
	opAESDECLAST
	opAESIMC
	opAESKEYGENASSIST
	opPCLMULQDQ
	opSHA1RNDS4
	opSHA1NEXTE
	opSHA1MSG1
	opSHA1MSG2
	opSHA256RNDS2
	opSHA256MSG1
	opSHA256MSG2
	opPCMPESTRM
	opPCMPESTRI
	opPCMPISTRM
	opPCMPISTRI

	// Between MMX registers and XMM slots.
	opMMXGet
	opMMXPut
	opMMXEnter
	opMMXTop
	opEMMS

	sseOpEnd
)

// The operations fit into their range.
const _ = uint(opX87 - sseOpEnd)
