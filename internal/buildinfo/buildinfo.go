// Package buildinfo identifies the build of a program.
package buildinfo

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// The linker sets these:
//
//	-ldflags "-X github.com/gatehouse-graphql/gatehouse/internal/buildinfo.version=v1.2.3 …"
//
// An empty one is taken from the build information that the go command records.
var version, commit, date string

// Version returns what the programs print after their names:
// v1.2.3 (commit 1a2b3c4d5e6f, 2026-11-20T10:00:00Z, go1.26.8 linux/amd64).
func Version() string {
	info, _ := debug.ReadBuildInfo()
	v := versionInfo{version, commit, date}.withBuildInfo(info)
	return fmt.Sprintf("%s (commit %s, %s, %s %s/%s)",
		v.version, v.commit, v.date, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// versionInfo identifies a build.
type versionInfo struct{ version, commit, date string }

// withBuildInfo returns s with its empty fields taken from info, which may be nil.
func (s versionInfo) withBuildInfo(info *debug.BuildInfo) versionInfo {
	recorded := map[string]string{}
	if info != nil {
		recorded["version"] = strings.Trim(info.Main.Version, "()")
		for _, setting := range info.Settings {
			recorded[setting.Key] = setting.Value
		}
	}
	revision := recorded["vcs.revision"]
	if len(revision) > 12 {
		revision = revision[:12]
	}
	if recorded["vcs.modified"] == "true" {
		revision += "+changes"
	}
	return versionInfo{
		version: cmp.Or(s.version, recorded["version"], "devel"),
		commit:  cmp.Or(s.commit, revision, "unknown"),
		date:    cmp.Or(s.date, recorded["vcs.time"], "unknown date"),
	}
}
