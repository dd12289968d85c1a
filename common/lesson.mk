# lesson.mk: what every lesson's Makefile shares.
#
#   make          builds ./server, ./client and ./play (and common/wire/wire)
#   make run      plays the lesson's scenes        [SCENE=name or number] [ARGS="--rtt 200"]
#   make test     unit tests, scenes, real peers, and the patches in break/
#   make bench    where the lesson has a test/bench.sh
#   make fuzz     where it has a test/fuzz.c: hostile bytes made by libFuzzer  [FUZZ_SECONDS=30]
#   make pictures plays the scenes in PICTURES for the pictures in README.md
#   make clean
#
# Every .c file at the top of the lesson and in its parts/ is a part of the lesson, those in scenes/
# are parts of ./play; a program links those that it uses. A file at the top or in parts/ does not
# find the headers of scenes/ and test/.
#
# A lesson may set, before it includes this file: LIBS ("-lname"), PROGRAMS (further programs of one
# file each), TOOLS (programs in test/ that its scripts use, built into build/), PICTURES (scenes),
# FUZZED (the parts that fuzz.c attacks, its own or common's; a rule for "seeds" then puts what to
# begin with into build/corpus).

all:
include $(dir $(lastword $(MAKEFILE_LIST)))flags.mk

ALL_PROGRAMS := server client play $(PROGRAMS)
COMMON       := $(COMMON_DIR)/build/common.a
PARTS        := $(filter-out $(ALL_PROGRAMS),$(basename $(notdir $(wildcard *.c parts/*.c))))
SCENES       := $(filter-out $(ALL_PROGRAMS),$(basename $(notdir $(wildcard scenes/*.c))))
# Archives: each program takes the parts that it uses.
PARTS_A      := $(if $(PARTS),build/parts.a)
SCENES_A     := $(if $(SCENES),build/scenes.a)

all: $(ALL_PROGRAMS)

build/parts.a: $(PARTS:%=build/%.o)
	$(ARCHIVE)

build/scenes.a: $(SCENES:%=build/%.o)
	$(ARCHIVE)

server $(if $(wildcard client.c),client) $(PROGRAMS): %: build/%.o $(PARTS_A) $(COMMON)
	$(LINK) $(LIBS)

# Until a lesson has a client of its own, its scenes are its client.
ifeq ($(wildcard client.c),)
client: play
	@ln -f play client
endif

play: build/play.o $(SCENES_A) $(PARTS_A) $(COMMON)
	$(LINK) $(LIBS)

build/test $(TOOLS:%=build/%): build/%: build/%.o $(SCENES_A) $(PARTS_A) $(COMMON)
	$(LINK) $(LIBS)

build/%.o: %.c build/flags
	$(call COMPILE,-iquote . -iquote parts)

build/%.o: parts/%.c build/flags
	$(call COMPILE,-iquote . -iquote parts)

build/%.o: scenes/%.c build/flags
	$(call COMPILE,-iquote . -iquote parts -I$(COMMON_DIR)/wire)

build/%.o: test/%.c build/flags
	$(call COMPILE,-iquote . -iquote parts -iquote scenes -I$(COMMON_DIR)/wire -I$(COMMON_DIR)/test)

# common/ knows when it is out of date; ask it every time.
$(COMMON): FORCE
	@$(MAKE) --no-print-directory -C $(COMMON_DIR) all
FORCE:

run: all
	@sh ./run.sh

test: all build/test $(TOOLS:%=build/%)
	@sh $(COMMON_DIR)/test/test.sh

bench: all $(TOOLS:%=build/%)
	@if [ -f test/bench.sh ]; then sh test/bench.sh; else echo "$(notdir $(CURDIR)) has no benchmark"; fi

FUZZ_SECONDS ?= 30
FUZZED_FILES := $(foreach part,$(FUZZED),$(wildcard $(part).c parts/$(part).c $(COMMON_DIR)/$(part).c))

build/fuzz: test/fuzz.c $(FUZZED_FILES) $(wildcard *.h */*.h) $(COMMON) build/flags
	$(Q)clang -g -O1 -std=gnu17 -D_GNU_SOURCE $(WARN) -I$(COMMON_DIR) -iquote . -iquote parts \
	    -fno-sanitize-recover=undefined -fsanitize=fuzzer,address,undefined -o $@ test/fuzz.c $(FUZZED_FILES) $(COMMON)

fuzz: build/fuzz
	@mkdir -p build/corpus && $(MAKE) --no-print-directory seeds
	build/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=30000 -len_control=20 -artifact_prefix=build/ \
	    -print_final_stats=1 -verbosity=0 build/corpus

pictures: all
	@for scene in $(PICTURES); do sh $(COMMON_DIR)/tools/picture.sh $$scene || exit 1; done

clean:
	rm -rf build $(ALL_PROGRAMS)

.PHONY: all run test bench fuzz seeds pictures clean FORCE
