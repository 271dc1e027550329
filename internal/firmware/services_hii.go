package firmware

import "github.com/tacit-vm/tacit/uefi"

// The functions of what the EDK2 Shell shows its texts and compares names by. What is not offered is for forms, fonts and
// layouts of keyboards.

var unicodeCollation = []function{
	member("UnicodeCollation.StriColl", uefi.UnicodeCollationStriColl, 3, (*Firmware).striColl),
	member("UnicodeCollation.MetaiMatch", uefi.UnicodeCollationMetaiMatch, 3, (*Firmware).metaiMatch),
	member("UnicodeCollation.StrLwr", uefi.UnicodeCollationStrLwr, 2, (*Firmware).strLwr),
	member("UnicodeCollation.StrUpr", uefi.UnicodeCollationStrUpr, 2, (*Firmware).strUpr),
	member("UnicodeCollation.FatToStr", uefi.UnicodeCollationFatToStr, 4, (*Firmware).fatToStr),
	member("UnicodeCollation.StrToFat", uefi.UnicodeCollationStrToFat, 4, (*Firmware).strToFat),
}

var devicePathToText = []function{
	member("DevicePathToText.ConvertDeviceNodeToText", uefi.DevicePathToTextNode, 3, (*Firmware).nodeToText),
	member("DevicePathToText.ConvertDevicePathToText", uefi.DevicePathToTextPath, 3, (*Firmware).pathToText),
}

var devicePathFromText = []function{
	member("DevicePathFromText.ConvertTextToDeviceNode", uefi.DevicePathFromTextNode, 1, (*Firmware).textToNode),
	member("DevicePathFromText.ConvertTextToDevicePath", uefi.DevicePathFromTextPath, 1, (*Firmware).textToPath),
}

var hiiDatabase = []function{
	member("HIIDatabase.NewPackageList", uefi.HIIDatabaseNewPackageList, 4, (*Firmware).newPackageList),
	member("HIIDatabase.RemovePackageList", uefi.HIIDatabaseRemovePackageList, 2, (*Firmware).removePackageList),
	member("HIIDatabase.UpdatePackageList", uefi.HIIDatabaseUpdatePackageList, 3, (*Firmware).notOffered),
	member("HIIDatabase.ListPackageLists", uefi.HIIDatabaseListPackageLists, 5, (*Firmware).listPackageLists),
	member("HIIDatabase.ExportPackageLists", uefi.HIIDatabaseExportPackageLists, 4, (*Firmware).notOffered),
	member("HIIDatabase.RegisterPackageNotify", uefi.HIIDatabaseRegisterPackageNotify, 6, (*Firmware).notOffered),
	member("HIIDatabase.UnregisterPackageNotify", uefi.HIIDatabaseUnregisterPackageNotify, 2, (*Firmware).notOffered),
	member("HIIDatabase.FindKeyboardLayouts", uefi.HIIDatabaseFindKeyboardLayouts, 3, (*Firmware).notOffered),
	member("HIIDatabase.GetKeyboardLayout", uefi.HIIDatabaseGetKeyboardLayout, 4, (*Firmware).notOffered),
	member("HIIDatabase.SetKeyboardLayout", uefi.HIIDatabaseSetKeyboardLayout, 2, (*Firmware).notOffered),
	member("HIIDatabase.GetPackageListHandle", uefi.HIIDatabaseGetPackageListHandle, 3, (*Firmware).packageListHandle),
}

var hiiStrings = []function{
	member("HIIString.NewString", uefi.HIIStringNewString, 6, (*Firmware).notOffered),
	member("HIIString.GetString", uefi.HIIStringGetString, 6, (*Firmware).getString),
	member("HIIString.SetString", uefi.HIIStringSetString, 6, (*Firmware).notOffered),
	member("HIIString.GetLanguages", uefi.HIIStringGetLanguages, 4, (*Firmware).getLanguages),
	member("HIIString.GetSecondaryLanguages", uefi.HIIStringGetSecondaryLanguages, 5, (*Firmware).notOffered),
}

var hiiConfigRouting = []function{
	member("HIIConfigRouting.ExtractConfig", uefi.HIIConfigRoutingExtractConfig, 4, (*Firmware).notOffered),
	member("HIIConfigRouting.ExportConfig", uefi.HIIConfigRoutingExportConfig, 2, (*Firmware).notOffered),
	member("HIIConfigRouting.RouteConfig", uefi.HIIConfigRoutingRouteConfig, 3, (*Firmware).notOffered),
	member("HIIConfigRouting.BlockToConfig", uefi.HIIConfigRoutingBlockToConfig, 6, (*Firmware).notOffered),
	member("HIIConfigRouting.ConfigToBlock", uefi.HIIConfigRoutingConfigToBlock, 5, (*Firmware).notOffered),
	member("HIIConfigRouting.GetAltConfig", uefi.HIIConfigRoutingGetAltConfig, 6, (*Firmware).notOffered),
}
