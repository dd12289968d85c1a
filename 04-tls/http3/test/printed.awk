# printed.awk: see common/test/printed.awk.
scene == "page_load" && columns == 5 && / ms$/ { loads++; if (figure[3] > figure[4] || figure[4] > figure[5]) wrong = wrong "\n" $0 }
scene == "frames" && /\((name )?in the table\)$|\(as text\)$/ {
    fields++
    form = $1 ~ /^[89a-f]/ ? "(in the table)" : $1 ~ /^[4-7]/ ? "(name in the table)" : "(as text)" # RFC 9204 4.5
    if (substr($0, length($0) - length(form) + 1) != form) wrong_form = wrong_form "\n" $0
}
scene == "price" && columns == 3 && / us$/ { bulk[cell[1]] = figure[2]; small[cell[1]] = figure[3] }
END {
    table("4.45", "frames", "bytes of HEADERS|#1|#1|#1")
    check("4.45", "each field has the form that its first bits say", fields >= 10, !wrong_form, wrong_form)
    table("4.43", "page_load", "no loss, HTTP/2|#|# ms|#1 ms|# ms\nno loss, HTTP/3|#|# ms|#2 ms|# ms\nlosses, HTTP/2|#|# ms|#3 ms|# ms\nlosses, HTTP/3|#|# ms|#4 ms|# ms")
    check("4.43", "shortest, median, longest, in this order", loads == 4, !wrong, wrong)
    numbers(measured["4.42"])
    check("4.42", "so many times as much as the table says", "HTTP/3" in bulk, near(number[1], bulk["HTTP/3"] / bulk["HTTP/1.1, TLS 1.3 over TCP"], 0.2) &&
          near(number[2], small["HTTP/3"] / small["HTTP/1.1, TLS 1.3 over TCP"], 0.2), measured["4.42"])
    table("4.44", "blocked", "the first request|TCP|# ms\nthe second one|HTTP/3|# ms\nUDP is blocked|TCP, after a wait|# ms\nthe next one|TCP|# ms")
    check_ends()
}
