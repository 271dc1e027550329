package uefi

// Protocols that loaders and tools ask for, where nothing else here needs their GUIDs (UEFI 2.10; the number is the chapter).
var (
	SimpleTextInputExProtocolGUID = MustParseGUID("dd9e7534-7762-4698-8c14-f58517a625aa") // 12
	SerialIOProtocolGUID          = MustParseGUID("bb25cf6f-f1d4-11d2-9a0c-0090273fc1fd") // 12
	DiskIOProtocolGUID            = MustParseGUID("ce345171-ba0b-11d2-8e4f-00a0c969723b") // 13
	BlockIOProtocolGUID           = MustParseGUID("964e5b21-6459-11d2-8e39-00a0c969723b") // 13
	LoadFileProtocolGUID          = MustParseGUID("56ec3091-954c-11d2-8e3f-00a0c969723b") // 13
	UnicodeCollation2ProtocolGUID = MustParseGUID("a4c751fc-23ae-4c3e-92e9-4964cf63f349") // 13
	PCIRootBridgeIOProtocolGUID   = MustParseGUID("2f707ebb-4a1a-11d4-9a38-0090273fc14d") // 14
	DevicePathToTextProtocolGUID  = MustParseGUID("8b843e20-8132-4852-90cc-551a4e4a7f1c") // 10
	SimpleNetworkProtocolGUID     = MustParseGUID("a19832b9-ac25-11d3-9a2d-0090273fc14d") // 24
)

// protocolNames are the specification's, without EFI_ and _PROTOCOL.
var protocolNames = []struct {
	guid GUID
	name string
}{
	{LoadedImageProtocolGUID, "LOADED_IMAGE"}, {DevicePathProtocolGUID, "DEVICE_PATH"}, {DevicePathToTextProtocolGUID, "DEVICE_PATH_TO_TEXT"},
	{SimpleTextInputProtocolGUID, "SIMPLE_TEXT_INPUT"}, {SimpleTextInputExProtocolGUID, "SIMPLE_TEXT_INPUT_EX"},
	{SimpleTextOutputProtocolGUID, "SIMPLE_TEXT_OUTPUT"}, {GraphicsOutputProtocolGUID, "GRAPHICS_OUTPUT"}, {SerialIOProtocolGUID, "SERIAL_IO"},
	{LoadFileProtocolGUID, "LOAD_FILE"}, {LoadFile2ProtocolGUID, "LOAD_FILE2"}, {SimpleFileSystemProtocolGUID, "SIMPLE_FILE_SYSTEM"},
	{DiskIOProtocolGUID, "DISK_IO"}, {BlockIOProtocolGUID, "BLOCK_IO"}, {UnicodeCollation2ProtocolGUID, "UNICODE_COLLATION2"},
	{PCIRootBridgeIOProtocolGUID, "PCI_ROOT_BRIDGE_IO"}, {PCIIOProtocolGUID, "PCI_IO"}, {SimpleNetworkProtocolGUID, "SIMPLE_NETWORK"},
	{RNGProtocolGUID, "RNG"}, {MemoryAttributeProtocolGUID, "MEMORY_ATTRIBUTE"}, {CCMeasurementProtocolGUID, "CC_MEASUREMENT"},
	{TCG2ProtocolGUID, "TCG2"}, {HIIDatabaseProtocolGUID, "HII_DATABASE"}, {HIIStringProtocolGUID, "HII_STRING"}, {DevicePathUtilitiesProtocolGUID, "DEVICE_PATH_UTILITIES"},
	{CPUIO2ProtocolGUID, "CPU_IO2"}, {MPServicesProtocolGUID, "MP_SERVICES"},
	{HIIConfigRoutingProtocolGUID, "HII_CONFIG_ROUTING"}, {DevicePathFromTextProtocolGUID, "DEVICE_PATH_FROM_TEXT"},
}

// ProtocolName returns the specification's name of a protocol, such as EFI_BLOCK_IO_PROTOCOL, or its GUID where it is not known here.
func ProtocolName(guid GUID) string {
	for _, p := range protocolNames {
		if p.guid == guid {
			return "EFI_" + p.name + "_PROTOCOL"
		}
	}
	return guid.String()
}
