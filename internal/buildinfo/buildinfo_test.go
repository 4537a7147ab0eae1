package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestVersionInfo(t *testing.T) {
	info := &debug.BuildInfo{
		Main: debug.Module{Version: "(devel)"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-11-20"}, {Key: "vcs.modified", Value: "true"},
		},
	}
	for _, c := range []struct {
		linked versionInfo
		info   *debug.BuildInfo
		want   versionInfo
	}{
		{versionInfo{"v1", "abc", "today"}, info, versionInfo{"v1", "abc", "today"}},
		{versionInfo{}, info, versionInfo{"devel", "0123456789ab+changes", "2026-11-20"}},
		{versionInfo{version: "v1"}, nil, versionInfo{"v1", "unknown", "unknown date"}},
	} {
		if got := c.linked.withBuildInfo(c.info); got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
}
