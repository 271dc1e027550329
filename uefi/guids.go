package uefi

// Protocols of the specification (UEFI 2.10; the chapter follows each).
var (
	LoadedImageProtocolGUID      = MustParseGUID("5b1b31a1-9562-11d2-8e3f-00a0c969723b") // 9
	DevicePathProtocolGUID       = MustParseGUID("09576e91-6d3f-11d2-8e39-00a0c969723b") // 10
	SimpleTextInputProtocolGUID  = MustParseGUID("387477c1-69c7-11d2-8e39-00a0c969723b") // 12
	SimpleTextOutputProtocolGUID = MustParseGUID("387477c2-69c7-11d2-8e39-00a0c969723b") // 12
	GraphicsOutputProtocolGUID   = MustParseGUID("9042a9de-23dc-4a38-96fb-7aded080516a") // 12
	LoadFile2ProtocolGUID        = MustParseGUID("4006c0c1-fcb3-403e-996d-4a6c8724e06d") // 13
	SimpleFileSystemProtocolGUID = MustParseGUID("964e5b22-6459-11d2-8e39-00a0c969723b") // 13
	PCIIOProtocolGUID            = MustParseGUID("4cf5b200-68b8-4ca5-9eec-b23e3f50029a") // 14
	RNGProtocolGUID              = MustParseGUID("3152bca5-eade-433d-862e-c01cdc291f44") // 37
	RNGAlgorithmRawGUID          = MustParseGUID("e43176d7-b6e8-4827-b784-7ffdc4b68561") // 37
	MemoryAttributeProtocolGUID  = MustParseGUID("f4560cf6-40ec-4b4a-a192-bf1d57d0b189") // 37
	CCMeasurementProtocolGUID    = MustParseGUID("96751a3d-72f4-41a6-a794-ed5d0e67ae6b") // 38
)

// Protocols from elsewhere.
var (
	// TCG EFI Protocol Specification, family 2.0.
	TCG2ProtocolGUID = MustParseGUID("607f766c-7455-42be-930b-e4d76db2720f")
	// PI 1.8, volume 5.
	SMBIOSProtocolGUID = MustParseGUID("03583ff6-cb36-4940-947e-b9b39f4afaf7")
	// How a system tells firmware, before ExitBootServices, that it can accept memory itself:
	// OVMF_SEV_MEMORY_ACCEPTANCE_PROTOCOL (EDK2, OvmfPkg/Include/Protocol/SevMemoryAcceptance.h; Linux calls it
	// in drivers/firmware/efi/libstub/x86-stub.c).
	MemoryAcceptanceProtocolGUID = MustParseGUID("c5a010fe-38a7-4531-8a4a-0500d2fd1649")
	// What EDK2 uses within, to accept a range (EDK2, MdePkg/Include/Protocol/MemoryAccept.h).
	EDKIIMemoryAcceptProtocolGUID = MustParseGUID("38c74800-5590-4db4-a0f3-675d9b8e8026")
)

// Configuration tables of the specification (UEFI 2.10, section 4.6; the last one chapter 38).
var (
	ACPI20TableGUID           = MustParseGUID("8868e871-e4f1-11d3-bc22-0080c73c8881")
	SMBIOS3TableGUID          = MustParseGUID("f2fd1544-9794-4a2c-992e-e5bbcf20e394")
	RTPropertiesTableGUID     = MustParseGUID("eb66918a-7eef-402a-842e-931d21c38ae9")
	MemoryAttributesTableGUID = MustParseGUID("dcfa911d-26eb-469f-a220-38b7dc461220")
	CCFinalEventsTableGUID    = MustParseGUID("dd4a4648-2de7-4665-964d-21d9ef5fb446")
)

// Configuration tables from elsewhere.
var (
	// PI 1.8, volume 2.
	DXEServicesTableGUID = MustParseGUID("05ad34ba-6f02-4214-952e-4da0398e2bb9")
	// Where an SEV-SNP guest finds its secrets and its CPUID page (EDK2, OvmfPkg/OvmfPkg.dec,
	// gConfidentialComputingSevSnpBlobGuid; Linux, EFI_CC_BLOB_GUID).
	CCBlobGUID = MustParseGUID("067b1f5f-cf26-44c5-8554-93d777912d42")

	// What Linux's EFI stub leaves for the kernel, and the device path of an initrd that is not a file
	// (Linux, include/linux/efi.h: LINUX_EFI_UNACCEPTED_MEM_TABLE_GUID and so on).
	LinuxUnacceptedMemTableGUID = MustParseGUID("d5d1de3c-105c-44f9-9ea9-bcef98120031")
	LinuxBootMemmapGUID         = MustParseGUID("800f683f-d08b-423a-a293-965c3c6fe2b4")
	LinuxInitrdMediaGUID        = MustParseGUID("5568e427-68fc-4f3d-ac74-ca555231cc68")
	LinuxRandomSeedTableGUID    = MustParseGUID("1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b")
)

// Vendors of variables.
var (
	// UEFI 2.10, section 3.3: SecureBoot and the other variables of the specification.
	GlobalVariableGUID = MustParseGUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
	// TCG Platform Reset Attack Mitigation Specification: MemoryOverwriteRequestControl.
	MemoryOverwriteRequestControlGUID = MustParseGUID("e20939be-32d4-41be-a150-897f85d49829")
)

// Groups of events (UEFI 2.10, section 7.1, CreateEventEx). ExitBootServices signals the first two in this order.
var (
	EventGroupBeforeExitBootServicesGUID = MustParseGUID("8be0e274-3970-4b44-80c5-1ab9502f3bfc")
	EventGroupExitBootServicesGUID       = MustParseGUID("27abf055-b1b8-4c26-8048-748f37baa2df")
	EventGroupVirtualAddressChangeGUID   = MustParseGUID("13fa7698-c831-49c7-87ea-8f43fcc25196")
	EventGroupMemoryMapChangeGUID        = MustParseGUID("78bee926-692f-48fd-9edb-01422ef0d7ab")
	EventGroupReadyToBootGUID            = MustParseGUID("7ce88fb3-4bd7-4679-87a8-a8d8dee50d2b")
)
