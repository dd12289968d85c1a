# lesson.mk: what the Makefiles of all lessons and variations share.
#
#   make          builds ./server, ./client and ./play (and common/wire/wire)
#   make run      plays the lesson's scenes        [SCENE=name or number] [ARGS="--rtt 200"] [MORE=1]
#   make test     unit tests, scenes, real peers, and the patches in break/
#   make unit     only the unit tests
#   make compile  what these need: the programs and the tests; nothing is run
#   make bench    where the lesson has a test/bench.sh
#   make fuzz     where it has a test/fuzz.c: hostile bytes made by libFuzzer
#                 [FUZZ_SECONDS=30; FUZZ_SEED=1: much the same bytes each time]
#   make pictures plays the scenes in PICTURES for the pictures in README.md
#   make clean
#
# Every .c file at the top of the lesson and in its parts/ is a part of the lesson, those in scenes/
# are parts of ./play; a program links those that it uses. A file at the top or in parts/ does not
# find the headers of scenes/ and test/.
#
# A lesson may set, before it includes this file: LIBS ("-lname"), PROGRAMS (further programs of one
# file each), TOOLS (programs in test/ that its scripts use, built into build/), PICTURES (scenes),
# FUZZED (the parts that fuzz.c attacks, its own, its parent's or common's; a rule for "seeds" then
# puts what to begin with into build/corpus), NEEDS (a header that not every machine has, and the
# package that brings it: without it the lesson says so, and is left out), SINCE (in place of the
# package: what has it, "OpenSSL 3.5": an older machine cannot have it, so it is no failure there).
#
# A variation is a folder inside a lesson's folder, of the same shape. It may also set SERVER (the
# server's name and file where the field calls it otherwise: proxy, broker) and PARENT (parts of the
# lesson around it that it uses: NAME for ../NAME.c or ../parts/NAME.c). It finds the headers of
# that lesson behind its own.

all:
include $(dir $(lastword $(MAKEFILE_LIST)))flags.mk

SERVER       ?= server
ALL_PROGRAMS := $(SERVER) client play $(PROGRAMS)
COMMON       := $(COMMON_DIR)/build/common.a
PARTS        := $(filter-out $(ALL_PROGRAMS),$(basename $(notdir $(wildcard *.c parts/*.c))))
SCENES       := $(filter-out $(ALL_PROGRAMS),$(basename $(notdir $(wildcard scenes/*.c))))
# Archives: each program takes the parts that it uses.
PARENT_A     := $(if $(PARENT),build/parent.a)
PARTS_A      := $(if $(PARTS),build/parts.a)
SCENES_A     := $(if $(SCENES),build/scenes.a)
# Where a file finds headers: those of the lesson; of its scenes; of its tests.
PARTS_I      := -iquote . -iquote parts $(if $(PARENT),-iquote .. -iquote ../parts)
SCENES_I     := $(if $(PARENT),-iquote ../scenes) -I$(COMMON_DIR)/wire
TESTS_I      := -iquote scenes $(SCENES_I) $(if $(PARENT),-iquote ../test) -I$(COMMON_DIR)/test

ifneq ($(if $(NEEDS),$(shell $(CC) -include $(firstword $(NEEDS)) -x c -E /dev/null >/dev/null 2>&1 || echo missing)),)

LEFT_OUT := yes

all compile run bench fuzz pictures missing:
	@echo "$(FOLDER) needs $(or $(SINCE),the header $(firstword $(NEEDS))), and is left out$(if $(SINCE),,: apt-get install $(lastword $(NEEDS)))"

test unit: all
	@[ -z "$$RESULTS" ] || echo "$(FOLDER) 0 $(if $(SINCE),0 0,$(if $(STRICT),1 0,0 1))" >>"$$RESULTS"
	@[ -z "$(STRICT)" ] || [ -n "$(SINCE)" ]

FORCE:

else

all: $(ALL_PROGRAMS)

# Says what the lesson needs and this machine does not have.
missing:

build/parent.a: $(PARENT:%=build/parent-%.o)
	$(ARCHIVE)

build/parts.a: $(PARTS:%=build/%.o)
	$(ARCHIVE)

build/scenes.a: $(SCENES:%=build/%.o)
	$(ARCHIVE)

$(SERVER) client $(PROGRAMS): %: build/%.o $(PARTS_A) $(PARENT_A) $(COMMON)
	$(LINK) $(LIBS)

play: build/play.o $(SCENES_A) $(PARTS_A) $(PARENT_A) $(COMMON)
	$(LINK) $(LIBS)

build/test $(TOOLS:%=build/%): build/%: build/%.o $(SCENES_A) $(PARTS_A) $(PARENT_A) $(COMMON)
	$(LINK) $(LIBS)

build/%.o: %.c build/flags
	$(call COMPILE,$(PARTS_I))

build/%.o: parts/%.c build/flags
	$(call COMPILE,$(PARTS_I))

build/%.o: scenes/%.c build/flags
	$(call COMPILE,$(PARTS_I) $(SCENES_I))

build/%.o: test/%.c build/flags
	$(call COMPILE,$(PARTS_I) $(TESTS_I))

build/parent-%.o: ../%.c build/flags
	$(call COMPILE,$(PARTS_I))

build/parent-%.o: ../parts/%.c build/flags
	$(call COMPILE,$(PARTS_I))

# common/ knows when it is out of date; ask it every time.
$(COMMON): FORCE
	@$(MAKE) --no-print-directory -C $(COMMON_DIR) all
FORCE:

run: all
	@sh ./run.sh

compile: all build/test $(TOOLS:%=build/%)

test: compile
	@sh $(COMMON_DIR)/test/test.sh

unit: compile
	@sh $(COMMON_DIR)/test/test.sh unit

bench: all $(TOOLS:%=build/%)
	@if [ -f test/bench.sh ]; then sh test/bench.sh; else echo "$(FOLDER) has no benchmark"; fi

FUZZ_SECONDS ?= 30
FUZZ_SEED ?= 0
FUZZED_FILES := $(foreach part,$(FUZZED),$(wildcard $(part).c parts/$(part).c $(COMMON_DIR)/$(part).c \
    $(if $(PARENT),../$(part).c ../parts/$(part).c)))

build/fuzz: test/fuzz.c $(FUZZED_FILES) $(wildcard *.h */*.h) $(COMMON) build/flags
	$(Q)clang -g -O1 -std=gnu17 -D_GNU_SOURCE $(WARN) -I$(COMMON_DIR) $(PARTS_I) \
	    -fno-sanitize-recover=undefined -fsanitize=fuzzer,address,undefined -o $@ test/fuzz.c $(FUZZED_FILES) $(COMMON) $(LIBS)

fuzz: build/fuzz
	@mkdir -p build/corpus && $(MAKE) --no-print-directory seeds
	build/fuzz -max_total_time=$(FUZZ_SECONDS) -seed=$(FUZZ_SEED) -max_len=30000 -len_control=20 \
	    -artifact_prefix=build/ -print_final_stats=1 -verbosity=0 build/corpus

pictures: all
	@for scene in $(PICTURES); do sh $(COMMON_DIR)/tools/picture.sh $$scene || exit 1; done

endif

clean:
	rm -rf build $(ALL_PROGRAMS)

.PHONY: all missing compile run test unit bench fuzz seeds pictures clean FORCE
