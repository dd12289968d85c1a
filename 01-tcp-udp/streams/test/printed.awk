# printed.awk: see common/test/printed.awk.
# Half a round trip late is between the second and the fourth height of a strip.
scene == "independent" && / stream [1-6]  / { run = int(drawn / 6); drawn++; late_at_least[run] += /▄|▅|▆|▇|█/; late_at_most[run] += /▂|▃|▄|▅|▆|▇|█/ }
END {
    numbers(measured["1.13"])
    check("1.13", "as many streams are drawn late as the claim says", drawn == 18, late_at_least[0] <= number[1] && number[1] <= late_at_most[0] &&
          late_at_least[1] <= number[4] && number[4] <= late_at_most[1], measured["1.13"] ": " late_at_least[0] " to " late_at_most[0] ", TCP " late_at_least[1] " to " late_at_most[1])
    table("1.14", "migrate", "over TCP|#3\nover UDP, with ids|#1|the next byte after # ms")
    table("1.16", "spoof", "guesses 20,000 ids|goes on|#|0|0\nknows the id: CLOSE|is over|#|#|0\nknows it: answers|is over|#|#|#1\nknows it: cannot answer|goes on|#|#|#")
    table("1.16", "spoof", "guesses 20,000 ids|goes on|#|0|0\nknows the id: CLOSE|goes on|#|0|0\nknows it: answers|goes on|#|0|#2\nknows it: cannot answer|goes on|#|0|0")
    table("1.36", "spoof", "the server answers at once|#1|#2\n./server --retry|#1|#3")
    table("1.37", "loss", "no loss, UDP|* #1 Mbit/s\nno loss, TCP|* #2 Mbit/s\none packet lost, UDP|* # Mbit/s\none packet lost, TCP|* # Mbit/s\n3 % lost, UDP|* # Mbit/s\n3 % lost, TCP|* # Mbit/s")
    table("1.38", "loss", "one packet lost, UDP|* #1 Mbit/s\none packet lost, TCP|* #2 Mbit/s")
    check_ends()
}
