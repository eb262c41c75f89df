# Run "make help" for what each target does.

GO ?= go
# Tools that only check: pinned here, installed into .tools/bin when first used.
GOLANGCI_LINT_VERSION := v2.15.0
GOFUMPT_VERSION       := v0.12.0
STATICCHECK_VERSION   := v0.8.2
GOVULNCHECK_VERSION   := v1.8.0
# An S3 server that is not ours, for tests.
VERSITYGW_VERSION     := v1.8.0

TOOLS    := $(CURDIR)/.tools/bin
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION)
FUZZTIME ?= 30s
BENCHFLAGS ?=
# Packages whose tests drive the built program from outside: their results
# depend on more than Go can see, so none is ever taken from the cache.
BLACKBOX = $(shell $(GO) list ./test/...)
OTHERS   = $(filter-out $(BLACKBOX),$(shell $(GO) list ./...))

export CGO_ENABLED = 0

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: ## set up what is missing, build, and run a dev node with sample data
	@scripts/setup run
	@$(MAKE) --no-print-directory build
	bin/atrium dev

.PHONY: test
test: $(TOOLS)/versitygw-$(VERSITYGW_VERSION) ## set up what is missing and run every test, on SQLite and on PostgreSQL
	@scripts/setup test
	@$(MAKE) --no-print-directory web build vet drift
	cd web && npm test --silent
	ATRIUM_TEST_REQUIRE=1 ATRIUM_TEST_S3_SERVER=$(TOOLS)/versitygw-$(VERSITYGW_VERSION) $(GO) run ./test/withpostgres -- sh -c 'failed=0; \
		$(GO) test -timeout 20m $(OTHERS) || failed=1; \
		$(GO) test -timeout 40m -count=1 $(BLACKBOX) || failed=1; \
		exit $$failed'

.PHONY: build
build: ## build bin/atrium, with the web application where Node is installed
	@scripts/web
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/atrium ./cmd/atrium

.PHONY: web
web: ## build the web application into internal/webui
	@scripts/web require

.PHONY: screenshots
screenshots: web build ## photograph the portal for the README, with Chromium
	@scripts/setup screenshots
	cd test/browser && ATRIUM_PROGRAM=$(CURDIR)/bin/atrium node screenshots.mjs $(CURDIR)/docs/screenshots

.PHONY: check-web
check-web: ## check format, lint and types of the web application, and run its unit tests, where Node is installed
	@if [ -d web/node_modules ]; then cd web && npm run --silent check && npm test --silent; \
	else echo "web is not checked: run make web first"; fi

.PHONY: check
check: format lint vet drift check-web ## check format, lint, generated files and the tests that need nothing installed
	$(GO) test -short ./...

.PHONY: format
format: $(TOOLS)/gofumpt-$(GOFUMPT_VERSION) ## fail when a file is not formatted; "make fix" formats
	@unformatted=$$($< -l $$(git ls-files '*.go' | grep -v _gen.go)); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fix):"; echo "$$unformatted"; exit 1; fi

.PHONY: fix
fix: $(TOOLS)/gofumpt-$(GOFUMPT_VERSION) ## format every file
	$< -w $$(git ls-files '*.go' | grep -v _gen.go)

.PHONY: lint
lint: $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION) ## run the linters of .golangci.yml
	$< run

.PHONY: vet
vet: ## run go vet, and check that go.mod is tidy
	$(GO) vet ./...
	$(GO) mod tidy -diff

.PHONY: vulnerabilities
vulnerabilities: $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION) ## look for known vulnerabilities in what is used (needs the network)
	$< ./...

.PHONY: generate
generate: ## write the generated files anew from model/
	$(GO) run ./internal/awsgen generate

.PHONY: drift
drift: ## fail when a generated file is not what the generator makes
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	$(GO) run ./internal/awsgen generate -out "$$scratch/go" -web "$$scratch/web" && \
	diff -rq "$$scratch/go" internal/awsapi && diff -q "$$scratch/web/portal_gen.ts" web/src/api/portal_gen.ts || { echo "generated files are out of date: run make generate" >&2; exit 1; }

.PHONY: bench
bench: export ATRIUM_TEST_S3_SERVER = $(TOOLS)/versitygw-$(VERSITYGW_VERSION)
bench: build $(TOOLS)/versitygw-$(VERSITYGW_VERSION) ## measure Atrium beside a stub and the storage engines' own rates (15 minutes)
	@if $(GO) run ./test/withpostgres -- true 2>/dev/null; then \
		$(GO) run ./test/withpostgres -- $(GO) run ./test/bench $(BENCHFLAGS); \
	else \
		echo "PostgreSQL is not installed: measuring on SQLite only"; \
		$(GO) run ./test/bench $(BENCHFLAGS); \
	fi

.PHONY: fuzz
fuzz: ## run every fuzz test for FUZZTIME (30s)
	@scripts/fuzz $(FUZZTIME)

.PHONY: tools
tools: $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION) $(TOOLS)/gofumpt-$(GOFUMPT_VERSION) $(TOOLS)/staticcheck-$(STATICCHECK_VERSION) $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION) ## install the pinned tools into .tools/bin

# install MODULE@VERSION: go install names the file without the version, so
# that a new pin would not be noticed; rename it.
define install
	@mkdir -p $(TOOLS)
	@echo "installing $(1)"
	@GOBIN=$(TOOLS) $(GO) install $(1)
	@mv $(TOOLS)/$(notdir $(firstword $(subst @, ,$(1)))) $@
endef

$(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION):
	$(call install,github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION))
$(TOOLS)/gofumpt-$(GOFUMPT_VERSION):
	$(call install,mvdan.cc/gofumpt@$(GOFUMPT_VERSION))
$(TOOLS)/staticcheck-$(STATICCHECK_VERSION):
	$(call install,honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION))
$(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION):
	$(call install,golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION))

$(TOOLS)/versitygw-$(VERSITYGW_VERSION):
	$(call install,github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW_VERSION))

.PHONY: clean
clean: ## remove what was built; data directories stay
	rm -rf bin .tools internal/webui/built/web
