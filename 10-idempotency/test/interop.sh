# interop.sh: programs that no one here wrote, and our server: curl for every route, python's json
# for all that we print and take, wrk for a load.
. ../common/test/peers.sh

folder=$(mktemp -d)
start_server ./server --quiet --process-ms 0 --lookup-ms 0 --journal "$folder/journal"
url=http://127.0.0.1:$port
charge='{"amount":500,"currency":"eur","source":"tok_visa"}'

# ask METHOD PATH [curl options]: the status, and the body without what is different each time.
ask() {
    method=$1 path=$2
    shift 2
    : >"$folder/body"
    curl -s -m 20 -X "$method" -o "$folder/body" -w '%{http_code} ' "$@" "$url$path"
    sed 's/ch_[0-9A-Z]*/ID/g; s/"created_ms":[0-9]*/"created_ms":0/' "$folder/body"
}

# The same without the body.
status() { ask "$@" | head -n 1 | cut -c 1-4 | tr -d '\n'; }

# pay KEY [curl options]: the status, and whether it is a replay.
pay() {
    key=$1
    shift
    curl -s -m 20 -i -H "Idempotency-Key: $key" -d "$charge" "$@" "$url/charges" | tr -d '\r' |
        awk '/^HTTP/ { printf "%s", $2 } /^Idempotent-Replayed/ { printf " %s", $0 } END { print "" }'
}

if need curl curl; then
    expect "curl, POST /charges" \
        '201 {"id":"ID","object":"charge","amount":500,"currency":"eur","source":"tok_visa","status":"succeeded","created_ms":0}' \
        "ask POST /charges -H 'Idempotency-Key: \"a\"' -d '$charge'"
    expect "curl, the same again, and without quotation marks" "201 Idempotent-Replayed: true
201 Idempotent-Replayed: true" "pay '\"a\"'; pay a"
    expect "curl, another body, no key, two keys" "422
400
400" "(charge='{\"amount\":501,\"currency\":\"eur\",\"source\":\"tok_visa\"}'; pay a); pay ''; pay b -H 'Idempotency-Key: c'"
    expect "curl, a form is no JSON" "400" "pay d -d amount=500 | head -n 1"
    expect "curl, chunks" "201" "pay chunks -H 'Transfer-Encoding: chunked'"
    expect "curl, 100-continue" "100201" "pay asks -H 'Expect: 100-continue'"
    expect "curl, HTTP/1.0" "201" "pay old -0"
    expect "curl, --retry: the same key, so the same charge" "201" "pay again --retry 3 --retry-all-errors"
    expect "curl, GET a charge by its Location" "same" \
        "location=\$(curl -s -i -H 'Idempotency-Key: a' -d '$charge' $url/charges | tr -d '\r' | sed -n 's/^Location: //p')
         curl -s $url\$location >$folder/one; curl -s -H 'Idempotency-Key: a' -d '$charge' $url/charges | cmp - $folder/one && echo same"
    expect "curl, GET /charges" '200 {"object":"list","data":[{"id":"ID","object":"charge","amount":500,"currency":"eur","source":"tok_visa","status":"succeeded","created_ms":0}],"has_more":true}' \
        "ask GET '/charges?limit=1'"
    expect "curl, accounts" '201 204 200 {"object":"account","name":"ada","owner":"Ada","limit":5}
204 404 {"type":"about:blank","title":"Not Found","status":404,"detail":"There is no such account."}' \
        "for i in 1 2; do ask PUT /accounts/ada -d '{\"owner\":\"Ada\",\"limit\":5}'; done
         ask GET /accounts/ada; ask DELETE /accounts/ada; ask DELETE /accounts/ada"
    expect "curl, GET /balance" '200 {"object":"balance","currency":"eur","count":5,"sum":2500}' "ask GET /balance"
    expect "curl, POST /naive/charges" "201 201 7" \
        "for i in 1 2; do status POST /naive/charges -d '$charge'; done; curl -s $url/balance | sed 's/.*\"count\":\([0-9]*\).*/\1/'"
    expect "curl, POST /notes-pattern/charges" '201 200 {"object":"skipped","detail":"already processed"}' \
        "status POST /notes-pattern/charges -H 'Idempotency-Key: a' -d '$charge'; ask POST /notes-pattern/charges -H 'Idempotency-Key: a' -d '$charge'"
    expect "curl, PUT /outage" "204 503 204 201 " \
        "status PUT /outage -d '{\"ms\":60000}'; status POST /charges -H 'Idempotency-Key: o' -d '$charge'
         status PUT /outage -d '{\"ms\":0}'; status POST /charges -H 'Idempotency-Key: o' -d '$charge'"
    expect "curl, HEAD, a wrong method, a wrong path" "200 405 404 " \
        "curl -sI -o /dev/null -w '%{http_code} ' $url/balance; status PATCH /charges; status GET /nothing"
    expect "curl, what a path knows" "Allow: POST, GET, HEAD" \
        "curl -s -i -X PATCH $url/charges | tr -d '\r' | grep ^Allow"
fi

if need python3 python3; then
    cat >"$folder/client.py" <<'PY'
import http.client, json, random, string, sys
c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=20)
def ask(method, path, value=None, key=None, **how):
    body = json.dumps(value, **how) if value is not None else None
    c.request(method, path, body and body.encode(), {'Idempotency-Key': key} if key else {})
    r = c.getresponse()
    content = r.read().decode()
    return r.status, json.loads(content) if content else None, r.getheader('Content-Type')
random.seed(1)
# Names of all kinds go in and out, as UTF-8 and as escapes.
for i in range(300):
    owner = ''.join(chr(random.choice([random.randint(32, 126), random.randint(160, 0xd7ff),
        random.randint(0xe000, 0xffff), random.randint(0x10000, 0x10ffff)])) for _ in range(random.randint(1, 20)))
    for ascii in True, False:
        status = ask('PUT', '/accounts/p', {'owner': owner, 'limit': i}, ensure_ascii=ascii)[0]
        assert status in (201, 204), (status, owner)
        value = ask('GET', '/accounts/p')[1]
        assert value == {'object': 'account', 'name': 'p', 'owner': owner, 'limit': i}, (value, owner)
# Whatever python's json makes is answered with JSON.
def anything(depth):
    kind = random.randint(0, 7 if depth else 5)
    return [None, True, random.randint(-10**20, 10**20), random.random() * 10**random.randint(-9, 9), 'x', '\u0000\ud83d'][kind] \
        if kind < 6 else [anything(depth - 1) for _ in range(3)] if kind == 6 else {str(i): anything(depth - 1) for i in range(3)}
for i in range(500):
    value = {'amount': 500, 'currency': 'eur', 'source': 'tok'}
    value[random.choice(list(value) + ['more'])] = anything(3)
    good = type(value['amount']) is int and 1 <= value['amount'] <= 99999999 and value['currency'] == 'eur' and \
        type(value['source']) is str and value['source'] in ('tok', 'x') and len(value) == 3
    status, content, kind = ask('POST', '/charges', value, key='python-%d' % i)
    assert status == (201 if good else 400), (status, value)
    assert kind == ('application/json' if good else 'application/problem+json') and (good or content['status'] == 400)
after, ids = '', []
while True:
    page = ask('GET', '/charges?limit=2' + after)[1]
    ids += [charge['id'] for charge in page['data']]
    if not page['has_more']:
        break
    after = '&after=' + ids[-1]
assert ids == sorted(set(ids)) and len(ids) == ask('GET', '/stats')[1]['charges']
print('all as it should be')
PY
    expect "python's json, both ways" "all as it should be" "python3 $folder/client.py $port"
    # The journal, read by another program: no group is torn, no key is there twice.
    cat >"$folder/journal.py" <<'PY'
import json, struct, sys
data = open(sys.argv[1], 'rb').read()
table = []
for i in range(256):
    for _ in range(8):
        i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
    table.append(i)
def crc(data):
    c = 0xffffffff
    for byte in data:
        c = c >> 8 ^ table[(c ^ byte) & 255]
    return c ^ 0xffffffff
assert data[:8] == b'charges\n' and struct.unpack('<II', data[8:16]) == (1, crc(data[:12]))
at, records = 16, []
while data[at:at + 16].strip(b'\0'):
    length, checksum, zero, own = struct.unpack('<IIII', data[at:at + 16])
    lines = data[at + 16:at + 16 + (length + 15) // 16 * 16]
    assert crc(lines) == checksum and crc(struct.pack('<q', at) + data[at:at + 12]) == own
    records += [json.loads(line) for line in lines[:length].splitlines()]
    at += 16 + len(lines)
assert not data[at:].strip(b'\0') and len(data) - at >= 16
keys = [r['key'] for r in records if 'key' in r]
assert len(keys) == len(set(keys))
print(sum(r['amount'] for r in records if r.get('succeeded') and r['currency'] == 'eur'))
PY
    expect "python reads the journal: its sum is the balance" \
        "$(curl -s "$url/balance" | sed 's/.*"sum":\([0-9]*\).*/\1/')" "python3 $folder/journal.py $folder/journal"
fi

if need wrk wrk; then
    cat >"$folder/keys.lua" <<'LUA'
local n = 0
request = function()
    n = n + 1 -- each key twice
    return wrk.format("POST", "/charges", {["Idempotency-Key"] = "wrk-" .. math.floor(n / 2)},
        '{"amount":1,"currency":"usd","source":"tok_wrk"}')
end
local bad = 0
response = function(status) if status ~= 201 and status ~= 409 then bad = bad + 1 print("status", status) end end
LUA
    expect "wrk, a second of charges: each 201 or, where both come at once, 409" "" \
        "wrk -t1 -c20 -d1s -s $folder/keys.lua $url | grep -E 'status|Socket errors'"
    expect "wrk, and each key once" "same" \
        "stats=\$(curl -s $url/balance?currency=usd); echo \"\$stats\" | sed 's/.*\"count\":\([0-9]*\),\"sum\":\([0-9]*\).*/\1 \2/' | (read -r a b; [ \"\$a\" -gt 0 ] && [ \"\$a\" = \"\$b\" ] && echo same)"
fi
if need nc netcat-openbsd; then
    expect "nc, two at once on one connection" "HTTP/1.1 200 OK
HTTP/1.1 200 OK" "printf 'GET /balance HTTP/1.1\r\nHost: h\r\n\r\nGET /balance HTTP/1.0\r\n\r\n' | nc -q2 127.0.0.1 $port | tr -d '\r' | grep HTTP"
fi
rm -rf "$folder"
finish
