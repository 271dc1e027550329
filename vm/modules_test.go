package vm_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/debiantest"
	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// packageOf is the package that a kernel was opened from.
func packageOf(img *image.Image) string {
	deb, _, _ := strings.Cut(img.Source, ": ")
	return deb
}

// withModules is an initrd whose init loads modules, the last of them with parameters. It has more files.
func withModules(t *testing.T, parameters string, names []string, modules [][]byte, more ...image.File) []byte {
	t.Helper()
	program, err := os.ReadFile(guesttest.Executable(t, "../internal/guesttest/init"))
	if err != nil {
		t.Fatal(err)
	}
	files := []image.File{
		{Name: "init", Mode: 0o755, Data: program}, {Name: "modules", Mode: fs.ModeDir | 0o755},
		{Name: "dev", Mode: fs.ModeDir | 0o755},
	}
	at := ""
	for i, m := range modules {
		at = "modules/" + string(rune('a'+i)) + "-" + names[i]
		files = append(files, image.File{Name: at, Mode: 0o644, Data: m})
	}
	files = append(files, image.File{Name: at + ".parameters", Mode: 0o644, Data: []byte(parameters)})
	initrd, err := image.Initramfs(append(files, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return initrd
}

// A stock module takes memory when it is loaded, and the stack leads through its functions to the process that has loaded
// it: scsi_debug takes the memory of its disk from its init function.
func TestCallersInModules(t *testing.T) {
	t.Parallel()
	img := debian13(t)
	names := []string{"scsi_common.ko.xz", "scsi_mod.ko.xz", "scsi_debug.ko.xz"}
	initrd := withModules(t, "dev_size_mb=512", names, debiantest.Named(t, packageOf(img), names...))
	for _, platform := range vm.ConfidentialPlatforms() {
		b := boot(t, vm.Config{Platform: platform, Image: img, Initrd: initrd, Callers: true, Append: "quiet"})
		if b.Outcome != record.PowerOff || !strings.Contains(b.console, "init: loaded c-scsi_debug") {
			t.Fatalf("outcome %s; the console ends with\n%s", b.Outcome, b.console[max(0, len(b.console)-1000):])
		}
		asksFor(t, b, 64*mib, "accept_memory", "sdebug_add_store [scsi_debug]", "scsi_debug_init [scsi_debug]",
			"do_one_initcall", "do_init_module", "entry_SYSCALL_64_after_hwframe", "process init")
		wholly(t, b, roots...)
	}
}
