package uefi

// DriverBindingProtocolGUID is that of EFI_DRIVER_BINDING_PROTOCOL (UEFI 2.10, section 11.1).
var DriverBindingProtocolGUID = MustParseGUID("18a031ab-b443-4d1a-a5c0-0c09261e9f71")

// EFI_DRIVER_BINDING_PROTOCOL (UEFI 2.10, section 11.1). Members without a type are pointers to functions.
const (
	DriverBindingSupported           = 0
	DriverBindingStart               = 8
	DriverBindingStop                = 16
	DriverBindingVersion             = 24 // UINT32
	DriverBindingImageHandle         = 32 // EFI_HANDLE
	DriverBindingDriverBindingHandle = 40 // EFI_HANDLE
	DriverBindingSize                = 48
)
