# printed.awk: do the printed figures agree with each other? For a lesson's test/printed.awk, which
# reads the ledger and then the output of the scenes as a reader does:
#
#   awk -f ../common/test/printed.awk -f test/printed.awk LEDGER OUTPUT
#
# In each of its rules: scene is the name of the scene; cell[1] the first column of a row of a
# table, or the label of a bar, and figure[2] the number in the second column, and so on. In END
# measured[ID] is what a claim says was measured, and numbers(measured[ID]) sets number[1], ...
# Where a table has the figures of a claim, table(ID, SCENE, ROWS) says all of it in one line.

# Sets number[] to the numbers in a text, and returns how many there are.
function numbers(text,    count) {
    split("", number)
    while (match(text, /[0-9]+(\.[0-9]+)?/)) {
        number[++count] = substr(text, RSTART, RLENGTH) + 0
        text = substr(text, RSTART + RLENGTH)
    }
    return count + 0
}

# One check of what was printed beside claim `id`; where that was skipped there is nothing to
# check. `seen`: the figures stood in the output.
function check(id, name, seen, right, text) {
    if (!(id in reported)) # (measured[] cannot tell: awk makes an element where it looks)
        return
    if (seen && right) {
        print "ok      printed: " name
        return
    }
    print "FAILED  printed: " name ": " (seen ? text : "the figures are missing")
    failed = 1
}

# table(ID, SCENE, "a|1|#2 ms\nb|#|*"): beside claim ID its scene has printed these rows, one below the
# other: cells, divided by |. #2 is the second number in what the claim has measured, # is any number, *
# any text in a cell (a bar).
function table(id, scene, pattern,    text, count, found, regex) {
    text = measured[id]
    while (match(text, /[0-9]+(\.[0-9]+)?/)) {
        found[++count] = substr(text, RSTART, RLENGTH)
        gsub(/\./, "[.]", found[count])
        text = substr(text, RSTART + RLENGTH)
    }
    text = pattern
    gsub(/[][().+?^$\\{}|]/, "[&]", pattern)
    gsub(/\[\^\]/, "\\^", pattern)
    gsub(/\[\|\]/, "[| \n]", pattern) # a wide cell leaves one space, or takes a line
    gsub(/\*/, "[^|\n]*", pattern)
    while (match(pattern, /#[0-9]*/)) {
        regex = regex substr(pattern, 1, RSTART - 1)
        if (RLENGTH == 1)
            regex = regex "[0-9][0-9.,]*"
        else
            regex = regex found[substr(pattern, RSTART + 1, RLENGTH - 1)]
        pattern = substr(pattern, RSTART + RLENGTH)
    }
    check(id, scene ": the rows have the figures of claim " id, scene in printed,
          "\n" printed[scene] ~ "\n" regex pattern "\n", measured[id] "\n" text)
}

function near(a, b, tolerance) {
    return a - b <= tolerance && b - a <= tolerance
}

function check_ends() {
    if (bars)
        print (wrong_bars ? "FAILED " : "ok     ") " printed: each bar is as long as its figure" (wrong_bars ? ":" wrong_bars : "")
    exit failed || wrong_bars
}

# Two bars, one below the other, with figures of the same unit: are they in proportion? A bar has
# up to an eighth of a block less than it should, and a figure is rounded.
function compare_bars(    blocks, unit, digits, slack) {
    unit = cell[2]
    blocks = gsub(/█/, "", unit) + 0.5 * gsub(/▏|▎|▍|▌|▋|▊|▉/, "", unit)
    gsub(/[0-9.]+/, "#", unit)
    if (above && unit == unit_above) {
        bars++
        slack = 0.7 * (figure[2] + figure_above) + 0.6 * (blocks + blocks_above)
        if (!near(blocks * figure_above, blocks_above * figure[2], slack))
            wrong_bars = wrong_bars "\n" line_above "\n" $0
    }
    above = 1
    unit_above = unit
    blocks_above = blocks
    figure_above = figure[2]
    line_above = $0
}

NR == FNR { # the ledger
    split($0, field, "\t")
    if (field[2] != "SKIPPED") {
        reported[field[1]] = 1
        measured[field[1]] = field[5]
    }
    next
}

/^\$ .*--rtt / { # the command line of a scene
    match($0, /--rtt [0-9.]+/)
    rtt = substr($0, RSTART + 6, RLENGTH - 6) + 0
}

/^── / { scene = $3 }

{
    line = $0
    sub(/^ +/, "", line)
    columns = split(line, cell, /  +/)
    sub(/ +$/, "", line)
    gsub(/  +/, "|", line)
    printed[scene] = printed[scene] line "\n"
    split("", figure)
    for (i = 2; i <= columns; i++) {
        numbers(cell[i])
        figure[i] = number[1]
    }
    if (columns == 2 && cell[2] ~ /^(█|▏|▎|▍|▌|▋|▊|▉)+ [0-9]/)
        compare_bars()
    else
        above = 0
}
