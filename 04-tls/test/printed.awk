# printed.awk: see common/test/printed.awk.
scene == "round_trips" && columns == 6 && figure[3] > 0 && cell[2] ~ / ms$/ {
    ways++
    if (figure[2] < rtt * figure[3] - 1 || figure[3] < figure[4] + figure[5] + figure[6])
        wrong = wrong "\n" $0
    ms[cell[1]] = figure[2]
    trips[cell[1]] = figure[3]
}
scene == "round_trips" && columns == 2 && /█/ { bars++; if (!near(figure[2], ms[cell[1]], 0.6)) bad_bar = bad_bar "\n" $0 }
scene == "cost" && /^  1\.[23], .* bytes / { bytes[cell[1]] = figure[2] + figure[3]; cpu[cell[1]] = figure[4] }
scene == "nagle_flights" && columns == 4 && cell[3] ~ / ms$/ { written[++flights] = figure[2] }
END {
    check("4.20", "record by record there are more write()s than by flights", flights == 8, written[3] > written[1] && written[1] == written[2] && written[3] == written[4] && written[7] > written[5],
          written[1] " " written[2] " " written[3] " " written[4] " " written[5] " " written[7])
    check("4.1", "a round trip takes the RTT, and their parts add up", ways, !wrong, wrong)
    check("4.1", "the bars show the table's milliseconds", bars, !bad_bar, bad_bar)
    numbers(measured["4.1"])
    check("4.1", "the claim has the table's round trips", ways && number[2], number[2] == trips["TLS 1.2"] - trips["plain HTTP"] && number[4] == trips["TLS 1.3"] - trips["plain HTTP"], measured["4.1"])
    numbers(measured["4.7"])
    check("4.7", "resumption: bytes and CPU as in the table", number[2] && bytes["1.3, RSA-2048"], near(number[1], 100 * bytes["1.3, RSA-2048, resumed"] / bytes["1.3, RSA-2048"], 1) &&
          near(number[2], 100 * cpu["1.3, RSA-2048, resumed"] / cpu["1.3, RSA-2048"], 1), measured["4.7"])
    table("4.108", "cost", "1.3, RSA-2048|# bytes|#2 bytes|# us|# us\n1.3, RSA-2048, compressed|# bytes|#1 bytes|# us|# us")
    check_ends()
}
