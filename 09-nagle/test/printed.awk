# printed.awk: see common/test/printed.awk.
columns == 5 && cell[2] ~ / ms$/ {
    rows++
    median[scene, cell[1]] = figure[3]
    segments[scene, cell[1]] = figure[5]
    if (figure[3] > figure[4] || figure[2] > figure[4])
        wrong = wrong "\n" $0
    if (scene == "distance" && figure[3] < rtt)
        wrong = wrong "\n" $0
}
columns == 2 && ((scene, cell[1]) in median) { bars++; if (figure[2] != median[scene, cell[1]]) wrong_bar = wrong_bar "\n" $0 }
scene == "distance" && /│ write\(4\), write\(100\)/ { written = substr(cell[1], 1) + 0 }
scene == "distance" && /├── 100 bytes/ && !sent { sent = cell[1] + 0; distance_rtt = rtt }
scene == "telnet" && columns == 5 { typed++; of[cell[1]] = figure[2] " " figure[4]; if (figure[2] > figure[3] || !near(figure[5], figure[4] / 1000, 0.06)) wrong_typed = wrong_typed "\n" $0 }
scene == "telnet" && columns == 2 && / bytes$/ { if (index(of[cell[1]], " " figure[2]) == 0) wrong_typed = wrong_typed "\n" $0 }
scene == "bulk" && columns == 4 && cell[4] ~ / ms$/ { bulk[figure[2]] = figure[3]; if (figure[4] < rtt) wrong_bulk = wrong_bulk "\n" $0 } # by TCP_NODELAY, 0 or 1
END {
    numbers(measured["9.30"])
    check("9.30", "the claim has the table's segments, and no transfer is quicker than the RTT", (0 in bulk) && (1 in bulk), number[3] == bulk[0] && number[4] == bulk[1] && !wrong_bulk, measured["9.30"] wrong_bulk)
    check("9.6", "a median is no more than the worst, an answer no sooner than the RTT", rows, !wrong, wrong)
    check("9.6", "the bars show the table's medians", bars, !wrong_bar, wrong_bar)
    check("9.4", "segments a request: two, or one", rows, segments["stall", "two write()s"] == 2 && segments["stall", "one writev()"] == 1 && segments["stall", "two write()s, TCP_CORK"] == 1,
          segments["stall", "two write()s"] " " segments["stall", "one writev()"])
    numbers(measured["9.6"])
    check("9.6", "the claim has the table's medians", number[2], near(number[1], median["stall", "two write()s"], 0.06) && near(number[2], median["stall", "two write()s, TCP_NODELAY"], 0.006), measured["9.6"])
    check("9.1", "the body leaves a round trip after the header", sent, sent - written >= distance_rtt, written " " sent)
    numbers(measured["9.5"])
    check("9.5", "the claim has the table's segments and bytes", typed && number[4], !wrong_typed && of["Nagle"] == number[1] " " number[2] && of["TCP_NODELAY"] == number[3] " " number[4], measured["9.5"] wrong_typed)
    check_ends()
}
