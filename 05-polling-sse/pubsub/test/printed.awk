# printed.awk: see common/test/printed.awk.
scene == "overload" && columns == 3 && cell[1] ~ /^[0-9]+$/ { crowds++; if (!near(figure[3], cell[1] * figure[2], 0.1 * cell[1] * figure[2])) wrong = wrong "\n" $0 }
END {
    check("5.25", "what goes in comes out once for each subscriber", crowds == 3, !wrong, wrong)
    table("5.9", "pipeline", "uploaded|#5\nby compress-1|#\nby compress-2, before the kill|#\nby compress-2, started again|#\nthe user was notified of|#5\nof these, came twice|#")
    table("5.10", "qos", "nothing|1|1|1\nPUBLISH to the subscriber|0|1|1\nits PUBACK or PUBREC|-|2|1\nPUBREL to it|-|-|1\nthe publisher's PUBACK/PUBREC|-|2|1\nthe publisher's PUBCOMP|-|-|1")
    table("5.19", "cost", "the subscriber is cut off|yes\nit can come back|no\na message can be published|no\nthe session is kept|no\nmessages that are kept|0")
    table("5.18", "cost", "from one to the other|* #2 ms\nthrough the broker|* #1 ms")
    table("5.22", "backlog", "with a session, QoS 1|#3\nthe same, it had been killed|#3\nwith a session, QoS 0|0\nwith a clean session, QoS 1|0")
    table("5.25", "overload", "published|#6\nkept for it|#\ndropped, the newest|#3")
    table("5.29", "rooms", "all on one chat server|#4\nhalf of them on each of two|#1\nthe same, with a broker|#3")
    check_ends()
}
