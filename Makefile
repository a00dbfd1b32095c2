# SPDX-License-Identifier: GPL-2.0-or-later
# Manx: build, test, install.  `make help` lists the targets.
#
# Everything that is made lies under $(BUILD): build/ is the release, build/asan has gcc's address
# and undefined-behaviour sanitizers (unit, property and golden tests), build/clang the same of
# clang (second compiler; fuzz targets), build/coverage counts lines.

BUILD ?= build
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= $(firstword $(notdir $(wildcard /usr/bin/clang-14 /usr/bin/clang)))
DESTDIR ?=
PREFIX ?= /usr/local
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FUZZ_SECONDS ?= 10
KILLS ?= 20000
SEED ?= 0
JOBS ?= $(shell nproc)
SUBMAKE = $(MAKE) --no-print-directory -j$(JOBS)

PKGS := libnftnl libmnl yajl yaml-0.1 libsystemd libmicrohttpd
LOADED := libcurl# while it runs, where it is needed: watch/kube/libcurl.c
ifeq ($(shell pkg-config --exists $(PKGS) $(LOADED) 2>/dev/null && echo yes),yes)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(LOADED))
PKG_LIBS := $(shell pkg-config --libs $(PKGS))
else
PKG_CFLAGS = $(error libraries are missing; run: scripts/install-packages build)
endif
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Werror
HARDEN := -fno-strict-aliasing -fstack-protector-strong -fPIE $(if $(SAN)$(findstring -O0,$(CFLAGS)),,\
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
CFLAGS ?= -O2 -g
# LTO=1 links with link-time optimisation.
LTO_FLAGS := $(if $(LTO),-flto=auto -ffat-lto-objects)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. $(WARN) $(HARDEN) -MMD -MP \
	$(CFLAGS) $(LTO_FLAGS) $(SAN) $(PKG_CFLAGS)
# V=1 shows whole commands.
Q := $(if $(V),,@)
say = $(if $(V),,@echo '  $(1)')
LINK = $(CC) $(ALL_CFLAGS) -pie -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--gc-sections $(LDFLAGS)

ROOMS := agent datapath ipam watch lib
SRC := $(foreach r,$(ROOMS),$(wildcard $(r)/*.c $(r)/*/*.c))
# Two programs: main.o and plugin_main.o hold main().  Everything else is in the archive, and a test
# links what it reaches of it.
LIB_OBJ := $(filter-out %/main.o %/plugin_main.o,$(SRC:%.c=$(BUILD)/%.o))
UNIT := $(patsubst test/%.c,$(BUILD)/%,$(wildcard test/unit/test_*.c))
PROPERTY := $(patsubst test/%.c,$(BUILD)/%,$(wildcard test/property/test_*.c test/property/world.c))
FUZZ := $(patsubst test/%.c,$(BUILD)/%,$(wildcard test/fuzz/fuzz_*.c))
BENCH_SHARED := test/bench/bare.c test/bench/figure.c test/bench/node.c
BENCH := $(patsubst test/%.c,$(BUILD)/%,$(filter-out $(BENCH_SHARED),$(wildcard test/bench/*.c)))
KILLER := $(BUILD)/net/killer
REFUSER := $(BUILD)/net/refuser.so
# Files beside the programs that their programs share.
SHARED = $(patsubst %.c,$(BUILD)/%.o,$(filter-out test/$(1)/test_%.c test/$(1)/fuzz_%.c test/$(1)/world.c,\
	$(wildcard test/$(1)/*.c)))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all install uninstall lint format coverage fuzz soak soak-changes bench plots golden clean help demo test test-kernels \
	programs kernel-programs coverage-programs fuzzers benches killer refuser variants

all: $(BUILD)/manx $(BUILD)/manx-cni ## build build/manx and its CNI plugin (the default)

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: packages-build packages-demo ## two nodes, pods and a policy as namespaces; needs root
	+@$(SUBMAKE) all
	scripts/demo

test: packages-build packages-demo packages-test ## every test; needs root for the kernel's part
	+@$(SUBMAKE) variants
	scripts/run-tests --fuzz-seconds $(FUZZ_SECONDS) --jobs $(JOBS)

test-kernels: packages-build packages-demo packages-test ## tests on Debian's kernels, emulated; WHOLE=1: all of them; SERIES="6.1"
	+@$(SUBMAKE) all kernel-programs
	test/kernels/run $(if $(WHOLE),--whole) $(if $(SERIES),--series $(SERIES))

lint: packages-build packages-lint ## style, static analysis, the house's rules
	scripts/lint

format: ## format all C files in place
	scripts/lint --format

coverage: packages-build packages-test packages-coverage ## line coverage of unit and property tests
	+@$(SUBMAKE) coverage-programs
	scripts/run-tests --build build/coverage unit property golden
	gcovr --root . --exclude 'test/' --print-summary --html-details build/coverage/index.html build/coverage

fuzz: packages-build packages-test ## fuzz for long: FUZZ_SECONDS=600 make fuzz
	+@$(SUBMAKE) BUILD=build/clang CC=$(CLANG) CFLAGS="-O1 -g" SAN="$(SANITIZE) -fsanitize=fuzzer-no-link" fuzzers
	scripts/run-tests --fuzz-seconds $(FUZZ_SECONDS) --jobs $(JOBS) corpus fuzz

soak: packages-build packages-demo packages-test ## kill agents for long: KILLS=20000 SEED=7 make soak; needs root
	+@$(SUBMAKE) all killer
	MANX_KILLS=$(KILLS) MANX_SEED=$(SEED) /usr/bin/python3 -m pytest -q -s -p no:cacheprovider test/net/test_kill.py

bench: packages-build packages-demo packages-test packages-bench ## the figures of docs/benchmarks.md
	+@$(SUBMAKE) all benches
	test/bench/bench

soak-changes: packages-build packages-demo packages-test ## a million changes through a real agent; needs root
	+@$(SUBMAKE) all
	test/net/soak_changes
plots: packages-bench ## draw docs/plots/*.svg from what `make bench` measured last
	test/bench/plots

golden: packages-build ## write test/golden/*.expected anew; look at the difference before a commit
	+@$(SUBMAKE) all
	scripts/golden --update build/manx

clean: ## remove build/
	rm -rf build

install: all ## install under DESTDIR and PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/doc/manx/examples
	install -s -m 755 $(BUILD)/manx $(BUILD)/manx-cni $(DESTDIR)$(PREFIX)/sbin/
	install -m 644 docs/man/manx.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 docs/man/manx.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 systemd/manx.conf $(DESTDIR)$(PREFIX)/share/doc/manx/examples/
	sed 's#@sbindir@#$(PREFIX)/sbin#' systemd/manx.service.in > $(DESTDIR)$(PREFIX)/lib/systemd/system/manx.service
	chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/manx.service

uninstall: ## remove what install put there; /etc/manx and /var/lib/manx stay
	rm -f $(DESTDIR)$(PREFIX)/sbin/manx $(DESTDIR)$(PREFIX)/sbin/manx-cni $(DESTDIR)$(PREFIX)/share/man/man8/manx.8 \
		$(DESTDIR)$(PREFIX)/share/man/man5/manx.conf.5 $(DESTDIR)$(PREFIX)/lib/systemd/system/manx.service
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/manx

# --- what the targets above are made of -------------------------------------------------------

packages-%:
	@scripts/install-packages $*

variants:
	+@$(SUBMAKE) all kernel-programs killer refuser
	+@$(SUBMAKE) BUILD=build/asan CFLAGS="-O1 -g" SAN="$(SANITIZE)" all programs
	+@$(SUBMAKE) BUILD=build/clang CC=$(CLANG) CFLAGS="-O1 -g" SAN="$(SANITIZE) -fsanitize=fuzzer-no-link" all programs fuzzers

programs: $(UNIT) $(PROPERTY)
# What test/kernels runs, without sanitizers.
kernel-programs: $(filter %_kernel %/test_kube_credentials,$(UNIT))
# `make lint` makes these, too: without optimisation gcc has other complaints.
coverage-programs:
	+@$(SUBMAKE) BUILD=build/coverage CFLAGS="-O0 -g --coverage" all programs
fuzzers: $(FUZZ)
benches: $(BENCH)
killer: $(KILLER)
refuser: $(REFUSER)

# All objects, not the archive: two functions of one name are an error here.
$(BUILD)/manx: $(BUILD)/agent/main.o $(LIB_OBJ)
	$(call say,LINK $@)
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS)

# Runs on the host, beside an agent that may be in a container: of libraries it has what every node
# has, libc and libmnl (iproute2, iptables and conntrack are linked with it).
$(BUILD)/manx-cni: $(BUILD)/agent/cni/plugin_main.o $(BUILD)/libmanx.a
	$(call say,LINK $@)
	$(Q)$(LINK) -o $@ $^ $(shell pkg-config --libs libmnl) -l:libyajl_s.a

$(BUILD)/libmanx.a: $(LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/%.o: %.c $(MAKEFILE_LIST)
	@mkdir -p $(@D)
	$(call say,CC   $@)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/unit/%: $(BUILD)/test/unit/%.o $(call SHARED,unit) $(BUILD)/libmanx.a
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(LINK) -o $@ $^ -lcmocka $(PKG_LIBS)

$(BUILD)/property/%: $(BUILD)/test/property/%.o $(call SHARED,property) $(BUILD)/libmanx.a
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(LINK) -o $@ $^ -lcmocka $(PKG_LIBS)

$(BUILD)/fuzz/%: $(BUILD)/test/fuzz/%.o $(call SHARED,fuzz) $(BUILD)/libmanx.a
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka $(PKG_LIBS)

# The machinery of random worlds, with the fuzzer's bytes as its chance: what it does is no news to
# the fuzzer.
$(BUILD)/test/property/%.o: override SAN := $(filter-out -fsanitize=fuzzer-no-link,$(SAN))
$(BUILD)/fuzz/fuzz_sequence $(BUILD)/fuzz/fuzz_nodes: $(call SHARED,property)

$(BUILD)/bench/%: $(BUILD)/test/bench/%.o $(BENCH_SHARED:%.c=$(BUILD)/%.o) $(BUILD)/libmanx.a
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS)

$(BUILD)/net/%: $(BUILD)/test/net/%.o $(BUILD)/libmanx.a
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(LINK) -o $@ $^

# Preloaded by agents.
$(BUILD)/net/%.so: test/net/%.c $(MAKEFILE_LIST)
	@mkdir -p $(@D)
	$(call say,LINK $@)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -shared -o $@ $<

-include $(LIB_OBJ:.o=.d) $(wildcard $(BUILD)/agent/main.d $(BUILD)/agent/cni/plugin_main.d $(BUILD)/test/*/*.d)
