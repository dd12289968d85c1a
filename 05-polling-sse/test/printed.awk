# printed.awk: see common/test/printed.awk.
scene == "techniques" && columns == 8 && cell[6] ~ / ms$/ {
    requests[cell[1]] = figure[2]
    empty[cell[1]] = figure[3]
    bytes[cell[1]] = figure[4] + figure[5]
    mean[cell[1]] = figure[6]
    if (figure[6] > figure[7] || figure[3] > figure[2])
        wrong = wrong "\n" $0
}
scene == "techniques" && columns == 2 && / ms$/ && (cell[1] in mean) { bars++; if (figure[2] != mean[cell[1]]) bad = bad "\n" $0 }
scene == "techniques" && columns == 2 && / bytes$/ && (cell[1] in mean) { bars++; if (!near(figure[2], bytes[cell[1]], 1.1)) bad = bad "\n" $0 }
cell[1] == "were published meanwhile" { published = figure[2] }
cell[1] == "are in the kernel's buffers" { buffered = figure[2] }
cell[1] == "wait in the server's ring" { ring = figure[2] }
scene == "crowd" && columns == 6 && cell[6] ~ / bytes$/ { crowd = cell[1] + 0; middle = figure[4]; last_one = figure[5]; each = figure[6] }
END {
    numbers(measured["5.15"])
    check("5.15", "the claim has the table's last reader and memory, and the middle one was earlier", crowd, number[3] == crowd && near(number[4], last_one, 0.56) && number[5] == each && middle <= last_one, measured["5.15"] ", " middle " " last_one)
    check("5.1", "a mean is no more than the worst, empty answers no more than all", bars, !wrong, wrong)
    check("5.3", "the bars show the table's figures", bars, !bad, bad)
    numbers(measured["5.1"])
    check("5.1", "the claim has the table's empty answers", bars && number[2], number[1] == empty["short polling"] && number[2] == requests["short polling"], measured["5.1"])
    numbers(measured["5.2"])
    check("5.2", "the claim has the table's requests", bars && number[4], number[1] == requests["long polling"] && number[4] == mean["long polling"] && number[5] == mean["short polling"], measured["5.2"])
    numbers(measured["5.3"])
    check("5.3", "bytes of an event", bars && number[3], near(number[3], bytes["SSE"], 1.1) && near(number[4], bytes["long polling"], 1.1), measured["5.3"])
    check("5.16", "events: buffered and in the ring are all", published, published == buffered + ring, published " " buffered " " ring)
    numbers(measured["5.55"])
    check("5.55", "what goes out is a copy for each reader", number[4], near(number[2], number[3] * number[4], number[4] / 2), measured["5.55"])
    check_ends()
}
