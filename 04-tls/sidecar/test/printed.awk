# printed.awk: see common/test/printed.awk.
scene == "rotate" && /^  (before|after) .*\.\.\.$/ { serial[cell[1]] = cell[2] }
END {
    check("4.75", "another certificate has another serial number", "before" in serial && "after" in serial, serial["before"] != serial["after"], serial["before"])
    table("4.24", "hop", "without sidecars|#|#|#\nthrough two of them|#|#|#\nthe difference|#1|#3")
    table("4.66", "retry", "GET|3|#\nPOST|1|#")
    table("4.67", "multiply", "stock|1.0 times\nprice|#1 times")
    table("4.69", "rate", "crawler|#1|#|# s\nshop|1|0|-")
    table("4.74", "thin", "the app and its sidecar|#4\nthe two sidecars (TLS handshakes)|#3")
    table("4.77", "timeout", "#1|#2 ms|#4 times")
    table("4.78", "wire", "the first one|#1|1|#|#\nthe second one|#2|0|1|1")
    table("4.25", "memory", "an app|#\nthe sidecar of stock|#1\nthe sidecar of price|#2\neach of * connections|#")
    check_ends()
}
