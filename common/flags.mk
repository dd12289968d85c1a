# flags.mk: how every C file is compiled. `make SAN=address,undefined` adds sanitizers, `make V=1`
# shows the commands.

# The folder that this file is in, as seen from the folder that includes it.
COMMON_DIR := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
# The folder that is built, as seen from the top: "09-nagle", or "04-tls/termination".
FOLDER     := $(patsubst $(realpath $(COMMON_DIR)/..)/%,%,$(realpath .))

# nginx and nghttpd are where an ordinary user's PATH does not look.
export PATH := $(PATH):/usr/sbin:/sbin

CC      ?= cc
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wno-format-zero-length
# -g1: names and lines, for valgrind and the sanitizers. For a debugger: make CFLAGS="-O0 -g".
CFLAGS  ?= -O2 -g1
override CFLAGS += -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 $(WARN) $(if $(STRICT),-Werror) -pthread -I$(COMMON_DIR)
override CFLAGS += $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)

# Other flags, other objects: build/flags changes exactly when the flags do.
build/flags: FORCE
	@mkdir -p build
	@echo '$(CC) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS)' >$@

Q       := $(if $(V),,@)
LINK     = $(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
ARCHIVE  = @rm -f $@ && $(AR) rcs $@ $^
# $(call COMPILE,further flags). The list of headers (.d) leaves out the source: when a source has
# moved to another folder, its rule finds it there.
COMPILE  = $(Q)echo "  cc $(FOLDER)/$<" && $(CC) $(CFLAGS) $(1) -MMD -MP -c -o $@ $< && \
           sed -i '1s/: [^ ]*\.c/:/' $(@:.o=.d)

-include $(wildcard build/*.d)
