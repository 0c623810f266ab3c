# The verbs of this repository. Each does its own set-up, from a fresh clone on.
.PHONY: serve test build fmt bench torture timing proto
.DEFAULT_GOAL := build
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

CONFIGURATION ?= Release
BUF := node_modules/.bin/buf
BIN := src/Server/bin/$(CONFIGURATION)/net10.0

# A development server on ./data, and what to paste next. Its mailbox costs nothing, so messages need no minute between them.
serve: $(BUF)
	dotnet restore MfaGrpc.sln --locked-mode
	dotnet build src/Server --configuration $(CONFIGURATION) --no-restore
	dotnet build src/Client --configuration $(CONFIGURATION) --no-restore
	@$(BIN)/mfa-server serve --dev --data data --set sends:gapSeconds=0 | while IFS= read -r line; do \
	  echo "$$line"; case "$$line" in ready\ *) cat docs/first-calls.txt;; esac; done

# Everything: the contract's rules, then every suite, with the real programs they talk to.
test: $(BUF) build
	@.ci/need jq:jq oathtool:oathtool zbarimg:zbar-tools rsvg-convert:librsvg2-bin tmux:tmux python3:python3 chromium:chromium \
	  aiosmtpd:python3-aiosmtpd openssl:openssl node:nodejs /usr/sbin/chronyd:chrony faketime:faketime strace:strace prlimit:util-linux \
	  /usr/sbin/bearerbox:kannel /usr/lib/kannel/test/fakesmsc:kannel-extras pg_ctlcluster:postgresql setpriv:util-linux \
	  /usr/sbin/pgbouncer:pgbouncer
	$(BUF) lint
	$(BUF) breaking --against protos/landed.json
	dotnet test --solution MfaGrpc.sln --configuration $(CONFIGURATION) --no-build

build:
	dotnet restore MfaGrpc.sln --locked-mode
	dotnet build MfaGrpc.sln --configuration $(CONFIGURATION) --no-restore

fmt:
	dotnet format MfaGrpc.sln

# Durable verifications against a bare echo on this machine, in turn, with ratios.
bench: build
	tests/Bench/bin/$(CONFIGURATION)/net10.0/Bench $(BIN)/mfa-server.dll

# Load and faults on a real server, every answer checked: TORTURE_MINUTES (30) and TORTURE_SEED (another one each time).
torture: build
	@.ci/need faketime:faketime prlimit:util-linux
	tests/Torture/bin/$(CONFIGURATION)/net10.0/torture $(BIN)/mfa-server $(or $(TORTURE_MINUTES),30) $(TORTURE_SEED)

# Whether the time of a refusal tells how many digits of a guess were right. For a quiet machine.
timing: build
	@.ci/need faketime:faketime
	tests/Torture/bin/$(CONFIGURATION)/net10.0/torture timing $(BIN)/mfa-server

# Takes the contract as it is now for the one that later changes must not break.
proto: $(BUF)
	$(BUF) format --write
	$(BUF) lint
	$(BUF) build --exclude-source-info --output protos/landed.json

$(BUF): package.json package-lock.json
	@.ci/need npm:npm node:nodejs
	npm ci --ignore-scripts --no-fund --no-audit
	@touch $@
