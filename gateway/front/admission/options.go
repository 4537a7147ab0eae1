package admission

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
)

// The defaults of Options. Those for a processor are multiplied by the processors that the program
// may use (GOMAXPROCS): operations that wait 100 ms for services keep a processor busy, and health
// checks still find it within some 100 ms.
const (
	DefaultOperationsPerProcessor = 128
	DefaultWaitingPerProcessor    = 2048
	DefaultQueuedPerProcessor     = 2048
	DefaultMaxWait                = 5 * time.Second
	// DefaultMaxBytes is the default of MaxBytes without a memory limit.
	DefaultMaxBytes = 512 << 20
	// DefaultMemoryPercent is the default of Watermarks.MemoryPercent.
	DefaultMemoryPercent = 90
	// DefaultCheapCost is the default of Watermarks.CheapCost.
	DefaultCheapCost = 10
)

// shareOfMemory is the part of Go's memory limit that is the default of MaxBytes. The oldest
// operation may exceed MaxBytes to its double, the estimates may be too low by half, and the
// collector needs room.
const shareOfMemory = 6

// Options bound what is executed at the same time.
type Options struct {
	// MaxOperations is how many operations are executed at the same time, without those that wait
	// for services (maxWaiting). Further ones wait for their turn. Fewer make health checks faster
	// under load. Default 128 for each processor (GOMAXPROCS); negative is no limit.
	MaxOperations int `yaml:"maxOperations"`
	// MaxWaiting is how many operations do not count for maxOperations, because they have waited
	// for services for 100 ms or more while others queue. A service for which as many operations
	// wait as places are left gets no further calls: they are refused with SERVICE_UNAVAILABLE, so
	// that services that hang leave room for the others. Default 2,048 for each processor; negative
	// has all operations count.
	MaxWaiting int `yaml:"maxWaiting"`
	// MaxQueued is how many operations wait for their turn. If there are more, the most expensive
	// one is refused with the status 503 and the code OVERLOADED; of equally expensive ones the
	// newest. Default 2,048 for each processor; negative lets none wait.
	MaxQueued int `yaml:"maxQueued"`
	// MaxWait is how long an operation waits for its turn, or for memory, before it is refused.
	// Default 5s.
	MaxWait time.Duration `yaml:"maxWait"`
	// MaxBytes is how much memory all requests may hold together for their bodies, the services'
	// responses and their own responses, in bytes and as an estimate. Beyond it, requests wait, and
	// are refused with the code OVERLOADED. Default a sixth of Go's memory limit (GOMEMLIMIT, or
	// nine tenths of the container's memory), or 512 MB without one; negative is no limit.
	MaxBytes int64 `yaml:"maxBytes"`
	// MaxOperationsPerCaller is how many operations of one caller are executed or queue at the same
	// time. Further ones are refused with the status 429 and the code RATE_LIMITED. A caller is the
	// subject of the token, and without a token the address, of which IPv6 counts by its first 64
	// bits. A class may have another limit. Default none.
	MaxOperationsPerCaller int `yaml:"maxOperationsPerCaller"`
	// Classes are the classes of callers that have turns of their own, by name: anonymous,
	// authenticated, or one of your own. All other callers are the class other together, which has the
	// weight 1 unless it is set. Default none: turns come in the order of arrival.
	Classes map[string]Class `yaml:"classes"`
	// Watermarks are the use of processors and memory beyond which expensive operations are refused.
	Watermarks Watermarks `yaml:"watermarks"`
}

// Class is what the callers of one class may do at the same time.
type Class struct {
	// Weight is the share of the class, relative to the weights of the others, in the operations
	// that are executed while several classes queue. What a class does not use, the others may.
	// Default 1.
	Weight int `yaml:"weight"`
	// MinOperations is how many of maxOperations are kept free for the class, also while it needs
	// fewer. Default a quarter of its share; negative is none.
	MinOperations int `yaml:"minOperations"`
	// MaxOperations is how many operations of the class are executed at the same time, with those
	// that wait for services. Further ones queue. Default no limit of its own.
	MaxOperations int `yaml:"maxOperations"`
	// MaxOperationsPerCaller is admission.maxOperationsPerCaller for the callers of this class.
	// Default that; negative is no limit.
	MaxOperationsPerCaller int `yaml:"maxOperationsPerCaller"`
}

// Watermarks are the use of processors and memory beyond which operations are shed by their estimated
// cost, the most expensive ones first: as long as a watermark is passed, the cost from which
// operations are refused is halved twice a second, and it doubles again while the use is 10 percent
// points below. Refused operations have the status 503 and the code OVERLOADED.
type Watermarks struct {
	// CPUPercent is the watermark of the processor time that the gateway uses, in percent of what it
	// may use: GOMAXPROCS, or the container's limit where that is less. Default none, since a busy
	// processor alone makes nothing slow.
	CPUPercent int `yaml:"cpuPercent"`
	// MemoryPercent is the watermark of the memory that the last garbage collection found in use, in
	// percent of Go's memory limit. Without such a limit it has no effect. Default 90; negative is
	// none.
	MemoryPercent int `yaml:"memoryPercent"`
	// CheapCost is the estimated cost, in the unit of the setting cost.max, up to which operations are
	// not refused for a watermark. Default 10: single objects, and lists of a few.
	CheapCost int `yaml:"cheapCost"`
}

func (o Options) withDefaults() Options {
	processors := runtime.GOMAXPROCS(0)
	o.MaxOperations = cmp.Or(o.MaxOperations, DefaultOperationsPerProcessor*processors)
	o.MaxWaiting = max(cmp.Or(o.MaxWaiting, DefaultWaitingPerProcessor*processors), 0)
	o.MaxQueued = max(cmp.Or(o.MaxQueued, DefaultQueuedPerProcessor*processors), 0)
	if o.MaxWait <= 0 {
		o.MaxWait = DefaultMaxWait
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
		if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
			o.MaxBytes = limit / shareOfMemory
		}
	}
	o.Watermarks.MemoryPercent = max(cmp.Or(o.Watermarks.MemoryPercent, DefaultMemoryPercent), 0)
	o.Watermarks.CheapCost = cmp.Or(o.Watermarks.CheapCost, DefaultCheapCost)
	return o
}

// classes returns the classes with their defaults, and caller.Other.
func (o Options) classes() map[string]Class {
	all := map[string]Class{caller.Other: {}}
	maps.Copy(all, o.Classes)
	weights := 0
	for _, c := range all {
		weights += max(c.Weight, 1)
	}
	for name, c := range all {
		c.Weight = max(c.Weight, 1)
		switch {
		case c.MinOperations < 0 || o.MaxOperations < 0:
			c.MinOperations = 0
		case c.MinOperations == 0 && len(all) > 1:
			c.MinOperations = o.MaxOperations * c.Weight / weights / 4
		}
		c.MaxOperationsPerCaller = max(cmp.Or(c.MaxOperationsPerCaller, o.MaxOperationsPerCaller), 0)
		all[name] = c
	}
	return all
}

// Validate returns the mistakes in the settings, each with the setting's path from admission.
func (o Options) Validate() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	notNegative := func(path string, n int) {
		refuse(n < 0, "%s is negative; leave it out to get the default", path)
	}
	percent := func(path string, n int) {
		refuse(n > 100, "%s is %d, but a percentage is at most 100", path, n)
	}
	refuse(o.MaxWait < 0, "maxWait is negative; leave it out to get the default")
	notNegative("maxOperationsPerCaller", o.MaxOperationsPerCaller)
	notNegative("watermarks.cpuPercent", o.Watermarks.CPUPercent)
	percent("watermarks.cpuPercent", o.Watermarks.CPUPercent)
	percent("watermarks.memoryPercent", o.Watermarks.MemoryPercent)
	refuse(o.Watermarks.CPUPercent > 0 && !canReadCPU, "watermarks.cpuPercent cannot be measured on %s; leave it out", runtime.GOOS)
	refuse(o.Watermarks.CheapCost < 0, "watermarks.cheapCost is negative; leave it out to get the default")
	reserved := 0
	for _, name := range slices.Sorted(maps.Keys(o.Classes)) {
		c, path := o.Classes[name], "classes."+name
		notNegative(path+".weight", c.Weight)
		notNegative(path+".maxOperations", c.MaxOperations)
		refuse(c.MaxOperations > 0 && c.MinOperations > c.MaxOperations, "%s.minOperations is %d, more than its maxOperations, %d", path, c.MinOperations, c.MaxOperations)
		reserved += max(c.MinOperations, 0)
	}
	if most := o.withDefaults().MaxOperations; most > 0 {
		refuse(reserved >= most, "the classes' minOperations are %d together, but must be fewer than maxOperations, %d, so that other callers have turns", reserved, most)
	}
	return errors.Join(errs...)
}

// NewMemory returns the memory that requests share.
func (o Options) NewMemory() *engine.Memory {
	o = o.withDefaults()
	return engine.NewMemory(o.MaxBytes, o.MaxWait)
}

// SetMemory gives the memory that requests share the limits of o.
func (o Options) SetMemory(m *engine.Memory) {
	o = o.withDefaults()
	m.SetLimit(o.MaxBytes, o.MaxWait)
}
