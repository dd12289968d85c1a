# interop.sh: no other program speaks the protocol of this lesson, so this file has a second client, in
# Python and from the description in protocol.h alone: a client for our server, and a server for
# our client. And the pool of HTTP connections meets nginx.
. ../common/test/peers.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/frames.py" <<'PYTHON'
import struct

def frame(kind, number, *fields):
    payload = b"".join(struct.pack(">H", len(f.encode())) + f.encode() for f in fields)
    return struct.pack(">IIc", len(payload) + 5, number, kind.encode()) + payload

def exactly(stream, count):
    data = stream.read(count)
    if len(data) != count:
        raise EOFError
    return data

def read(stream):
    length, number, kind = struct.unpack(">IIc", exactly(stream, 9))
    payload, fields = exactly(stream, length - 5), []
    while payload:
        size, = struct.unpack(">H", payload[:2])
        fields.append(payload[2:2 + size].decode())
        payload = payload[2 + size:]
    return kind.decode(), number, fields
PYTHON

cat >"$folder/client.py" <<'PYTHON'
import socket, sys
from frames import frame, read

def connect():
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
    return s, s.makefile("rb")

def show(answer):
    kind, number, fields = answer
    print(kind, number, *fields, sep="|")
    return kind

s, stream = connect()
s.sendall(frame("L", 0, "python", "workbench"))
show(read(stream))
queries = ["get user 42", "posts of users 1,2", "list users", "ping", "slow 5", "drop table"]
s.sendall(b"".join(frame("Q", 100 + i, q) for i, q in enumerate(queries)))
for i in range(len(queries)):
    rows = []
    while (answer := read(stream))[0] == "D":
        rows.append(answer)
    if len(rows) < 6:
        for row in rows:
            show(row)
    assert answer[1] == 100 + i and all(row[1] == 100 + i for row in rows)
    show(answer)
s.sendall(frame("X", 0))
print("then", stream.read())

other, stream = connect()
other.sendall(frame("L", 3, "python", "guess"))
show(read(stream))
print("then", stream.read())
PYTHON

# Knows one user, and answers with frames in pieces.
cat >"$folder/server.py" <<'PYTHON'
import socket, sys
from frames import frame, read

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    s, _ = listener.accept()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = s.makefile("rb")

    def say(*frames):
        data = b"".join(frames)
        for i in range(0, len(data), 7):
            s.sendall(data[i:i + 7])

    try:
        kind, number, fields = read(stream)
        if kind != "L" or fields != ["app", "workbench"]:
            say(frame("F", number, "28P01", "wrong password"))
        else:
            say(frame("R", number, "4711"))
            while (got := read(stream))[0] == "Q":
                kind, number, (query,) = got
                if query == "ping":
                    say(frame("C", number, "0"))
                elif query == "get user 1":
                    say(frame("D", number, "1", "Zo\u00eb", ""), frame("C", number, "1"))
                else:
                    say(frame("E", number, "42601", "what?"))
            print(got[0], file=open(sys.argv[1], "a"), flush=True)
    except (EOFError, ConnectionError):
        pass
    s.close()
PYTHON

# A server that does its clients harm, each path in another way.
cat >"$folder/hostile.py" <<'PYTHON'
import socket, threading, time

OK = b"HTTP/1.1 200 OK\r\n"

def harm(s, path):
    if path == "/endless-head":
        s.sendall(OK)
        while True:
            s.sendall(b"X-More: of it\r\n" * 100)
    elif path == "/endless-hints":
        while True:
            s.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
    elif path == "/silence":
        time.sleep(5)
    elif path == "/two-lengths":
        s.sendall(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhey")
    elif path == "/two-framings":
        s.sendall(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    elif path == "/cut":
        s.sendall(OK + b"Content-Length: 9\r\n\r\nhalf")
        return False
    elif path == "/another":  # answer without a request
        s.sendall((OK + b"Content-Length: 2\r\n\r\nhi") * 2)
    elif path == "/switch":
        s.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    return True

def serve(s):
    try:
        while (lines := s.recv(4096)) and harm(s, lines.split()[1].decode()):
            pass
    except OSError:
        pass
    s.close()

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
PYTHON

if need python3 python3; then
    start_theirs python3 "$folder/hostile.py"
    hostile=$theirs
    # shellcheck disable=SC2016 # $path is for the command
    expect "a hostile server has no second use of a connection" "endless-head: malformed: a head has at most 100 fields; 0 on one that was there
endless-hints: malformed: too many answers 1xx before the answer; 0 on one that was there
silence: timed out; 0 on one that was there
two-lengths: malformed: two Content-Length fields; 0 on one that was there
two-framings: malformed: a length beside chunks: two ends; 0 on one that was there
cut: cut after 4 of 9 bytes of content; 0 on one that was there
another: 0 on one that was there
switch: 0 on one that was there" "for path in endless-head endless-hints silence two-lengths two-framings cut another switch; do
        echo \$path: \$(timeout 20 ./http_client --threads 1 --connections 1 --requests 2 --timeout-ms 300 \\
            http://127.0.0.1:$hostile/\$path 2>&1 |
            sed -n 's/^http_client: [^ ]*: \(.*\)/\1;/p; s/.*, \([0-9]*\) requests \(on one that was there\).*/\1 \2/p')
    done"
    start_server ./server --query-ms 1
    expect "Python is our client" "R|0|1
D|100|42|Barbara Evans|barbara.evans@example.com
C|100|1
D|101|1|1|Ada Adams on queues, part 1
D|101|2|1|Ada Adams on queues, part 2
D|101|3|2|Barbara Adams on caches, part 1
D|101|4|2|Barbara Adams on caches, part 2
D|101|5|2|Barbara Adams on caches, part 3
C|101|5
C|102|100
C|103|0
C|104|0
E|105|42601|syntax error at \"drop table\"
then b''
F|3|28P01|wrong password
then b''" "timeout 20 python3 $folder/client.py $port"
    start_theirs python3 "$folder/server.py" "$folder/log"
    printf '%s\n' ping 'get user 1' 'list users' ping >"$folder/queries"
    expect "Python is our server" "> ping
0 rows
> get user 1
1 | Zoë |
1 row
> list users
error 42601: what?
> ping
0 rows
X" "timeout 20 ./client --port $theirs - <$folder/queries | sed 's/  *session.*//; /^session/d; s/ *$//'
        await 'the end' 'grep . $folder/log'"
    expect "Python refuses our login" "> ping
no connection to 127.0.0.1:$theirs: cannot open: wrong password" "timeout 20 ./client --port $theirs --user eve ping"
    printf '%s\n' ping nonsense 'get user 3' >"$folder/queries"
    expect "and so we talk to ourselves" "> ping
0 rows
> nonsense
error 42601: syntax error at \"nonsense\"
> get user 3
3 | Claude Adams | claude.adams@example.com
1 row" "timeout 20 ./client --port $port - <$folder/queries | sed 's/  *session.*//; /^session/d'"
fi

# The variation: connections to nginx, which keeps each of them for 10 requests, or for a second.
if need nginx nginx-light; then
    choose_port && http_port=$free_port
    start_nginx "$http_port" "keepalive_timeout 1s; server { listen 127.0.0.1:$http_port; keepalive_requests 10;
        location / { return 200 hello; }
        location /cut { return 444; } }"
    url=http://127.0.0.1:$http_port
    expect "nginx serves 100 requests over 10 connections" "10 connections, 90 requests on one that was there, 0 sent again
100 answers, 2xx: 100; 0 failed; 500 bytes" \
        "./http_client --threads 1 --connections 1 --requests 100 $url/ | sed -n 's/^127.*: \([0-9]* conn\)/\1/p; s/; [0-9.]* s\$//p'"
    expect "and over 4 at once no more than 4" "at most 4 at once" \
        "./http_client --threads 20 --connections 4 --requests 400 $url/ | grep -o 'at most 4 at once'"
    expect "what nginx has closed is seen before it is used" "2 connections, 0 requests on one that was there, 0 sent again
1 closed: failed validation" \
        "./http_client --threads 1 --connections 1 --requests 2 --pause-ms 1500 $url/ | sed -n 's/^127.*: \([0-9]* conn\)/\1/p; s/^  \(.*closed\)/\1/p'"
    expect "or, without a look, the request is sent again" "2 connections, 0 requests on one that was there, 1 sent again" \
        "./http_client --blind --threads 1 --connections 1 --requests 2 --pause-ms 1500 $url/ | sed -n 's/^127.*: \([0-9]* conn\)/\1/p'"
    expect "but not one to which a new connection was no answer" "http_client: $url/cut: closed before the answer
0 answers; 1 failed; 0 bytes" \
        "./http_client --threads 1 --requests 1 $url/cut | sed -n 's/; [0-9.]* s\$//p'"
fi
finish
