package uefi

// Interfaces that the EDK2 Shell shows its texts and compares names by. Members without a type are pointers to functions.

// EFI_HII_DATABASE_PROTOCOL (UEFI 2.10, section 34.8).
const (
	HIIDatabaseNewPackageList          = 0
	HIIDatabaseRemovePackageList       = 8
	HIIDatabaseUpdatePackageList       = 16
	HIIDatabaseListPackageLists        = 24
	HIIDatabaseExportPackageLists      = 32
	HIIDatabaseRegisterPackageNotify   = 40
	HIIDatabaseUnregisterPackageNotify = 48
	HIIDatabaseFindKeyboardLayouts     = 56
	HIIDatabaseGetKeyboardLayout       = 64
	HIIDatabaseSetKeyboardLayout       = 72
	HIIDatabaseGetPackageListHandle    = 80
	HIIDatabaseSize                    = 88
)

// EFI_HII_STRING_PROTOCOL (UEFI 2.10, section 34.3).
const (
	HIIStringNewString             = 0
	HIIStringGetString             = 8
	HIIStringSetString             = 16
	HIIStringGetLanguages          = 24
	HIIStringGetSecondaryLanguages = 32
	HIIStringSize                  = 40
)

// EFI_HII_CONFIG_ROUTING_PROTOCOL (UEFI 2.10, section 35.4).
const (
	HIIConfigRoutingExtractConfig = 0
	HIIConfigRoutingExportConfig  = 8
	HIIConfigRoutingRouteConfig   = 16
	HIIConfigRoutingBlockToConfig = 24
	HIIConfigRoutingConfigToBlock = 32
	HIIConfigRoutingGetAltConfig  = 40
	HIIConfigRoutingSize          = 48
)

// EFI_UNICODE_COLLATION_PROTOCOL (UEFI 2.10, section 13.11).
const (
	UnicodeCollationStriColl   = 0
	UnicodeCollationMetaiMatch = 8
	UnicodeCollationStrLwr     = 16
	UnicodeCollationStrUpr     = 24
	UnicodeCollationFatToStr   = 32
	UnicodeCollationStrToFat   = 40
	UnicodeCollationLanguages  = 48 // CHAR8*
	UnicodeCollationSize       = 56
)

// EFI_DEVICE_PATH_TO_TEXT_PROTOCOL and EFI_DEVICE_PATH_FROM_TEXT_PROTOCOL (UEFI 2.10, section 10.6).
const (
	DevicePathToTextNode = 0
	DevicePathToTextPath = 8
	DevicePathToTextSize = 16

	DevicePathFromTextNode = 0
	DevicePathFromTextPath = 8
	DevicePathFromTextSize = 16
)

// EFI_DEVICE_PATH_UTILITIES_PROTOCOL (UEFI 2.10, section 10.5).
const (
	DevicePathUtilitiesGetSize         = 0
	DevicePathUtilitiesDuplicate       = 8
	DevicePathUtilitiesAppendPath      = 16
	DevicePathUtilitiesAppendNode      = 24
	DevicePathUtilitiesAppendInstance  = 32
	DevicePathUtilitiesNextInstance    = 40
	DevicePathUtilitiesIsMultiInstance = 48
	DevicePathUtilitiesCreateNode      = 56
	DevicePathUtilitiesSize            = 64
)

// The GUIDs of those that have no other use here.
var (
	HIIDatabaseProtocolGUID         = MustParseGUID("ef9fc172-a1b2-4693-b327-6d32fc416042")
	DevicePathUtilitiesProtocolGUID = MustParseGUID("0379be4e-d706-437d-b037-edb82fb772a4")
	HIIStringProtocolGUID           = MustParseGUID("0fd96974-23aa-4cdc-b9cb-98d17750322a")
	HIIConfigRoutingProtocolGUID    = MustParseGUID("587e72d7-cc50-4f79-8209-ca291fc1a10f")
	DevicePathFromTextProtocolGUID  = MustParseGUID("05c99a21-c70f-4ad2-8a5f-35df3343f51e")
)
