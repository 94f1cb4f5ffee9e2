# make        builds bin/syncd, bin/syncd-render and bin/syncd-gate
# make help   lists the rest

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
BUILD   := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
IMAGE   ?= syncd:dev
STAGE   ?= bin/image
PROGRAMS := ./cmd/syncd ./cmd/syncd-render ./cmd/syncd-gate
CERTS   ?= /etc/ssl/certs/ca-certificates.crt

# A checkout may belong to somebody else than who builds it, as on CI machines.
# Git then refuses to speak of it, and a go build that asks Git would fail.
ifneq ($(shell git rev-parse --verify --quiet HEAD >/dev/null 2>&1 || echo mute),)
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)
endif

.PHONY: build
build: ## the agent and the child that renders
	$(BUILD) -o bin/ $(PROGRAMS)

.PHONY: demo
demo: engine build ## the story on this machine's engine, in under two minutes
	go build -o bin/demo ./examples/demo
	bin/demo

.PHONY: demo-kubernetes
demo-kubernetes: cluster build ## the same story on this machine's test cluster
	go build -o bin/demo ./examples/demo
	bin/demo -kubernetes

# Every process with the race detector would sleep for a second as it ends well.
GORACE ?= atexit_sleep_ms=10

# What drives an engine or a cluster has it to itself: side by side such tests starve
# one another, and find what is late where nothing is wrong.
DRIVING := /(endtoend|kubetest|hack|examples|deploy|apply/docker|apply/kube|cmd)(/|$$)

.PHONY: test
test: export GORACE := $(GORACE)
test: programs engine compose proxies cluster ## everything, with the engine, the cluster and the race detector
	go vet ./...
	@failed=0; \
	go test -race -p 2 -timeout 40m $$(go list ./... | grep -Ev '$(DRIVING)') || failed=1; \
	go test -race -p 1 -timeout 40m $$(go list ./... | grep -E '$(DRIVING)') || failed=1; \
	exit $$failed

.PHONY: short
short: ## what needs neither engine nor cluster
	go vet ./...
	go test -short -p 2 ./...

.PHONY: lint
lint: bin/golangci-lint ## style, errors, and the rules of the architecture
	bin/golangci-lint run --timeout 10m ./...

# The linter is a tool of a module of its own. It is built once, in a minute or two.
bin/golangci-lint: tools/go.mod tools/go.sum
	cd tools && CGO_ENABLED=0 go build -trimpath -o ../bin/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

.PHONY: bench
bench: engine proxies cluster ## what a pass, a poll, a rollback and a gate cost
	go test -run '^$$' -bench . -benchmem -timeout 20m ./...

# SYNCDTEST_SOAK is how long, SYNCDTEST_SOAK_SEED says what happens in it.
.PHONY: soak
soak: export SYNCDTEST_SOAK ?= 10m
soak: engine ## drift by chance, while the agent is killed and the engine stopped
	go test -count 1 -v -timeout 2h -run TestDriftIsToldOnceWhateverRestarts ./internal/endtoend

.PHONY: generate
generate: ## what is generated and committed: the JSON Schemas
	go generate ./...

.PHONY: image
image: engine ## the agent's image
	VERSION=$(VERSION) hack/image.sh $(IMAGE)

.PHONY: example-images
example-images: engine ## the images that examples/repo names
	hack/example-images.sh

# What the image holds, laid out below $(STAGE).
.PHONY: stage
stage:
	rm -rf '$(STAGE)'
	mkdir -p '$(STAGE)/usr/local/bin' '$(STAGE)/etc/ssl/certs' '$(STAGE)/var/lib/syncd' '$(STAGE)/run/syncd'
	mkdir -p -m 1777 '$(STAGE)/tmp'
	$(BUILD) -o '$(STAGE)/usr/local/bin/' $(PROGRAMS)
	cp -L '$(CERTS)' '$(STAGE)/etc/ssl/certs/ca-certificates.crt'
	cp LICENSE '$(STAGE)/LICENSE'

.PHONY: engine compose proxies programs
engine:
	@hack/engine.sh
compose:
	@hack/compose.sh >/dev/null
proxies:
	@hack/proxies.sh >/dev/null
programs:
	@hack/programs.sh

.PHONY: cluster
cluster: ## a real Kubernetes cluster for tests and the demo; built once, in five minutes
	@hack/cluster.sh

.PHONY: clean
clean: ## removes what was built
	rm -rf bin

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18
