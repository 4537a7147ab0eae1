package command

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/spf13/cobra"
)

// newReload returns the command that has a running gateway reload its settings.
func newReload(p Program, s environment, f *flags) *cobra.Command {
	var pid int
	c := &cobra.Command{
		Use:   "reload",
		Short: "Have the running gateway reload its settings",
		Long: `Has the running gateway load its settings again, as it does by itself when the file changes. With
--pid it sends the process a SIGHUP; the log of the gateway has the result.`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if pid <= 0 {
				return errors.New("name the process of the gateway by --pid")
			}
			if err := sendHangup(pid); err != nil {
				return err
			}
			_, err := fmt.Fprintf(s.out, "process %d was asked to reload its settings; its log has the result\n", pid)
			return err
		},
	}
	c.Flags().IntVar(&pid, "pid", 0, "the `process` to send SIGHUP to")
	return c
}

// sendHangup sends SIGHUP to a process.
func sendHangup(pid int) error {
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(syscall.SIGHUP)
	}
	if err != nil {
		return fmt.Errorf("the process %d cannot be signalled: %w", pid, err)
	}
	return nil
}
