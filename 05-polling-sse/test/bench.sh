# bench.sh: the cost of a message to 5,000 readers: the CPU time of the server (user and system) for
# each delivered message, and its memory for each reader that waits. Beside it node: its best known
# WebSocket server (ws), and server-sent events in 30 lines of its http.
#
# One publisher waits until all readers have its message. Then each message is one send() for each
# reader: the kernel's work, which is the same for all servers. Eight publishers do not wait: messages
# that they publish while the readers are served go to each reader in one send().
#
# "uring" is our server with --fan-out uring.
#
# The readers are sockets of one node process, which counts the messages.
. ../common/test/peers.sh

READERS=${READERS:-5000} MESSAGES=${MESSAGES:-100} RUNS=${RUNS:-3}
need node nodejs || exit 0
[ -d node_modules/ws ] || { echo "this needs node's ws: npm install --no-save ws" && exit 0; }
ulimit -n "$(ulimit -Hn)"
folder=$(mktemp -d)
trap 'stop_all; rm -rf "$folder"' EXIT

cat >"$folder/theirs.js" <<'JS'
const http = require('http'), WebSocket = require(process.cwd() + '/node_modules/ws');
const streams = new Set();
let id = 0;
const server = http.createServer((request, response) => {
    if (request.url === '/publish') {
        let data = '';
        request.on('data', part => data += part);
        request.on('end', () => {
            const number = ++id;
            const text = `id: ${number}\ndata: ${data}\n\n`;
            for (const stream of streams) stream.write(text);
            const json = JSON.stringify({ id: number, event: 'message', data });
            for (const socket of sockets.clients)
                if (socket.readyState === WebSocket.OPEN) socket.send(json);
            response.end(`{"id":${number}}\n`);
        });
    } else if (request.url === '/events') {
        response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
        response.write('retry: 1000\n\n');
        streams.add(response);
        request.on('close', () => streams.delete(response));
    } else {
        response.writeHead(404).end();
    }
});
const sockets = new WebSocket.Server({ server, path: '/ws', perMessageDeflate: false });
server.listen(+process.argv[2], '127.0.0.1', 4096);
JS

# Opens so many readers, prints the server's memory for each, and its CPU time for a message.
cat >"$folder/crowd.js" <<'JS'
const net = require('net'), http = require('http'), fs = require('fs');
const [port, pid, path, count, messages] = process.argv.slice(2).map((x, i) => i === 2 ? x : +x);
const MARK = 'm'.repeat(100);
const memory = () => +/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`))[1] * 1024;
const ticks = () => fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ').slice(11, 13).reduce((a, b) => +a + +b);
const upgrade = path === '/ws' ? 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' : '';
let got = 0, wanted = 0, done;
function reader() {
    return new Promise(resolve => {
        const socket = net.connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`));
        let open = false;
        socket.on('data', data => {
            if (!open) { open = true; resolve(); }
            for (let at = data.indexOf(MARK); at >= 0; at = data.indexOf(MARK, at + 100))
                if (++got === wanted) done();
        });
    });
}
const agent = new http.Agent({ keepAlive: true });
const post = () => new Promise(resolve => http.request({ port, agent, method: 'POST', path: '/publish' },
    answer => answer.resume().on('end', resolve)).end(MARK));
const all = number => new Promise(resolve => { done = resolve; wanted = got + number * count; });
async function publish(number, publishers) {
    const reached = all(number);
    await Promise.all(Array.from({ length: publishers }, async (_, i) => {
        for (; i < number; i += publishers)
            await post();
    }));
    await reached;
}
(async () => {
    await new Promise(resolve => setTimeout(resolve, 500));
    const before = memory();
    for (let i = 0; i < count; i += 50)
        await Promise.all(Array.from({ length: Math.min(50, count - i) }, reader));
    await new Promise(resolve => setTimeout(resolve, 1000));
    const bytes = Math.round((memory() - before) / count);
    const cost = began => ((ticks() - began) * 1e6 / 100 / messages / count).toFixed(3);
    let began = ticks();
    for (let i = 0; i < messages; i++)
        await publish(1, 1);
    const one = cost(began);
    began = ticks();
    await publish(messages, 8);
    console.log(one, cost(began), bytes);
    process.exit();
})();
JS

median() { sort -n | sed -n "$(((RUNS + 1) / 2))p"; }

# measure NAME PATH: appends a line to $folder/NAME, from a fresh server.
measure() {
    case $1 in
    ours-*) start_server ./server --quiet --rate 0 ;;
    uring-*) start_server ./server --quiet --rate 0 --fan-out uring ;;
    *)
        choose_port && port=$free_port
        node "$folder/theirs.js" "$port" &
        pids="$pids $!"
        await_port tcp "$port" || exit 1
        ;;
    esac
    pid=${pids##* }
    node "$folder/crowd.js" "$port" "$pid" "$2" "$READERS" "$MESSAGES" >>"$folder/$1" || {
        echo "no figure for $1: the readers ended too soon" >&2
        exit 1
    }
    kill "$pid" && wait "$pid" 2>/dev/null
}

# row TITLE TECHNIQUE COLUMN FORMAT
row() {
    for who in ours uring theirs; do
        cut -d' ' -f"$3" "$folder/$who-$2" | median
    done | awk -v title="$1" -v format="  %-30s $4 $4 $4 %6.2f %6.2f\n" '
        { figure[NR] = $1 }
        END { printf format, title, figure[1], figure[2], figure[3], figure[1] / figure[3], figure[2] / figure[3] }'
}

compare() {
    for run in $(seq "$RUNS"); do
        measure "ours-$2" "$3"
        measure "uring-$2" "$3"
        measure "theirs-$2" "$3"
    done
    row "$1: CPU a message" "$2" 1 "%6.2f us"
    row "  published by eight at once" "$2" 2 "%6.2f us"
    row "  resident memory a reader" "$2" 3 "%7d B"
}

echo "$READERS readers, $MESSAGES messages, median of $RUNS"
printf '  %-30s %9s %9s %9s %6s %6s\n' "" ours uring node ratio ratio
compare "events" sse /events
compare "WebSocket" ws /ws
