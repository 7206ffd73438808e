# DataCrumbs for Slurm. `make help` lists the targets.

PREFIX         ?= /usr
SYSCONFDIR     ?= /etc
SLURM_PLUGINDIR ?= /usr/lib/$(MULTIARCH)/slurm-wlm
SLURM_CONFDIR  ?= $(SYSCONFDIR)/slurm
UNITDIR        ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR    ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR    ?= $(PREFIX)/lib/tmpfiles.d
DESTDIR        ?=

SWIFT     ?= swift
MULTIARCH := $(shell gcc -print-multiarch 2>/dev/null)
SWIFTLIB  := $(dir $(realpath $(shell command -v $(SWIFT))))../lib/swift
CLANG     := $(dir $(realpath $(shell command -v $(SWIFT))))clang

PROGRAMS := datacrumbs datacrumbs_probes datacrumbs_service datacrumbs_sign_probes
BIN      := .build/release
PLUGIN   := .build-plugin/release/libspank_datacrumbs.so
BPF      := Sources/CTracerBPF/tracer.bpf.o

# What builds, tests and the cluster need from Debian.
PACKAGES := libslurm-dev libsystemd-dev zlib1g-dev libssl-dev libbpf-dev libelf-dev \
            shellcheck bats jq debootstrap systemd-container iproute2

.PHONY: help setup all bpf plugin programs test check demo bench lint format install clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install the Debian packages that are missing
	@missing=; for p in $(PACKAGES); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] || { echo "installing:$$missing"; \
	  apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }

all: plugin programs ## build everything

bpf: $(BPF)

$(BPF): $(wildcard Sources/Tracer/BPF/*)
	@true

plugin:
	DATACRUMBS_EMBEDDED=1 $(SWIFT) build -c release --product spank_datacrumbs --scratch-path .build-plugin \
	  -Xlinker $(SWIFTLIB)/embedded/x86_64-unknown-linux-gnu/libswiftUnicodeDataTables.a \
	  -Xlinker --version-script=CShim/spank_datacrumbs.map

programs: bpf
	$(SWIFT) build -c release --static-swift-stdlib $(addprefix --product ,$(PROGRAMS))
