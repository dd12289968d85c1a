# lesson.mk: what every lesson's Makefile shares.
#
#   make          builds ./server and ./client (and common/wire)
#   make run      plays the lesson's scenes        [SCENE=name or number] [ARGS="--rtt 200"]
#   make test     unit tests, scenes, real peers, and the patches in break/
#   make bench    where the lesson has a bench.sh
#   make fuzz     where it has a fuzz.c: hostile bytes made by libFuzzer  [FUZZ_SECONDS=30]
#   make pictures plays the scenes in PICTURES for the pictures in README.md
#   make clean
#
# A lesson sets, before it includes this file: PARTS (its own parts, "frame hpack"), LIBS
# ("-lname"), VARIATIONS (further programs of one file each), PICTURES (scenes), FUZZED (the files
# that fuzz.c attacks; a rule for "seeds" then puts what to begin with into build/corpus).

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

FUZZ_SECONDS ?= 30

build/fuzz: fuzz.c $(FUZZED) $(wildcard *.h) $(COMMON) build/flags
	$(Q)clang -g -O1 -std=gnu17 -D_GNU_SOURCE $(WARN) -I../common -fno-sanitize-recover=undefined \
	    -fsanitize=fuzzer,address,undefined -o $@ fuzz.c $(FUZZED) $(COMMON)

fuzz: build/fuzz
	@mkdir -p build/corpus && $(MAKE) --no-print-directory seeds
	build/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=30000 -len_control=20 -artifact_prefix=build/ \
	    -print_final_stats=1 -verbosity=0 build/corpus

pictures: all
	@for scene in $(PICTURES); do sh ../common/picture.sh $$scene || exit 1; done

clean:
	rm -rf build $(PROGRAMS)

.PHONY: all run test bench fuzz seeds pictures clean FORCE
