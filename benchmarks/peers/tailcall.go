package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tailcallPackage is Tailcall's program for Linux on the npm registry.
const (
	tailcallPackage = "@tailcallhq/core-linux-x64-gnu"
	tailcallVersion = "1.6.14"
)

//go:embed tailcall/*.graphql
var compositions embed.FS

// findTailcall returns the command that runs Tailcall, after a test run. Its error says why it
// cannot run on this system: no npm, or a glibc older than 2.39.
func (s settings) findTailcall(ctx context.Context) ([]string, error) {
	command := strings.Fields(s.tailcall)
	if len(command) == 0 {
		program, err := s.fetchTailcall(ctx)
		if err != nil {
			return nil, err
		}
		command = []string{program}
	}
	said, err := exec.CommandContext(ctx, command[0], append(command[1:], "--version")...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("it does not start here: %w: %s; name a command that runs it with -tailcall", err, firstLine(said))
	}
	return command, nil
}

// fetchTailcall downloads the program from npm, once.
func (s settings) fetchTailcall(ctx context.Context) (string, error) {
	folder := filepath.Join(s.bin, "tailcall-"+tailcallVersion)
	program := filepath.Join(folder, "package", "bin", "tailcall")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	packed, err := output(ctx, folder, "npm", "pack", "--silent", tailcallPackage+"@"+tailcallVersion)
	if err != nil {
		return "", err
	}
	_, err = output(ctx, folder, "tar", "-xzf", strings.TrimSpace(packed))
	return program, err
}

func output(ctx context.Context, folder, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var complaint bytes.Buffer
	cmd.Dir, cmd.Stderr = folder, &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, firstLine(complaint.Bytes()))
	}
	return string(out), nil
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return line
}

// tailcallCommand returns the command that starts Tailcall with one of the files under
// tailcall/, expanded.
func (s settings) tailcallCommand(run []string, name string) func(address, upstream string) ([]string, error) {
	return func(address, upstream string) ([]string, error) {
		text, err := compositions.ReadFile("tailcall/" + name + ".graphql")
		if err != nil {
			return nil, err
		}
		file := filepath.Join(s.bin, name+".graphql")
		if err := os.WriteFile(file, expand(text, address, upstream), 0o644); err != nil {
			return nil, err
		}
		return append(append([]string{"env", "TAILCALL_LOG_LEVEL=error", "TAILCALL_TRACKER=false"}, run...), "start", file), nil
	}
}

// expand replaces the placeholders for the port and the services' URL.
func expand(composition []byte, address, upstream string) []byte {
	_, port, _ := net.SplitHostPort(address) // it is that of proc.FreeAddress
	return []byte(strings.NewReplacer("PORT", port, "UPSTREAM", upstream).Replace(string(composition)))
}
