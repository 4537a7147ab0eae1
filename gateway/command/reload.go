package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gatehouse-graphql/gatehouse/gateway/reload"
)

// newReload returns the command that has a running gateway reload its settings.
func newReload(p Program, s environment, f *flags) *cobra.Command {
	var (
		pid     int
		address string
	)
	c := &cobra.Command{
		Use:   "reload",
		Short: "Have the running gateway reload its settings",
		Long: `Has the running gateway load its settings again, as it does by itself when the file changes, and
prints what has changed, or why the settings were refused. It asks the gateway at the address of
the setting admin.listen. With --pid it sends the process a SIGHUP instead; then the log of the
gateway has the result.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if pid > 0 {
				return sendHangup(s, pid)
			}
			if address == "" {
				var err error
				if address, err = f.adminAddress(c, s); err != nil {
					return err
				}
			}
			return requestReload(c.Context(), s, address)
		},
	}
	c.Flags().IntVar(&pid, "pid", 0, "the `process` to send SIGHUP to")
	c.Flags().StringVar(&address, "admin", "", "the `address` of the gateway's admin listener (default admin.listen of the settings)")
	return c
}

// adminAddress returns the address of the admin listener in the settings.
func (f *flags) adminAddress(c *cobra.Command, s environment) (string, error) {
	settings, err := f.load(f.loadOptions(c, s))
	if err != nil {
		return "", fmt.Errorf("%w\n\nThe gateway was not asked, since admin.listen cannot be read: correct the settings, or name the address by --admin", err)
	}
	if settings.Admin.Listen == "" {
		return "", errors.New("the settings have no admin.listen at which the gateway could be asked: set it, or name the process by --pid")
	}
	return settings.Admin.Listen, nil
}

// requestReload asks the gateway at an address to reload, and prints what it did.
func requestReload(ctx context.Context, s environment, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("the address %q of the admin listener is not host:port", address)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	result, err := reload.Request(ctx, "http://"+net.JoinHostPort(host, port)+reload.Path)
	switch {
	case err != nil:
		return fmt.Errorf("the gateway cannot be asked at %s: %w", address, err)
	case result.Outcome == reload.Refused:
		return fmt.Errorf("the gateway goes on with the settings from before: %s", result.Error)
	}
	text := "the settings are in use; nothing has changed"
	if len(result.Changed) > 0 {
		text = "the settings are in use; changed: " + strings.Join(result.Changed, ", ")
	}
	if len(result.NeedsRestart) > 0 {
		text += "\na restart is needed for: " + strings.Join(result.NeedsRestart, ", ")
	}
	_, err = fmt.Fprintln(s.out, text)
	return err
}

// sendHangup sends SIGHUP to a process.
func sendHangup(s environment, pid int) error {
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(syscall.SIGHUP)
	}
	if err != nil {
		return fmt.Errorf("the process %d cannot be signalled: %w", pid, err)
	}
	_, err = fmt.Fprintf(s.out, "process %d was asked to reload its settings; its log has the result\n", pid)
	return err
}
