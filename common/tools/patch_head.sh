# patch_head.sh: what the head of a patch in break/ says, for break.sh and puzzle.sh. The head:
#
#   run: SCENE=stall                the scene to play, or: build/test NAME
#   expect: UNEXPECTED              what its output then contains
#   symptom: ...                    what a user sees, for make puzzle-NN; it does not say where to look
#
# Behind it an empty line, what the patch is about, and the diff (patch -p1, from the lesson's folder).

# Prints one field of a patch's head: patch_field run break/NAME.patch
patch_field() { sed -n "s/^$1: //p; /^--- /q" "$2"; }

# What the patch is about: the text between its head and its diff.
patch_text() { sed '/^--- /,$d; /^[a-z]*: /d; /^$/d' "$1"; }

# The check of a patch, in the current folder, which has been built: patch_run "$(patch_field run ...)"
patch_run() {
    # shellcheck disable=SC2086 # a command and its arguments
    case $1 in
    SCENE=*) timeout 120 env ARGS= "$1" sh ./run.sh ;;
    *) timeout 120 $1 ;;
    esac
}

# Whether a check's output says that a claim or a test was skipped. (The ledger has SKIPPED as a column's title.)
patch_skipped() { grep -q 'SKIPPED *$\|skipped:' "$1"; }

# Prints FILE<tab>FUNCTION for each place that a patch changes; its lesson's folder is the current one, and
# the patch is not applied. The function is empty where the line is in none. (The line numbers of a patch
# may be those of last year: so it is applied to copies, and these are compared.)
patch_places() {
    changed=$(mktemp -d)
    sed -n 's/^+++ b\///p' "$1" | while read -r file; do
        mkdir -p "$changed/$(dirname "$file")"
        cp "$file" "$changed/$file"
    done
    patch -d "$changed" -sp1 -F0 <"$1"
    sed -n 's/^+++ b\///p' "$1" | while read -r file; do
        diff -u --label "a/$file" --label "b/$file" "$file" "$changed/$file"
    done | awk '
    # The function around a line of a file: it begins with a name at the left edge, and ends with "}" there.
    function around(file, line,    text, at, name) {
        while ((getline text <file) > 0 && ++at <= line)
            if (text ~ /^}/ && at < line)
                name = ""
            else if (text ~ /^[A-Za-z_][A-Za-z_0-9 *]*\(/ && text !~ /;$/) {
                name = text
                if (name ~ /^TEST\(/)
                    sub(/^TEST\(/, "", name)
                sub(/[()].*/, "", name)
                sub(/.*[ *]/, "", name)
            }
        close(file)
        return name
    }
    /^\+\+\+ / { file = substr($2, 3); next }
    /^@@ / { split(substr($2, 2), start, ","); line = start[1]; changed = 0; next }
    !file { next }
    /^[-+]/ {
        if (!changed && !((file, name = around(file, line)) in seen)) {
            seen[file, name] = 1
            print file "\t" name
        }
        changed = 1
    }
    /^[- ]/ { line++ }
    /^ / { changed = 0 }'
    rm -rf "$changed"
}
