package scenario

// A kernel that starts another one, which finds memory as the first has left it.

func ofKexec() []*Scenario {
	const why = "not built yet: tacit's init loads no second kernel (kexec_file_load). Tried by hand with an init that does, Debian's 6.12.118 starts a second one " +
		"in a TD, which comes to its init and powers off; on SEV-SNP the second kernel dies of a page that the first had left shared. --unaccepted-table has firmware leave a table of unaccepted memory as the first kernel does"
	return []*Scenario{
		{
			Name:     "canonical/tdx#204",
			What:     "kexec -e freezes a TD",
			Source:   "https://github.com/canonical/tdx/issues/204",
			Expected: "the second kernel does not come to its init",
			Why:      why,
		},
		{
			Name:     "kdump",
			What:     "a kernel that is started after a crash reads all of the crashed one's memory, of which some was never accepted",
			Source:   "https://docs.kernel.org/admin-guide/kdump/kdump.html",
			Expected: "what was not accepted is left out of the dump, and read as zeros (Linux, drivers/firmware/efi/unaccepted_memory.c, its callback for vmcore)",
			Why:      why,
		},
	}
}
