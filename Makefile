# The verbs of this repository. Each does its own set-up, from a fresh clone on.
.PHONY: serve test build publish packages fmt bench bench-quick bench-sizes bench-logins bench-postgres microbench torture timing races polyglot proto
.DEFAULT_GOAL := build
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

CONFIGURATION ?= Release
BUF := node_modules/.bin/buf
# What the clients in other languages are generated, built and run with.
LANGUAGES := curl:curl jq:jq oathtool:oathtool protoc:protobuf-compiler grpc_python_plugin:protobuf-compiler-grpc \
  /usr/lib/python3/dist-packages/grpc:python3-grpcio /usr/lib/python3/dist-packages/google/protobuf:python3-protobuf \
  node:nodejs go:golang-go protoc-gen-go:protoc-gen-go-1-3 /usr/share/gocode/src/google.golang.org/grpc:golang-google-grpc-dev \
  /usr/share/gocode/src/google.golang.org/genproto:golang-google-genproto-dev ruby:ruby /usr/share/doc/ruby-grpc:ruby-grpc \
  /usr/share/doc/ruby-googleapis-common-protos-types:ruby-googleapis-common-protos-types g++:g++ pkg-config:pkgconf \
  /usr/include/grpcpp/grpcpp.h:libgrpc++-dev /usr/include/nlohmann/json.hpp:nlohmann-json3-dev /usr/include/openssl/hmac.h:libssl-dev
BIN := src/Server/bin/$(CONFIGURATION)/net10.0
NATIVE := out/native/publish
RID ?= linux-$(if $(filter aarch64,$(shell uname -m)),arm64,x64)
NATIVES := MFA_SERVER=$(CURDIR)/$(NATIVE)/Server/release_$(RID)/mfa-server MFA_PROGRAM=$(CURDIR)/$(NATIVE)/Client/release_$(RID)/mfa
# What is about what is saved and not about the file that it is saved in: run once more with each server on a PostgreSQL. Not
# CredentialTests: there a revoked key is kept in memory for up to a second, which tests of several servers look at.
ON_POSTGRES := CodeTests EnrollmentTests MailedRaceTests MetricsTests PeopleTests RequestIdTests CrashTests CompletenessTests RaceTests CapTests \
  LockTests RecoveryCodeTests BadCodeTests DisableScopeTests EveryLimitTests SprayTests PermissionMatrixTests TokenCallerTests \
  PostTests DisableCrashTests ScopeTests MailTests BadInputTests LostCallerTests
VERSION := $(shell sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)

# A development server on ./data, and what to paste next. Its mailbox costs nothing, so messages need no minute between them.
serve: $(BUF)
	dotnet restore MfaGrpc.sln --locked-mode
	dotnet build src/Server --configuration $(CONFIGURATION) --no-restore
	dotnet build src/Client --configuration $(CONFIGURATION) --no-restore
	@$(BIN)/mfa-server serve --dev --data data --set sends:gapSeconds=0 | while IFS= read -r line; do \
	  echo "$$line"; case "$$line" in ready\ *) cat docs/first-calls.txt;; esac; done

# Everything: the contract's rules, then every suite, with the real programs they talk to. What runs our own programs from outside
# runs the native ones; load and faults run the normal build.
test: $(BUF) build packages
	@.ci/need jq:jq oathtool:oathtool zbarimg:zbar-tools rsvg-convert:librsvg2-bin tmux:tmux python3:python3 chromium:chromium \
	  aiosmtpd:python3-aiosmtpd openssl:openssl node:nodejs /usr/sbin/chronyd:chrony faketime:faketime strace:strace prlimit:util-linux \
	  systemd-analyze:systemd unshare:util-linux zsh:zsh fish:fish groff:groff-base \
	  /usr/sbin/bearerbox:kannel /usr/lib/kannel/test/fakesmsc:kannel-extras prometheus:prometheus promtool:prometheus \
	  pg_ctlcluster:postgresql setpriv:util-linux /usr/sbin/pgbouncer:pgbouncer /usr/sbin/nginx:nginx $(LANGUAGES)
	$(BUF) lint
	$(BUF) breaking --against protos/landed.json
	$(NATIVES) dotnet test --solution MfaGrpc.sln --configuration $(CONFIGURATION) --no-build
	$(NATIVES) MFA_TEST_STORE=postgres dotnet test --project tests/EndToEnd --configuration $(CONFIGURATION) --no-build \
	  $(ON_POSTGRES:%=--filter-class '*.%')

build:
	dotnet restore MfaGrpc.sln --locked-mode
	dotnet build MfaGrpc.sln --configuration $(CONFIGURATION) --no-restore

fmt:
	dotnet format MfaGrpc.sln

# Native programs, each in a folder of its own under out/native/publish.
publish: out/native/sqlite3.o
	@.ci/need gcc:build-essential
	dotnet publish src/Server --configuration Release --runtime $(RID) -p:Native=true
	dotnet publish src/Client --configuration Release --runtime $(RID) -p:Native=true

# What people install, in out/packages: a Debian package, an image archive, a .NET tool and the library of the contract.
packages: publish build
	@.ci/need objdump:binutils jq:jq openssl:openssl update-ca-certificates:ca-certificates
	rm -rf out/packages
	packaging/deb $(NATIVE)/Server/release_$(RID) $(NATIVE)/Client/release_$(RID) $(VERSION) \
	  out/packages/mfa-server_$(VERSION)_$$(dpkg --print-architecture).deb
	packaging/oci $(NATIVE)/Server/release_$(RID) $(NATIVE)/Client/release_$(RID) $(VERSION) \
	  out/packages/mfa-server-$(VERSION)-linux-$$(dpkg --print-architecture).oci.tar
	dotnet pack src/Client --configuration $(CONFIGURATION) --no-build --output out/packages -p:Packing=true
	dotnet pack protos/Contract.csproj --configuration $(CONFIGURATION) --no-build --output out/packages -p:Packing=true

# Durable verifications against a bare echo on this machine, in turn, with ratios: all of them in about an hour, or the core of it;
# or with ten thousand and a million accounts; or beside 200 people who log in; or on PostgreSQL, against pgbench. Lines and plot are left in out/.
bench bench-quick bench-sizes bench-logins bench-postgres: publish
	@[ $@ != bench-postgres ] || .ci/need pg_ctlcluster:postgresql setpriv:util-linux
	dotnet publish tests/Bench --configuration Release --runtime $(RID) -p:Native=true
	$(NATIVE)/Bench/release_$(RID)/Bench $(NATIVE)/Server/release_$(RID)/mfa-server $(patsubst bench-%,%,$(filter bench-%,$@)) | tee out/$@.txt
	$(NATIVE)/Bench/release_$(RID)/Bench plot out/$@.txt > out/$@.svg

# The check, the seal and the write, one by one.
microbench: build
	tests/MicroBench/bin/$(CONFIGURATION)/net10.0/MicroBench --filter '*'

# Load and faults on a real server, every answer checked: TORTURE_MINUTES (30) and TORTURE_SEED (another one each time).
torture: build
	@.ci/need faketime:faketime prlimit:util-linux
	tests/Torture/bin/$(CONFIGURATION)/net10.0/torture $(BIN)/mfa-server $(or $(TORTURE_MINUTES),30) $(TORTURE_SEED)

# Whether the time of a refusal tells how many digits of a guess were right. For a quiet machine.
timing: build
	@.ci/need faketime:faketime
	tests/Torture/bin/$(CONFIGURATION)/net10.0/torture timing $(BIN)/mfa-server

# Each race for one code over two and over three servers on one PostgreSQL, a hundred times: ROUNDS for another number.
races: build
	@.ci/need oathtool:oathtool pg_ctlcluster:postgresql setpriv:util-linux
	MFA_TEST_ROUNDS=$(or $(ROUNDS),100) dotnet test --project tests/EndToEnd --configuration $(CONFIGURATION) --no-build \
	  --filter-class '*.SpreadRaceTests'

# The stories of tests/Polyglot and the examples of docs/clients, in every language: POLYGLOT="python go" for some.
polyglot: $(BUF) build
	@.ci/need prlimit:util-linux $(LANGUAGES)
	CONFIGURATION=$(CONFIGURATION) tests/Polyglot/run $(POLYGLOT)

# Takes the contract as it is now for the one that later changes must not break.
proto: $(BUF)
	$(BUF) format --write
	$(BUF) lint
	$(BUF) build --exclude-source-info --output protos/landed.json

# SQLite, for the native server to hold.
out/native/sqlite3.o: packaging/sqlite/compile packaging/sqlite/package-lock.json src/Server/packages.lock.json
	@.ci/need gcc:build-essential npm:npm node:nodejs
	packaging/sqlite/compile $@

$(BUF): package.json package-lock.json
	@.ci/need npm:npm node:nodejs
	npm ci --ignore-scripts --no-fund --no-audit
	@touch $@
