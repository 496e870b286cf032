# leadmesh. `make run` and `make test` do everything they need by themselves; `make help` lists the rest.

SHELL     := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
BIN       := $(CURDIR)/.bin
export PATH := $(BIN):$(PATH)
export GOFLAGS := -buildvcs=false
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
ARGS      ?=
MODULES   := core gen services deploy/sample
TOOLS     := $(BIN)/buf $(BIN)/sqlc $(BIN)/golangci-lint $(BIN)/benchstat

.DEFAULT_GOAL := help
.PHONY: help run demo build test race e2e soak fuzz bench verify generate lint tools postgres certs release-api clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 16

run: postgres build ## Build, start everything on a private Postgres, send the sample leads, keep serving
	$(BIN)/leadmesh demo --serve $(ARGS)

demo: postgres build ## The same, but stop after the sample leads
	$(BIN)/leadmesh demo $(ARGS)

build: ## Build the binary into .bin
	cd services && go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN)/leadmesh ./cmd/leadmesh

postgres: ## Install PostgreSQL's binaries if there are none (no system cluster is made)
	@deploy/postgres/install.sh

test: postgres ## Run every test
	go test -timeout 40m $(addsuffix /...,$(addprefix ./,$(MODULES)))
	cd deploy/sample/gen && GOWORK=off go test ./...
	cd deploy/watch && GOWORK=off go test ./...

race: postgres ## Run every test under the race detector
	go test -race -timeout 80m $(addsuffix /...,$(addprefix ./,$(MODULES)))

e2e: postgres ## Run the end-to-end suite in all its shapes
	go test -count=1 -v -timeout 40m ./services/e2e/...

ROUNDS ?= 50
LEADS  ?= 2000
SEED   ?= 1
soak: postgres ## Kill, stop and freeze everything under load: make soak [ROUNDS=50] [LEADS=2000] [SEED=1]
	go test -count=1 -v -timeout 0 -run '^TestSoak$$' ./services/e2e -soak.rounds $(ROUNDS) -soak.leads $(LEADS) -soak.seed $(SEED)

FUZZTIME ?= 60s
fuzz: ## Fuzz: make fuzz TARGET=adf [FUZZTIME=60s]; without TARGET, list the targets with their processor time
	@$(if $(TARGET),deploy/fuzz/fuzz.sh run $(TARGET) $(FUZZTIME),deploy/fuzz/fuzz.sh list)

bench: postgres build ## Measure against the goals; SMALL=1 takes three minutes, JSON=FILE writes the rows too
	cd deploy/bench && GOWORK=off go build -o $(BIN)/table ./cmd/table
	cd deploy/bench && $(BIN)/table $(if $(SMALL),--small) $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json $(abspath $(JSON))) --leadmesh $(BIN)/leadmesh

generate: $(BIN)/buf $(BIN)/sqlc ## Generate code from the protos and the SQL
	buf format -w
	buf generate
	cd services && sqlc generate

verify: tools ## Generated code clean, buf, lint, tidy modules, module walls
	deploy/verify.sh

lint: $(BIN)/golangci-lint ## Lint all modules
	@for m in $(MODULES); do echo "lint $$m"; (cd $$m && golangci-lint run ./...); done

tools: $(TOOLS) ## Build the pinned tools into .bin

$(BIN)/buf $(BIN)/sqlc $(BIN)/golangci-lint $(BIN)/benchstat: deploy/tools/go.mod
	@mkdir -p $(BIN)
	cd deploy/tools && GOWORK=off CGO_ENABLED=0 go build -o $@ $$(GOWORK=off go list -f '{{.ImportPath}}' tool | grep '/$(@F)$$')
	@touch $@

CERTS ?= .data/certs
certs: build ## Make certificates for development into CERTS
	$(BIN)/leadmesh certs --dir $(CERTS)

release-api: $(BIN)/buf ## Make the present protos the baseline that breaking changes are measured against
	buf build --exclude-source-info -o gen/baseline.binpb

clean: ## Remove what was built; data and what fuzzing has found stay
	rm -rf $(BIN) .cache/fuzz/bin
