# lesson.mk: what every lesson's Makefile shares.
#
#   make          builds ./server and ./client (and common/wire)
#   make run      plays the lesson's scenes        [SCENE=name or number] [ARGS="--rtt 200"]
#   make test     unit tests, scenes, real peers, and the patches in break/
#   make bench    where the lesson has a bench.sh
#   make clean
#
# A lesson sets, before it includes this file: PARTS (its own parts, "frame hpack"), LIBS
# ("-lname"), VARIATIONS (further programs of one file each).

all:
include ../common/flags.mk

PROGRAMS := server client $(VARIATIONS)
COMMON   := ../common/build/common.a
# An archive: each program takes the parts that it uses.
PARTS_A  := $(if $(PARTS),build/parts.a)

all: $(PROGRAMS)

build/parts.a: $(PARTS:%=build/%.o)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(PROGRAMS): %: build/%.o $(PARTS_A) $(COMMON)
	$(LINK) $(LIBS)

build/test: build/test.o $(PARTS_A) $(COMMON)
	$(LINK) $(LIBS)

# common/ knows when it is out of date; ask it every time.
$(COMMON): FORCE
	@$(MAKE) --no-print-directory -C ../common all
FORCE:

run: all
	@sh ./run.sh

test: all build/test
	@sh ../common/test.sh

bench: all
	@if [ -f bench.sh ]; then sh ./bench.sh; else echo "$(notdir $(CURDIR)) has no benchmark"; fi

clean:
	rm -rf build $(PROGRAMS)

.PHONY: all run test bench clean FORCE
