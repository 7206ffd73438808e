# DataCrumbs for Slurm. `make help` lists the targets.

PREFIX         ?= /usr
SYSCONFDIR     ?= /etc
SLURM_PLUGINDIR ?= /usr/lib/$(MULTIARCH)/slurm-wlm
SLURM_CONFDIR  ?= $(SYSCONFDIR)/slurm
LIBDIR         ?= $(PREFIX)/lib/datacrumbs
MANDIR         ?= $(PREFIX)/share/man
EXAMPLEDIR     ?= $(PREFIX)/share/doc/datacrumbs-slurm-tools/examples
BASHCOMPDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR     ?= $(PREFIX)/share/zsh/vendor-completions
# systemd looks below /usr and /etc alone. Under another PREFIX the two units that an admin links
# (docs/admin.md) are in PREFIX/etc/datacrumbs/systemd, what they need is where systemd looks.
ifeq ($(PREFIX),/usr)
  UNITDIR      ?= /usr/lib/systemd/system
  LINKEDDIR    ?= $(UNITDIR)
  SYSUSERSDIR  ?= /usr/lib/sysusers.d
  TMPFILESDIR  ?= /usr/lib/tmpfiles.d
else
  UNITDIR      ?= $(SYSCONFDIR)/systemd/system
  LINKEDDIR    ?= $(PREFIX)/etc/datacrumbs/systemd
  SYSUSERSDIR  ?= $(SYSCONFDIR)/sysusers.d
  TMPFILESDIR  ?= $(SYSCONFDIR)/tmpfiles.d
endif
DESTDIR        ?=

SWIFT     ?= swift
MULTIARCH := $(shell gcc -print-multiarch 2>/dev/null)
SWIFTLIB  := $(dir $(realpath $(shell command -v $(SWIFT))))../lib/swift
CLANG     := $(dir $(realpath $(shell command -v $(SWIFT))))clang

# SLURM=24.11 builds the plugin for another release of Slurm than the one whose headers are
# installed here, and tests it on a cluster of the Debian release that has it.
DEBIAN_22.05 := bookworm
DEBIAN_24.11 := trixie
ifneq ($(SLURM),)
  ifeq ($(DEBIAN_$(SLURM)),)
    $(error SLURM=$(SLURM) is not known here: use 22.05 or 24.11)
  endif
  export DATACRUMBS_CLUSTER_RELEASE := $(DEBIAN_$(SLURM))
  SLURM_HEADERS := $(CURDIR)/.build-headers-$(SLURM)
endif

BIN      := .build/release
PLUGIN_BUILD := .build-plugin$(SLURM:%=-%)
PLUGIN   := $(PLUGIN_BUILD)/release/libspank_datacrumbs.so
BPF      := Sources/CTracerBPF/tracer.bpf.o

# What builds, tests and the cluster need from Debian.
PACKAGES := libslurm-dev libsystemd-dev zlib1g-dev libssl-dev libbpf-dev libelf-dev libdw-dev libdeflate-dev \
            shellcheck bats jq openssl python3 zsh groff-base debootstrap systemd-container iproute2 \
            qemu-system-x86 busybox-static cpio

.PHONY: check-readers setup-packaging check-packages deb rpm soak help setup setup-browser all fuzz bpf client plugin programs test check check-kernel demo bench lint format install clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install the Debian packages that are missing
setup-packaging: PACKAGES := debhelper lintian rpm
setup setup-packaging:
	@missing=; for p in $(PACKAGES); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] || { echo "installing:$$missing"; \
	  apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }

setup-browser: ## install Chromium, for the tests that look at the report's page
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	  chromium python3-venv >/dev/null

all: plugin programs client ## build everything

bpf: $(BPF)

# The architecture as libbpf's headers want it (bpf_tracing.h).
BPF_ARCH := $(shell uname -m | sed -e 's/x86_64/x86/' -e 's/aarch64/arm64/')

$(BPF): $(wildcard Sources/Tracer/BPF/*) Sources/CTracerBPF/include/datacrumbs_record.h
	$(CLANG) -target bpf -O2 -g -Wall -Werror -D__TARGET_ARCH_$(BPF_ARCH) -I/usr/include/$(MULTIARCH) \
	  -ISources/CTracerBPF/include -c Sources/Tracer/BPF/tracer.bpf.c -o $@

plugin: $(SLURM_HEADERS)
	DATACRUMBS_EMBEDDED=1 $(SWIFT) build -c release --product spank_datacrumbs --scratch-path $(PLUGIN_BUILD) \
	  $(SLURM_HEADERS:%=-Xcc -I%) \
	  -Xlinker -s \
	  -Xlinker $(SWIFTLIB)/embedded/$(shell uname -m)-unknown-linux-gnu/libswiftUnicodeDataTables.a \
	  -Xlinker --version-script=CShim/spank_datacrumbs.map

CLIENT := .build/libdatacrumbs_client.so

client: $(CLIENT) ## build the library that marks programs outside a scheduler

$(CLIENT): Client/datacrumbs_client.c
	mkdir -p $(@D)
	gcc -shared -fPIC -O2 -Wall -Wextra -Werror -fvisibility=hidden -o $@ $<

.build-headers-%:
	tree=$$(Tests/Cluster/cluster tree) && mkdir -p $@ && cp -rT "$$tree/usr/include/slurm" $@/slurm

programs: bpf
	$(SWIFT) build -c release --static-swift-stdlib --disable-local-rpath

# DESTDIR, PREFIX, SYSCONFDIR and SLURM_PLUGINDIR say where. Configuration that
# is there already is the admin's and stays.
INSTALL_DIRS = $(LIBDIR) $(BASHCOMPDIR) $(ZSHCOMPDIR) $(PREFIX)/bin $(PREFIX)/sbin $(SLURM_PLUGINDIR) \
               $(SLURM_CONFDIR)/plugstack.conf.d \
               $(UNITDIR) $(LINKEDDIR) $(SYSUSERSDIR) $(TMPFILESDIR) $(SYSCONFDIR)/datacrumbs/trusted.d
FILL = sed -e 's|@BINDIR@|$(PREFIX)/bin|g' -e 's|@SBINDIR@|$(PREFIX)/sbin|g' \
           -e 's|@LIBDIR@|$(LIBDIR)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' -e 's|@PLUGINDIR@|$(SLURM_PLUGINDIR)|g'

install: ## install what `make all` built
	install -d $(addprefix $(DESTDIR),$(INSTALL_DIRS))
	install -m 0755 $(PLUGIN) $(DESTDIR)$(SLURM_PLUGINDIR)/spank_datacrumbs.so
	install -m 0755 -s $(addprefix $(BIN)/,datacrumbs_probes datacrumbs_report datacrumbs_sbatch) $(DESTDIR)$(PREFIX)/bin/
	for name in salloc srun; do ln -sf datacrumbs_sbatch $(DESTDIR)$(PREFIX)/bin/datacrumbs_$$name; done
	install -m 0755 -s $(addprefix $(BIN)/,datacrumbs datacrumbs_service datacrumbs_sign_probes) $(DESTDIR)$(PREFIX)/sbin/
	for script in scripts/*.sh.in; do \
	  $(FILL) "$$script" | install -m 0755 /dev/stdin "$(DESTDIR)$(PREFIX)/sbin/$$(basename "$$script" .in)" || exit 1; done
	for script in scripts/datacrumbs_service_wrapper.in scripts/datacrumbs_wrap.in; do \
	  $(FILL) "$$script" | install -m 0755 /dev/stdin "$(DESTDIR)$(PREFIX)/bin/$$(basename "$$script" .in)" || exit 1; done
	install -m 0755 -s $(CLIENT) $(DESTDIR)$(LIBDIR)/libdatacrumbs_client.so
	ln -sf datacrumbs_probes $(DESTDIR)$(PREFIX)/bin/datacrumbs_probe_configurator
	for unit in systemd/*.service.in systemd/*.socket.in systemd/*.timer.in; do \
	  name=$$(basename "$$unit" .in); \
	  case $$name in datacrumbs@.service | datacrumbs_sign_probes.service) dir=$(LINKEDDIR) ;; *) dir=$(UNITDIR) ;; esac; \
	  $(FILL) "$$unit" > "$(DESTDIR)$$dir/$$name" || exit 1; done
	install -m 0644 systemd/datacrumbs.sysusers $(DESTDIR)$(SYSUSERSDIR)/datacrumbs.conf
	install -m 0644 systemd/datacrumbs.tmpfiles $(DESTDIR)$(TMPFILESDIR)/datacrumbs.conf
	for file in etc/*; do \
	  [ -e "$(DESTDIR)$(SYSCONFDIR)/datacrumbs/$$(basename "$$file")" ] || \
	    install -m 0644 "$$file" $(DESTDIR)$(SYSCONFDIR)/datacrumbs/ || exit 1; done
	[ -e $(DESTDIR)$(SLURM_CONFDIR)/plugstack.conf.d/datacrumbs.conf ] || \
	  $(FILL) plugstack.conf.d/datacrumbs.conf.in > $(DESTDIR)$(SLURM_CONFDIR)/plugstack.conf.d/datacrumbs.conf
	for page in docs/man/*; do \
	  install -D -m 0644 "$$page" "$(DESTDIR)$(MANDIR)/man$${page##*.}/$$(basename "$$page")" || exit 1; done
	install -d $(DESTDIR)$(EXAMPLEDIR) && install -m 0644 docs/examples/*.yaml $(DESTDIR)$(EXAMPLEDIR)/
	install -m 0644 completions/datacrumbs.bash $(DESTDIR)$(BASHCOMPDIR)/datacrumbs_service
	for name in service_wrapper wrap sbatch salloc srun; do \
	  ln -sf datacrumbs_service $(DESTDIR)$(BASHCOMPDIR)/datacrumbs_$$name; done
	install -m 0644 completions/_datacrumbs $(DESTDIR)$(ZSHCOMPDIR)/_datacrumbs
	for name in probes report sign_probes; do \
	  $(BIN)/datacrumbs_$$name --generate-completion-script bash | sed '/^#!/d' > $(DESTDIR)$(BASHCOMPDIR)/datacrumbs_$$name && \
	  $(BIN)/datacrumbs_$$name --generate-completion-script zsh > $(DESTDIR)$(ZSHCOMPDIR)/_datacrumbs_$$name || exit 1; done

deb: setup-packaging all ## packages for login nodes, compute nodes and users, in .build/deb
	rm -rf .build/deb && mkdir -p .build/deb
	DATACRUMBS_BUILT=1 debian/rules binary DEB_DESTDIR=$(CURDIR)/.build/deb >.build/deb/log 2>&1 || { tail -20 .build/deb/log; exit 1; }
	ls .build/deb/*.deb
	lintian --fail-on error,warning .build/deb/*.deb

rpm: setup-packaging all ## the same packages for RPM sites, in .build/rpm
	rm -rf .build/rpm && mkdir -p .build/rpm
	rpmbuild -bb --define "_topdir $(CURDIR)/.build/rpm" --define "_rpmdir $(CURDIR)/.build/rpm" \
	  --define "built $(CURDIR)" rpm/datacrumbs-slurm.spec >.build/rpm/log 2>&1 || { tail -20 .build/rpm/log; exit 1; }
	ls .build/rpm/*/*.rpm

test: bpf client ## run the unit tests
	$(SWIFT) test

check: setup all ## run unit tests and cluster tests
	SWIFT="$(SWIFT)" Tests/check

check-readers: programs client setup-browser ## open a trace in Perfetto and in DFAnalyzer, which come from PyPI
	Tests/Readers/check-readers

check-kernel: setup programs ## run the tracer in Debian's kernel under QEMU: kprobes
	Tests/Kernel/check-kernel $(BIN)

FUZZERS := FuzzDocument FuzzComment FuzzSigner
FUZZ_SECONDS ?= 60
LIBFUZZER = $(firstword $(wildcard $(dir $(CLANG))../lib/clang/*/lib/linux/libclang_rt.fuzzer_no_main-$(shell uname -m).a))

fuzz: bpf ## run each fuzz target for a minute (FUZZ_SECONDS)
	for fuzzer in $(FUZZERS); do \
	  DATACRUMBS_FUZZ=$(LIBFUZZER) $(SWIFT) build -c release --scratch-path .build-fuzz --product $$fuzzer && \
	  mkdir -p .build-fuzz/corpus/$$fuzzer && \
	  SWIFT_BACKTRACE=enable=no .build-fuzz/release/$$fuzzer -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -rss_limit_mb=1024 \
	    -artifact_prefix=.build-fuzz/$$fuzzer- -print_final_stats=1 -verbosity=0 \
	    .build-fuzz/corpus/$$fuzzer Tests/Fuzz/corpus/$$fuzzer || exit 1; done

demo: setup all ## show a traced two-node job on a throw-away cluster
	Tests/Cluster/demo

check-packages: setup deb rpm ## install, upgrade and remove the packages on the test cluster, with jobs running
	bats --print-output-on-failure --timing --setup-suite-file Tests/Cluster/setup_suite.bash Tests/Packages

soak: setup all ## 500 jobs in ten minutes on the test cluster; what is left behind
	Tests/Cluster/soak

# What the tracer is compared with.
bench: PACKAGES += strace linux-perf bpftrace fio bpftool
bench: setup all ## measure: every program in Bench/, each against something in the same run
	@for bench in Bench/*; do \
	  [ ! -x "$$bench" ] || { echo "== $$bench"; "$$bench" || exit 1; }; done

lint: ## swift-format, C warnings, shellcheck
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests
	shellcheck --external-sources $$(git ls-files '*.sh' 'scripts/*.in' '*.bash' '*.bats' .ci/run) \
	  $$(git grep -lE '^#!.*\b(ba)?sh$$' -- Tests Bench ':!*.md')

format: ## rewrite Swift sources in the project's style
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests

clean: ## remove what was built
	rm -rf .build .build-* Sources/CTracerBPF/*.o
