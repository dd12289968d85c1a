# The workbench. `make help` says what there is to type; README.md what it is about.

LESSONS := $(sort $(patsubst %/,%,$(wildcard [0-9][0-9]-*/)))
NUMBERS := $(foreach lesson,$(LESSONS),$(firstword $(subst -, ,$(lesson))))
# A variation is a folder in a lesson's folder: 04-tls/termination. Its targets end in 04-termination.
VARIATIONS := $(patsubst %/run.sh,%,$(wildcard $(LESSONS:%=%/*/run.sh)))
VARIATION_NAMES := $(foreach variation,$(VARIATIONS),$(firstword $(subst -, ,$(variation)))-$(notdir $(variation)))
# The lesson or variation that a target such as run-09 or run-04-termination is about.
find_variation = $(patsubst %/run.sh,%,$(wildcard $(1)-*/$(patsubst $(1)-%,%,$*)/run.sh))
lesson = $(or $(filter $*-%,$(LESSONS)),$(call find_variation,$(firstword $(subst -, ,$*))),\
    $(error there is no lesson '$*'; there are: $(NUMBERS) $(VARIATION_NAMES)))

export SAN STRICT ARGS SCENE MORE

# A variation is built when it is played or tested, or by `make` in its folder.
all: $(LESSONS)
	@echo
	@for lesson in $(sort $(LESSONS) $(VARIATIONS)); do \
	    name=$${lesson%%-*}; [ $$lesson = $${lesson##*/} ] || name=$$name-$${lesson##*/}; \
	    printf '  make run-%-14s %s\n' $$name "$$(sed -n '1s/^# *//p' $$lesson/README.md)"; \
	done
	@printf '\n  make run                the ten lessons, and what came out\n'
	@printf '  make run-all            the variations as well\n  make help               everything else\n\n'

common:
	@$(MAKE) --no-print-directory -C common

$(LESSONS) $(VARIATIONS): common
	@$(MAKE) --no-print-directory -C $@

run: $(LESSONS)
	@sh common/tools/tour.sh $(LESSONS)

run-all: $(LESSONS) $(VARIATIONS)
	@sh common/tools/tour.sh $(sort $(LESSONS) $(VARIATIONS))

run-%: common
	@$(MAKE) --no-print-directory -C $(lesson) run

# Every part writes how many of its tests passed into $RESULTS; the last line adds them up.
test unit: $(LESSONS) $(VARIATIONS)
	@RESULTS=$$(mktemp) && export RESULTS && trap 'rm -f $$RESULTS' EXIT; \
	$(MAKE) --no-print-directory -k $@-common $(NUMBERS:%=$@-%) $(VARIATION_NAMES:%=$@-%); status=$$?; \
	awk '{ p += $$2; f += $$3; s += $$4 } \
	    END { printf "\n%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0 }' $$RESULTS && exit $$status

# Everything, also the tests; nothing is run.
compile: compile-common $(NUMBERS:%=compile-%) $(VARIATION_NAMES:%=compile-%)

compile-common: common
	@$(MAKE) --no-print-directory -C common compile

compile-%: common
	@$(MAKE) --no-print-directory -C $(lesson) compile

test-common: common
	@$(MAKE) --no-print-directory -C common test

test-%: common
	@$(MAKE) --no-print-directory -C $(lesson) test

unit-common: common
	@$(MAKE) --no-print-directory -C common unit

unit-%: common
	@$(MAKE) --no-print-directory -C $(lesson) unit

bench: bench-common $(NUMBERS:%=bench-%) $(VARIATION_NAMES:%=bench-%)

bench-common: common
	@$(MAKE) --no-print-directory -C common bench

bench-%: common
	@$(MAKE) --no-print-directory -C $(lesson) bench

# Off by default: needs clang. FUZZ_SECONDS=600 for longer.
fuzz-%: common
	@$(MAKE) --no-print-directory -C $(lesson) fuzz

pictures: $(NUMBERS:%=pictures-%) $(VARIATION_NAMES:%=pictures-%)

pictures-%: common
	@$(MAKE) --no-print-directory -C $(lesson) pictures

# A copy of the lesson with a fault in it; nothing of the lesson itself is changed.
puzzle-%:
	@sh common/tools/puzzle.sh $(lesson)

# One page of everything, to hand out: book.html.
book: $(LESSONS) $(VARIATIONS)
	@sh common/tools/book.sh $(sort $(LESSONS) $(VARIATIONS))

soak: $(LESSONS) $(VARIATIONS)
	@$(MAKE) --no-print-directory -C common build/hostile
	@sh common/test/soak.sh $(LESSONS) $(VARIATIONS)

cross:
	@sh common/tools/cross.sh

notes:
	@sh common/tools/notes.sh $(if $(UPDATE),update,list "$(SECTION)")

doctor:
	@sh common/tools/doctor.sh $(LESSONS) $(VARIATIONS)

clean:
	@for folder in common $(LESSONS) $(VARIATIONS); do $(MAKE) --no-print-directory -C $$folder clean; done

help:
	@sed -n 's/^#| \{0,1\}//p' Makefile

.PHONY: all common $(LESSONS) $(VARIATIONS) run run-all compile compile-common test test-common unit unit-common bench bench-common pictures book soak cross notes doctor clean help

#| make                             build the ten lessons
#| make run                         play all lessons, and show the ledger
#| make run-all                     the same with the variations
#| make run-09                      play lesson 09
#| make run-04-termination          play a variation; test-, bench-, pictures- and
#|                                  puzzle- take such names, too
#| make run-09 SCENE=2              only its second scene, as SCENE=distance does
#| make run-06 MORE=1               also the scenes for which a tour has no time;
#|                                  so with run-all
#| make run-09 ARGS="--rtt 200"     on another link: common/wire/wire --help
#| make test, make test-09          unit tests, scenes, real peers, and whether
#|                                  the checks bite
#| make unit, make unit-09          only the unit tests
#| make compile, make compile-09    everything compiled, the tests as well
#| make bench, make bench-09        benchmarks, where a lesson has them
#| make fuzz-02                     hostile bytes made by clang's libFuzzer,
#|                                  FUZZ_SECONDS=30 of them
#| make soak                        all servers at once, ten minutes of good and
#|                                  hostile load
#| make notes                       the notes' sections, and the scenes of each
#| make notes SECTION=3.2           only that one; SECTION="load balancing"
#| make doctor                      what this machine offers, and how to get the
#|                                  rest
#| make SAN=address,undefined test  the same tests with sanitizers; SAN=thread
#| make CFLAGS="-O0 -g"             for a debugger
#| make cross                       compiled and tested for other processors and
#|                                  libraries
#| make STRICT=1 test               a skipped test or claim is a failure, and a
#|                                  warning an error
#| make pictures, make pictures-09  the pictures in the READMEs, made anew
#| make puzzle-03                   a fault to find, in a copy of the lesson;
#|                                  CHECK=1, HINT=1, GIVE_UP=1, PUZZLE=2
#| make book                        plays everything, and makes one page of it to
#|                                  hand out: book.html
#| make clean                       remove what was built
