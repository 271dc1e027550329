package main

import (
	"cmp"
	"errors"

	"github.com/spf13/cobra"
)

func symbolsCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "symbols [IMAGE]",
		Short: "Write a kernel with the symbols that it carries as an ELF file, for gdb",
		Long: "Unpacks the kernel in IMAGE, " + packages + " or a bzImage,\n" +
			"and writes it as the ELF file that it was linked as, with a symbol table made of the kernel's own\n" +
			"(CONFIG_KALLSYMS). Without IMAGE it takes the newest kernel in kernels/. Types and line numbers are in\n" +
			"the debugging package that goes with the kernel.",
		Example: "  tacit symbols kernels/linux-image-6.12*cloud*.deb -o vmlinux && gdb vmlinux",
		Args: func(cmd *cobra.Command, args []string) error {
			if output == "" {
				return errors.New("say where to with --output FILE")
			}
			all := files{in: images(args), out: []named{{"--output", output, elfFile}}, std: streamsOf(cmd)}
			return cmp.Or(atMostOne("IMAGE")(cmd, args), all.check())
		},
		ValidArgsFunction: oneFile,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			path := ""
			if len(args) == 1 {
				path = args[0]
			} else if path, err = newestHere(); err != nil {
				return err
			}
			img, err := openImage(cmd.Context(), path)
			if err != nil {
				return err
			}
			out := outputs{stdout: cmd.OutOrStdout()}
			defer out.discard()
			file, err := out.create(cmd.Context(), output)
			if err != nil {
				return err
			}
			return errors.Join(file.fill(img.WriteVmlinux), out.keep())
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to `FILE`; - is standard output")
	return cmd
}
