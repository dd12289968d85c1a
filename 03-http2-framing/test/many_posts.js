// many_posts.js: node's own HTTP/2 does with our server what browsers do: twenty uploads at once;
// and 5,000 requests of which each is followed by a PING. For interop.sh.
'use strict';
const http2 = require('http2');
const port = process.argv[2];

const client = http2.connect(`http://127.0.0.1:${port}`);
client.on('error', error => console.log('connection:', error.message));

function ask(method, path, body) {
    return new Promise(resolve => {
        const stream = client.request({':method': method, ':path': path});
        let status, length = 0;
        stream.on('response', headers => status = headers[':status']);
        stream.on('data', data => length += data.length);
        stream.on('error', error => resolve(error.message));
        stream.on('end', () => resolve(`${status}, ${length} bytes`));
        stream.end(body);
    });
}

function say(what, answers) {
    const counts = {};
    for (const answer of answers)
        counts[answer] = (counts[answer] || 0) + 1;
    console.log(what, Object.entries(counts).map(([answer, count]) => `${count} x ${answer}`).join('; '));
}

async function main() {
    const body = Buffer.alloc(100000, 'x'), posts = [], pings = [];
    for (let i = 0; i < 20; i++)
        posts.push(ask('POST', '/echo', body));
    say('twenty bodies of 100 KB at once:', await Promise.all(posts));
    for (let i = 0; i < 5000; i++) {
        pings.push(await ask('GET', '/'));
        await new Promise(resolve => client.ping(resolve));
    }
    say('a PING after each request:', pings);
    client.close();
}
main();
