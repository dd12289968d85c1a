# printed.awk: see common/test/printed.awk.
END {
    table("8.26", "forward", "the origin itself|from 127.0.0.2:#\nthrough the proxy|from 127.0.0.1:#\nand the proxy tells|from 127.0.0.1:#, for 127.0.0.2")
    table("8.28", "cache", "misses are collapsed|1000|#1\nthey are not|1000|#2\nthe answer may not be stored|1000|1000")
    table("8.29", "directives", "(nothing said)|MISS|MISS|again\nmax-age=60|MISS|HIT|-\nmax-age=0|MISS|MISS|again\nmax-age=0, s-maxage=60|MISS|HIT|-\nno-cache, and an ETag|MISS|REVALIDATED|again\nno-store|MISS|MISS|again")
    table("8.29", "directives", "Vary: Accept-Language (en, de)|MISS|MISS|again\nVary: Accept-Language (en, en)|MISS|HIT|-\nmax-age=0|MISS|STALE|it is gone\nmax-age=0, must-revalidate|MISS|502|it is gone")
    table("8.45", "revalidate", "an ETag|MISS|HIT|REVALIDATED|once\nLast-Modified|MISS|HIT|REVALIDATED|once\nneither|MISS|HIT|MISS|twice")
    table("8.49", "invalidate", "GET /style.css|200 MISS\nGET /style.css, it has changed|200 HIT\nGET /style.v2.css|200 MISS\nPURGE /style.css|200\nGET /style.css|200 MISS\nDELETE /style.css|*\nGET /style.css|200 MISS\nGET /new, it is not there|404 MISS\nthe same, at the origin: now it is|200\nGET /new, it is there now|404 HIT\nGET /new, after PUT /new|200 MISS")
    table("8.50", "tunnel", "to a port that is allowed|200|unchanged\nto another port|403|-")
    table("8.50", "tunnel", "in tunnels|#1\nas GET http://...|#3")
    table("8.31", "upgrade", "with Upgrade and Connection|101|comes back\nwithout them|#2|-\nin HTTP/1.0 to the origin|#3|-\nthen 400 ms of silence|closed|-\nthen 1,200 ms with pings|open|pongs")
    check_ends()
}
