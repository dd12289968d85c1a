# printed.awk: see common/test/printed.awk.
scene == "header_compression" && /number|all ten/ && columns > 3 { rows++; if (!near(figure[4], 100 * figure[3] / figure[2], 0.6)) wrong = wrong "\n" $0; block[cell[1]] = figure[3] }
scene == "page_load" && cell[1] ~ /^HTTP.*connections/ { at = substr(cell[1], 1, 6); waited[at] = figure[2]; went[at] = figure[3]; ms[at] = figure[5] }
scene == "page_load" && cell[1] ~ /^HTTP.[12.]+$/ { bar_ms[substr(cell[1], 1, 6)] = figure[2] }
scene == "page_load" && cell[1] ~ /^(six|one) of HTTP/ { memory[substr(cell[1], 1, 3)] = figure[3] + figure[4]; sockets[substr(cell[1], 1, 3)] = figure[4] }
scene == "windows" && columns == 5 && cell[3] ~ /^[0-9]+: / {
    numbers(cell[3])
    steps++
    if (cell[1] ~ /^GET/)
        before[number[1]] = 0
    if (number[2] != before[number[1]] + figure[2])
        jumps = jumps "\n" $0
    before[number[1]] = number[2]
}
scene == "page" && columns == 4 && cell[1] ~ /^HTTP/ { trips[++pages] = figure[3]; if (figure[4] < rtt * figure[3] - 1) quick = quick "\n" $0 }
scene == "header_compression" && columns == 3 && cell[3] ~ / us$/ { head_us[cell[1]] = figure[3] }
END {
    check("3.7", "per cent of the text", rows, !wrong, wrong)
    numbers(measured["3.7"])
    check("3.7", "the claim has the table's header blocks", rows && number[1], number[1] == block["number 1"] && number[2] == block["number 2"], measured["3.7"])
    check("3.5", "the bars show the table's milliseconds", ms["HTTP/2"], ms["HTTP/2"] == bar_ms["HTTP/2"] && ms["HTTP/1"] == bar_ms["HTTP/1"], ms["HTTP/2"] " " bar_ms["HTTP/2"])
    numbers(measured["3.5"])
    check("3.5", "the claim has the table's figures", ms["HTTP/2"] && number[6], number[1] == ms["HTTP/1"] && number[2] == ms["HTTP/2"] && number[3] == waited["HTTP/1"] &&
          number[5] == went["HTTP/1"] && number[6] == went["HTTP/2"], measured["3.5"])
    numbers(measured["3.55"])
    check("3.55", "the claim has the table's memory", memory["six"] && number[4], near(number[1], memory["six"], 0.15) && near(number[2], memory["one"], 0.15) &&
          number[3] == sockets["six"] && number[4] == sockets["one"], measured["3.55"])
    numbers(measured["3.48"])
    check("3.48", "the claim has the table's round trips, and each takes the RTT", pages == 4, number[1] == trips[1] && number[2] == trips[2] && number[3] == trips[3] && !quick, measured["3.48"] quick)
    check("3.10", "windows: each row adds what came", steps, !jumps, jumps)
    numbers(measured["3.53"])
    text_us = head_us["text of HTTP/1.1"]
    check("3.53", "the claim has the table's CPU times, in texts", text_us && number[3], near(number[1] * text_us, head_us["HPACK, the first of a connection"], 0.01 * number[1] + 0.06 * text_us) &&
          near(number[2] * text_us, head_us["the same without Huffman's code"], 0.01 * number[2] + 0.06 * text_us) && near(number[3] * text_us, head_us["HPACK, a later one"], 0.01 * number[3] + 0.06 * text_us), measured["3.53"])
    check_ends()
}
