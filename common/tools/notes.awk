# notes.awk: reads the claims out of the sources, and shows them by the sections of the notes. Run by
# notes.sh, which names the files: sections.txt first, then each folder's scenes/play.c before its others.
#
# MODE: "list" (SECTION: only this one, and those below it), "table" (for README.md), "ids" (of all claims),
# "rows" (all of it, for book.sh) or "check".
#
# A claim is, in a scene, { "9.1", "guide §10.1", "what the notes say", HOLDS, ...; in a test of a real
# program, a comment: Claim 7.9, guide §8.2, NOT HERE: what the notes say.

BEGIN {
    RS = "\001" # a file is one record
    STRING = "\"([^\"\\\\]|\\\\.)*\""
    CLAIM = "\"[0-9]+\\.[0-9]+\", *" STRING ", *((" STRING "|[A-Z_]+) *)+, *[A-Za-z_]+"
    REMARK = "Claim [0-9]+\\.[0-9]+, [^,:]*(, §[^,:]*|, [cglpd][^,:]*)*, (HOLDS|NOT HERE): [^\n]*(\n(#|//) [a-z][^\n]*)?"
    if (MODE == "list")
        choose_colours()
}

# The text of what follows in quotes in `source`, joined; a name stands for its #define's text.
function text_of(source, file, text, name) {
    while (match(source, STRING "|[A-Z_]+")) {
        name = substr(source, RSTART, RLENGTH)
        source = substr(source, RSTART + RLENGTH)
        if (substr(name, 1, 1) != "\"")
            name = define_of(name, file)
        text = text substr(name, 2, length(name) - 2)
    }
    gsub(/\\"/, "\"", text)
    return text
}

# The text of `#define name "text"` in `file`, in its quotes.
function define_of(name, file, line) {
    if (!match(file, "#define " name " +" STRING))
        return "\"" name "\""
    line = substr(file, RSTART, RLENGTH)
    return substr(line, index(line, "\""))
}

# How make calls a folder: 05-polling-sse/pubsub is 05-pubsub.
function make_name(folder, parts, count) {
    count = split(folder, parts, "/")
    return substr(folder, 1, 2) (count > 1 ? "-" parts[count] : "")
}

function add_claim(id, where, says, verdict, command, place, i, count, parts, document) {
    if (id in seen) { # one scene may declare two verdicts: for two kernels
        if (claim_command[seen[id]] != command)
            complain("claim " id " stands in two places")
        claim_verdict[seen[id]] = "it depends"
        return
    }
    claims++
    claim_id[claims] = id
    claim_says[claims] = says
    claim_verdict[claims] = verdict
    claim_command[claims] = command
    seen[id] = claims
    count = split(where, parts, /, */)
    for (i = 1; i <= count; i++) {
        place = parts[i]
        if (substr(place, 1, 2) == "§")
            place = document " " place
        document = place
        sub(/ .*/, "", document)
        if (!(place in title) && place != "(ours)")
            complain("claim " id " names \"" place "\", which is no section of the notes")
        at[place] = at[place] " " claims
    }
}

function complain(text) {
    complaints++
    print "FAILED  " text
}

# ---- what the files say ----------------------------------------------------------------------

function read_sections(file, lines, count, i, fields) {
    count = split(file, lines, "\n")
    for (i = 1; i <= count; i++)
        if (lines[i] !~ /^#/ && split(lines[i], fields, "\t") >= 2) {
            sections++
            section[sections] = fields[1]
            title[fields[1]] = fields[2]
            reason[fields[1]] = fields[3]
        }
}

# {"name", "title", scene_function} in play.c
function read_scenes(file, entry) {
    while (match(file, "[{]\"[a-z0-9_-]+\",[ \n]*" STRING ",[ \n]*scene_[a-z0-9_]+")) {
        entry = substr(file, RSTART, RLENGTH)
        file = substr(file, RSTART + RLENGTH)
        match(entry, /scene_[a-z0-9_]+$/)
        scene_of[folder, substr(entry, RSTART)] = substr(text_of(substr(entry, 1, index(entry, ","))), 1)
    }
}

function read_claims(file, flat, entry, id, where, says, verdict, name) {
    flat = file
    if (match(flat, /\nvoid scene_[a-z0-9_]+\(void\)/)) {
        name = substr(flat, RSTART + 6, RLENGTH - 12)
        if (!((folder, name) in scene_of))
            complain(FILENAME ": play.c does not list " name)
    }
    gsub(/\n[ \t]*/, " ", flat)
    while (match(flat, CLAIM)) {
        entry = substr(flat, RSTART, RLENGTH)
        flat = substr(flat, RSTART + RLENGTH)
        match(entry, /[0-9]+\.[0-9]+/)
        id = substr(entry, RSTART, RLENGTH)
        entry = substr(entry, RSTART + RLENGTH + 1)
        match(entry, STRING)
        where = substr(entry, RSTART + 1, RLENGTH - 2)
        entry = substr(entry, RSTART + RLENGTH)
        match(entry, /[A-Za-z_]+$/)
        verdict = substr(entry, RSTART)
        says = text_of(substr(entry, 1, RSTART - 1), file)
        if (!name)
            complain(FILENAME ": claim " id " is in a file that has no scene")
        add_claim(id, where, says, verdict == "HOLDS" ? "HOLDS" : verdict == "NOT_HERE" ? "NOT HERE" : "it depends", \
            "make run-" make_name(folder) " SCENE=" scene_of[folder, name])
    }
}

function read_remarks(file, entry, id, where, verdict) {
    while (match(file, REMARK)) {
        entry = substr(file, RSTART + 6, RLENGTH - 6)
        file = substr(file, RSTART + RLENGTH)
        gsub(/\n(#|\/\/)/, "", entry)
        id = entry
        sub(/,.*/, "", id)
        where = substr(entry, length(id) + 3)
        entry = where
        sub(/, (HOLDS|NOT HERE): .*/, "", where)
        entry = substr(entry, length(where) + 3)
        verdict = entry
        sub(/:.*/, "", verdict)
        entry = substr(entry, length(verdict) + 3)
        sub(/\. .*/, "", entry)
        sub(/\.$/, "", entry)
        add_claim(id, where, entry, verdict, "make test-" make_name(folder))
    }
}

{
    folder = FILENAME
    sub(/\/(scenes|test)\/.*/, "", folder)
    if (FILENAME ~ /sections\.txt$/)
        read_sections($0)
    else if (FILENAME ~ /\/play\.c$/)
        read_scenes($0)
    else if (FILENAME ~ /\/scenes\//)
        read_claims($0)
    else
        read_remarks($0)
}

# ---- what comes out --------------------------------------------------------------------------

# Sorts the claims of a place by number into order[]; returns how many there are.
function sort_claims(place, count, i, j, held) {
    count = split(at[place], order, " ")
    for (i = 2; i <= count; i++) {
        held = order[i]
        for (j = i - 1; j > 0 && rank(order[j]) > rank(held); j--)
            order[j + 1] = order[j]
        order[j + 1] = held
    }
    return count
}

function rank(claim, numbers) {
    split(claim_id[claim], numbers, ".")
    return numbers[1] * 1000 + numbers[2]
}

function show_section(place, count, i, j, command, shown) {
    print "\n  " bold place "  " title[place] plain
    count = sort_claims(place)
    split("", shown)
    for (i = 1; i <= count; i++) {
        command = claim_command[order[i]]
        if (command in shown)
            continue
        shown[command] = 1
        print "    " command
        for (j = i; j <= count; j++)
            if (claim_command[order[j]] == command) {
                printf "%10s  %s%-10s%s ", claim_id[order[j]], paint[claim_verdict[order[j]]], claim_verdict[order[j]], plain
                wrap(claim_says[order[j]], 23)
            }
    }
    if (!count) {
        printf "    %sno scene: ", dim
        wrap(reason[place], 14)
        printf "%s", plain
    }
}

function is_wanted(place, number) {
    number = place
    sub(/^[^0-9]*/, "", number)
    return SECTION == "" || SECTION == place || (number != "" && (SECTION == number || index(number, SECTION ".") == 1))
}

function show_list(i, found) {
    sub(/^(guide )?(§|ch\. )/, "", SECTION)
    if (SECTION == "")
        print_title("the notes, section by section")
    for (i = 1; i <= sections; i++)
        if (is_wanted(section[i])) {
            show_section(section[i])
            found = 1
        }
    if (!found) {
        print "the notes have no section \"" SECTION "\"" >"/dev/stderr"
        exit 2
    }
    if (SECTION == "" && at["(ours)"]) {
        title["(ours)"] = "what the notes do not say"
        show_section("(ours)")
    }
    if (SECTION == "")
        print "\n  " show_sum()
    print ""
}

function show_sum(i, shown) {
    for (i = 1; i <= sections; i++)
        shown += at[section[i]] != ""
    return shown " of " sections " sections are shown, by " claims " claims"
}

# How a cell of README.md calls a command: make run-01-nat SCENE=types is 01-nat `types`.
function short_name(command) {
    if (sub(/^make run-/, "", command))
        sub(/ SCENE=/, " `", command)
    else if (sub(/^make test-/, "", command))
        command = command " `test"
    return command "`"
}

# One cell: 01 `handshake` 1.1, **1.2**; 01 `loss` 1.3
function table_cell(place, count, i, j, command, cell, shown, comma) {
    count = sort_claims(place)
    for (i = 1; i <= count; i++) {
        command = claim_command[order[i]]
        if (command in shown)
            continue
        shown[command] = 1
        cell = cell (cell == "" ? "" : "; ") short_name(command)
        comma = ""
        for (j = i; j <= count; j++)
            if (claim_command[order[j]] == command) {
                cell = cell comma " " (claim_verdict[order[j]] == "NOT HERE" ? "**" claim_id[order[j]] "**" : claim_id[order[j]])
                comma = ","
            }
    }
    return cell
}

function show_table(i, j, list, done) {
    print "| section | its title | shown by |\n|---|---|---|"
    for (i = 1; i <= sections; i++)
        if (at[section[i]])
            print "| " section[i] " | " title[section[i]] " | " table_cell(section[i]) " |"
    print "\n| nothing shows | because |\n|---|---|"
    for (i = 1; i <= sections; i++) {
        if (at[section[i]] || done[reason[section[i]]])
            continue
        list = section[i]
        for (j = i + 1; j <= sections; j++)
            if (!at[section[j]] && reason[section[j]] == reason[section[i]])
                list = list ", " substr(section[j], index(section[j], " ") + 1)
        done[reason[section[i]]] = 1
        print "| " list " | " reason[section[i]] " |"
    }
}

# Lines with tabs between their fields: section PLACE TITLE REASON, and below it claim PLACE ID VERDICT COMMAND SAYS.
function show_rows(i, j, count) {
    section[++sections] = "(ours)"
    title["(ours)"] = "what the notes do not say"
    for (i = 1; i <= sections; i++) {
        print "section\t" section[i] "\t" title[section[i]] "\t" reason[section[i]]
        count = sort_claims(section[i])
        for (j = 1; j <= count; j++)
            print "claim\t" section[i] "\t" claim_id[order[j]] "\t" claim_verdict[order[j]] "\t" \
                claim_command[order[j]] "\t" claim_says[order[j]]
    }
}

function check(i) {
    for (i = 1; i <= sections; i++)
        if (!at[section[i]] && !reason[section[i]])
            complain(section[i] " has neither a claim nor a reason in common/tools/sections.txt")
}

END {
    if (MODE == "list")
        show_list()
    else if (MODE == "table")
        show_table()
    else if (MODE == "rows")
        show_rows()
    else if (MODE == "ids")
        for (id in seen)
            print id
    else {
        check()
        print "ok      " claims " claims, " sections " sections"
    }
    if (complaints)
        exit 1
}
