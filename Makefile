# Everything a fresh machine needs is Go: make run, make test.

GO       ?= go
FUZZTIME ?= 10s

ifeq (,$(shell command -v $(GO) 2>/dev/null))
$(error pinferry needs Go $(shell sed -n 's/^go //p' go.mod) or newer and there is no "$(GO)" here: install it from https://go.dev/dl/ or your package manager, then try again)
endif

# The version is the nearest tag; the build date is the date of the commit, so
# that the same commit gives the same bytes. Outside git both stay as they are
# in the source.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
DATE    := $(shell git log -1 --format=%ct 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X main.version=$(VERSION)) $(if $(DATE),-X main.buildDate=$(DATE))

# Where speed does not matter nothing is inlined: 3 % of the binary, which has
# a budget. Not so the packages of constants that tracing brings along: without
# inlining the linker takes them for used.
COLD  := google.golang.org/... github.com/pelletier/... github.com/molecule-man/... github.com/klauspost/... \
         github.com/nyaruka/... github.com/warthog618/... github.com/mattn/... \
         crypto/... encoding/... log/... net/... regexp/... math/... vendor/... compress/... archive/... mime/... os/... fmt time \
         github.com/pinferry/pinferry/server/console github.com/pinferry/pinferry/server/docs
# RSA is a hundred times as much garbage then, so its arithmetic is spared.
FLAGS := -tags nethttpomithttp2 -trimpath $(foreach p,$(COLD),-gcflags=$(p)=-l) -gcflags=crypto/internal/fips140/bigmod= -ldflags "$(LDFLAGS)"

# Where build puts the binary.
OUT ?= bin/pinferry

# The race detector needs a C compiler and a processor that it knows.
RACE = $(shell CGO_ENABLED=1 $(GO) build -race runtime/cgo 2>/dev/null && echo -race)

.DEFAULT_GOAL := help
.PHONY: help run test check build packages fuzz crash radio bench compat browser

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-9s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, and run a throw-away box with a simulated modem on 127.0.0.1:7467
	./bin/pinferry demo

test: ## run the tests and the check of the architecture
	@race="$(RACE)"; \
	test -n "$$race" || echo "no C compiler that suits: testing WITHOUT the race detector"; \
	set -x; $(GO) test $$race ./... ./.ci/arch

check: ## run every check that a change has to pass (.ci/run)
	@.ci/run

build: ## build the static binary bin/pinferry, for GOARCH if that is set
	@echo "building $(OUT)"
	@CGO_ENABLED=0 $(GO) build $(FLAGS) -o $(OUT) .

packages: ## make the Debian packages and tarballs, in bin/packages
	@.ci/package bin/packages

fuzz: ## fuzz every target for FUZZTIME (10s)
	@.ci/fuzz $(FUZZTIME)

crash: ## kill a box under load 200 times (ROUNDS)
	ROUNDS=$(or $(ROUNDS),200) $(GO) test -count=1 -v -timeout 2h -run TestKills ./.ci/proof

radio: ## the fault matrix, and a stick pulled out 25 times (ROUNDS) at each point
	ROUNDS=$(or $(ROUNDS),25) $(GO) test -count=1 -v -parallel 16 -timeout 1h -run 'TestFaults|TestPulls' ./.ci/proof

bench: ## measure a throw-away box beside a bare handler
	@$(GO) run ./.ci/bench

compat: ## run the vendors' own SDKs against a real box
	@.ci/run compat

browser: ## drive the pages of a real box in Chromium; screenshots in bin/screenshots
	@.ci/run browser
