# cross.sh: does the workbench compile without a warning on other processors, with another C library and
# with the newest compiler, and do the tests that start no other program pass? `make cross` runs it. It
# works on a copy of this folder, so that nothing here is built anew; a compiler that is not there is
# skipped (with STRICT=1: failed). README.md, "Other machines", says what to install, and why not on the
# machine in use.
#
# The compilers are Debian's. An emulator runs a program, but not what that starts (ALONE in
# test_server.h).
passed=0 failed=0 skipped=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
trap 'exit 130' INT TERM
tar -c --exclude=build --exclude=node_modules --exclude=.git . | tar -x -C "$copy"
# musl has no headers of the kernel: those of this machine serve. (Not all of /usr/include: it has glibc's.)
mkdir "$copy/kernel"
for part in linux asm asm-generic; do
    for place in /usr/include /usr/include/*-linux-gnu; do
        [ ! -d "$place/$part" ] || [ -e "$copy/kernel/$part" ] || ln -s "$place/$part" "$copy/kernel/$part"
    done
done

result() { # ok|FAILED|skipped NAME
    printf '%-7s %s\n' "$1" "$2"
    case $1 in ok) passed=$((passed + 1)) ;; skipped) skipped=$((skipped + 1)) ;; *) failed=$((failed + 1)) ;; esac
}

# has PROGRAM PACKAGE NAME
has() {
    command -v "$1" >/dev/null && return
    word=skipped
    [ -z "$STRICT" ] || word=FAILED
    result $word "$3: apt-get install $2"
    return 1
}

# make_all TARGET COMPILER...: with the flags and the emulator that are set. STRICT=1 would make a failure
# of each test that ALONE=1 skips.
make_all() {
    target=$1
    shift
    (cd "$copy" && make -j2 -O CC="$*" CFLAGS="$flags -Werror" SAN="$san" STRICT= ALONE=1 EMULATOR="$emulator" "$target") \
        >"$copy/log" 2>&1
}

# compiles NAME COMPILER...: everything, the tests as well; nothing is run.
compiles() {
    name=$1
    shift
    if make_all compile "$@"; then
        result ok "$name: no warning"
    else
        grep -a -E -A 8 'warning:|error:' "$copy/log" || tail -n 20 "$copy/log"
        result FAILED "$name: it does not compile without a warning"
    fi
}

# tests NAME COMPILER...: and the unit tests that start no other program.
tests() {
    name=$1
    before=$failed
    compiles "$@"
    [ $failed -eq $before ] || return
    shift
    make_all unit "$@"
    status=$?
    grep -a -B 6 '^FAILED' "$copy/log"
    # shellcheck disable=SC2046 # three numbers
    set -- $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$copy/log" | tail -n 1)
    [ $status -eq 0 ] || [ "${2:-0}" -gt 0 ] || set -- "${1:-0}" 1 "${3:-0}" # it broke off
    echo "        $name: unit tests: $1 passed, $2 failed, $3 start another program"
    passed=$((passed + $1)) failed=$((failed + $2))
}

# What is promised to run is compiled as `make` does it, with all warnings that the optimizer finds; the
# emulator gets more time for a test. For the others -O0 is enough: the warnings that differ there are
# those of types, and they do not need the optimizer.
flags="-O2 -DTEST_SECONDS=600" san="" emulator=qemu-aarch64
if has aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu "ARM, 64 bits" && has $emulator qemu-user "ARM, 64 bits"; then
    tests "ARM, 64 bits" aarch64-linux-gnu-gcc
fi
flags=-O1 emulator=""
if has i686-linux-gnu-gcc gcc-i686-linux-gnu "x86, 32 bits"; then compiles "x86, 32 bits" i686-linux-gnu-gcc; fi
flags=-O0
if has arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf "ARM, 32 bits"; then compiles "ARM, 32 bits" arm-linux-gnueabihf-gcc; fi
if has musl-gcc musl-tools "musl"; then compiles "musl" musl-gcc -idirafter "$copy/kernel"; fi
flags=-O1 san=undefined
if has clang-19 "clang-19 libclang-rt-19-dev" "clang 19"; then tests "clang 19, undefined behaviour" clang-19; fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
