# links.sh: what the READMEs point to is there: the files behind their links, the headings behind a "#", the
# scenes that they play, and the patches of "Break it".

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# check README...: a line for each, and for each thing that is not there.
check() {
    LC_ALL=C awk '
        function is_there(file,    line, is) { is = (getline line < file) >= 0; close(file); return is }
        function point(to, kind) { if (!seen[FILENAME, to]++) { from[++count] = FILENAME; target[count] = to; what[count] = kind } }
        FNR == 1 {
            names[++files] = FILENAME
            folder = FILENAME; sub("/[^/]*$", "", folder)
            breaking = 0
            while ((getline line < (folder "/run.sh")) > 0)
                if (split(line, words, " ") > 1 && words[1] ~ /^(scene|more)$/) scenes[folder, words[2]] = 1
        }
        /^##* / { # as a link writes them: small letters, "-" for a blank, no other signs
            breaking = /^## Break it/
            heading = tolower($0); sub("^##* ", "", heading); gsub(" ", "-", heading); gsub("[^a-z0-9_-]", "", heading)
            headings[FILENAME "#" heading] = 1
        }
        {
            for (rest = $0; match(rest, "]\\([^)]*\\)"); rest = substr(rest, RSTART + RLENGTH)) {
                link = substr(rest, RSTART + 2, RLENGTH - 3)
                if (link !~ /^https?:/) point(link ~ /^#/ ? FILENAME link : folder "/" link, "link")
            }
            for (rest = $0; folder ~ /[0-9][0-9]-/ && match(rest, "SCENE=[a-z][a-z0-9_-]*"); rest = substr(rest, RSTART + RLENGTH))
                point(substr(rest, RSTART + 6, RLENGTH - 6), "scene")
            if (breaking && match($0, "^\\* `[a-z0-9-]*`")) point(folder "/break/" substr($0, 4, RLENGTH - 4) ".patch", "patch")
            if (match($0, "break/[a-z0-9-]*\\.patch")) point(folder "/" substr($0, RSTART, RLENGTH), "patch")
        }
        END {
            for (i = 1; i <= count; i++) {
                folder = from[i]; sub("/[^/]*$", "", folder)
                file = target[i]; sub("#.*", "", file)
                if (what[i] == "scene") good = (folder, target[i]) in scenes
                else if (!is_there(file)) good = 0
                else good = target[i] !~ /#/ || resolved(target[i]) in headings
                if (!good) lost[from[i]] = lost[from[i]] "\n    " what[i] " " target[i]
            }
            for (i = 1; i <= files; i++)
                print (names[i] in lost ? "FAILED  " : "ok      ") names[i] " points to what is there" lost[names[i]]
        }
        # Without "NAME/.." in it.
        function resolved(path) { while (sub("/[^/.]*/\\.\\./", "/", path)) {} return path }' "$@"
}

cd .. || exit
check ./README.md ./[0-9]*/README.md ./[0-9]*/*/README.md >"$copy/log"
# And it does look: one of each kind that is not there.
mkdir "$copy/01-wrong"
# shellcheck disable=SC2016 # these are not commands
printf '[a](no.md) [b](#nothing) `make run SCENE=none`\n## Break it\n\n* `no-patch`: wrong\n' >"$copy/01-wrong/README.md"
found=$(check "$copy/01-wrong/README.md" | awk '{ printf "%s ", $1 }')
if [ "$found" = "FAILED link link scene patch " ]; then
    echo "ok      a README that points to what is not there is noticed" >>"$copy/log"
else
    echo "FAILED  of a README that points to what is not there this was noticed: $found" >>"$copy/log"
fi
cat "$copy/log"
passed=$(grep -c '^ok ' "$copy/log") failed=$(grep -c '^FAILED' "$copy/log")
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
