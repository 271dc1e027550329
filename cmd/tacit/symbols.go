package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/image"
)

func symbolsCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "symbols [IMAGE]",
		Short: "Write a kernel with the symbols that it carries as an ELF file, for gdb",
		Long: "Unpacks the kernel in IMAGE, a kernel package (.deb) or a bzImage, and writes it as the ELF file that it was\n" +
			"linked as, with a symbol table made of the kernel's own (CONFIG_KALLSYMS). Without IMAGE it takes the newest\n" +
			"kernel in kernels/. Types and line numbers are in the debugging package of whoever built the kernel.",
		Example: "  tacit symbols kernels/linux-image-6.12*cloud*.deb -o vmlinux && gdb vmlinux",
		Args: func(cmd *cobra.Command, args []string) error {
			if output == "" {
				return errors.New("say where to with --output FILE")
			}
			return cobra.MaximumNArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			path := ""
			if len(args) == 1 {
				path = args[0]
			} else if path, err = newestHere(); err != nil {
				return err
			}
			img, err := image.Open(cmd.Context(), path)
			if err != nil {
				return err
			}
			return writeFile(output, cmd.OutOrStdout(), img.WriteVmlinux)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to `FILE`; - is standard output")
	return cmd
}

// writeFile lets write fill the file at path. It leaves no file behind where that fails, but a device where it was.
func writeFile(path string, stdout io.Writer, write func(io.Writer) error) error {
	file, err := create(path, stdout)
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Close())
	if err == nil || path == "-" {
		return err
	}
	if info, statErr := os.Lstat(path); statErr == nil && info.Mode().IsRegular() {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
