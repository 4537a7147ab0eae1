# `make run` and `make test` need Go alone. `make help` lists the rest.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
DATE    ?= $(shell date -u +%Y-%m-%dT%H:%M:%SZ)
BUILD    = github.com/gatehouse-graphql/gatehouse/internal/buildinfo
LDFLAGS  = -s -w -X $(BUILD).version=$(VERSION) -X $(BUILD).commit=$(COMMIT) -X $(BUILD).date=$(DATE)

# The race detector needs cgo, which needs a C compiler; without one the tests run without it.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# The linters have a module file of their own, so that go.mod stays the gateway's.
TOOL = go tool -modfile=tools.mod

# Go files that people write; gqlgen formats its own.
GO_FILES = $(shell find . -name '*.go' -not -path '*/graph/generated.go' -not -path '*/graph/model/*' -not -path '*/testdata/*' -not -path '*/node_modules/*')

# How long the tests of one package may take. The default of go test, ten minutes, is too short for a
# slow machine with the race detector.
TIMEOUT ?= 30m

.DEFAULT_GOAL := help
.PHONY: help run chaos run-petstore test build generate generate-all check lint fmt playground bench bench-peers faults fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## the gateway with its sample services, on http://localhost:8080
	go run . --demo $(ARGS)

chaos: ## make run, where a replica of products fails in turn: see http://localhost:8080/services
	go run . --demo --chaos

run-petstore: ## the pet store's gateway with its service, on http://localhost:8080
	cd examples/petstore && go run . --demo

# The second run, through the front door on gqlgen's own executor, takes place after a failure too.
test: ## every test, with the race detector where there is a C compiler
	@failed=0; set -x; \
	go test $(RACE) -timeout $(TIMEOUT) ./... || failed=1; \
	GATEWAY_EXECUTION_ENGINE=gqlgen go test $(RACE) -timeout $(TIMEOUT) -short . ./e2e ./examples/petstore || failed=1; \
	exit $$failed

build: ## bin/gateway, bin/gatehouse and bin/posts-gateway
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/gateway .
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/gatehouse ./cmd/gatehouse
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/posts-gateway ./benchmarks/posts

generate: ## graph/ and resolvers/connect.gen.go from schema/
	go generate .

generate-all: ## what generate writes, here and for each other graph, pages of docs/, the settings' schema
	go generate ./...

check: ## what is wrong in schema/, without writing anything
	go run ./cmd/gatehouse check
	cd examples/petstore && go run ../../cmd/gatehouse check

# Go files that people write, documents and schemas: their prose has none of the patterns.
PROSE = grep -rnE -f internal/prose.txt --include='*.go' --include='*.md' --include='*.graphqls' --include='*.gotpl' --exclude-dir=node_modules --exclude-dir=testdata .

lint: ## vet, gofumpt, staticcheck, plain English
	go vet ./...
	@unformatted=$$($(TOOL) gofumpt -l $(GO_FILES)); \
	  if [ -n "$$unformatted" ]; then echo "not gofumpt-clean, run make fmt:"; echo "$$unformatted"; exit 1; fi
	$(TOOL) staticcheck ./...
	@if $(PROSE); then echo "these sentences are hard to read; write subject, verb, object, and a noun instead of nobody or whoever"; exit 1; fi

fmt: ## format the Go code
	$(TOOL) gofumpt -w $(GO_FILES)

playground: ## build the embedded GraphiQL anew (needs Node and npm)
	cd gateway/playground/web && npm ci && npm run build

BENCHTIME ?= 1s
COUNT ?= 1
bench: ## the Go benchmarks; with COUNT=10, for benchstat
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -count $(COUNT) ./...

PEERS ?=
bench-peers: ## the posts gateway beside others, in one run; PEERS="-only Q2" and the like
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/bench/ ./benchmarks/posts ./benchmarks/peers/...
	bin/bench/peers $(PEERS)

FAULTS ?=
faults: ## the gateway before services that fail; FAULTS="-only one-bad" and the like
	go run ./benchmarks/faults $(FAULTS)

FUZZTIME ?= 10s
fuzz: ## each fuzz target for FUZZTIME
	@for package in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$package || exit 1; \
	  done; done

clean: ## what make build made
	rm -rf bin
