# printed.awk: see common/test/printed.awk.
scene == "unary" && columns == 4 && figure[4] > 0 { sizes++; if (!near(figure[4], figure[2] / figure[3], 0.006)) wrong = wrong "\n" $0 }
scene == "unary" && /bytes to the server and .* for the first call/ { calls = numbers($0); for (i = 1; i <= 4; i++) size[i] = number[i] }
scene == "speed" && cell[1] == "gRPC" && columns == 5 { cpu = figure[2]; call = figure[3]; up = figure[4]; back = figure[5] }
scene == "speed" && cell[1] == "JSON over HTTP/1.1" && columns == 5 { json_cpu = figure[2]; json_call = figure[3] }
scene == "speed" && cell[1] == "protobuf" { bytes = figure[2]; parse = figure[3] }
scene == "speed" && cell[1] == "JSON" { json_bytes = figure[2]; json_parse = figure[3] }
# How far a ratio of two printed figures may be from that of the figures themselves.
function rounding(a, b, unit) { return a / b * (unit / a + unit / b) / 2 + 0.006 }
END {
    table("3.12", "unary", "id 1, \"Do laundry\"|#1|#2|#\nid 1000000, no text|4|24|#\nid 1, say \"hi\" (JSON escapes)|12|28|#\nid 1, a text of 300 bytes|#3|#4|#")
    check("3.12", "the ratio is that of the bytes", sizes == 4, !wrong, wrong)
    check("3.12", "a second call takes fewer bytes than the first", calls == 4, size[3] < size[1] && size[4] < size[2], size[3] " and " size[4])
    if ("3.13" in reported)
        check("3.12", "each of many calls takes the bytes of the second one", up && back, near(up, size[3], 3) && near(back, size[4], 3), up " and " back)
    table("3.14", "kinds", "unary: createToDo|1|1\nserver streams: readToDosStream|1|#\nclient streams: createToDos|3|1\nboth stream: exchangeToDos|3|3")
    table("3.15", "cancel", "the call that was cancelled|#2|#1|CANCELLED\nthe other call|30|30|OK")
    table("3.26", "deadline", "no deadline|OK|50\nboth sides watch the deadline|DEADLINE_EXCEEDED|#1\nonly the server watches it|DEADLINE_EXCEEDED|#2\nthe client is gone|UNAVAILABLE|#3")
    table("3.16", "errors", "there is no such method|12 UNIMPLEMENTED|200\nthere is no such service|12 UNIMPLEMENTED|200\nno protobuf|13 INTERNAL|200\na text that is not UTF-8|13 INTERNAL|200\nmore than 4 MB|8 RESOURCE_EXHAUSTED|200\nits time is up|4 DEADLINE_EXCEEDED|*\na to-do without text|3 INVALID_ARGUMENT|200")
    table("3.18", "schema", "the same|6|text \"tidy\"\nfour new fields|#|text \"tidy\"\ntext is called title now|6|text \"tidy\"\ntext has number 3 now|6|INVALID_ARGUMENT\ntext is an int32 now|2|INVALID_ARGUMENT")
    numbers(measured["3.13"])
    check("3.13", "so many times as long as the table says", call && json_call, near(number[1], json_call / call, rounding(json_call, call, 1.1)) && near(number[2], json_cpu / cpu, rounding(json_cpu, cpu, 0.11)), measured["3.13"])
    numbers(measured["3.25"])
    check("3.25", "less time and fewer bytes, as in the table", bytes && json_parse, near(number[1], 100 - 100 * parse / json_parse, 100 * rounding(parse, json_parse, 1.1)) && near(number[2], 100 - 100 * bytes / json_bytes, 0.6), measured["3.25"])
    table("3.28", "speed", "gRPC|* #1 ms\nJSON over HTTP/1.1|* #2 ms")
    check_ends()
}
