// browser.js: page.html in Chromium: one of two peers, each on a node of wire, which leave their
// texts in a folder. interop.sh starts both:
//
//     node browser.js answer FOLDER STUN      on one node
//     node browser.js offer FOLDER STUN       on the other node; prints what it has seen
const { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } = require('fs');
const { tmpdir } = require('os');
const { chromium } = require('playwright-core');

const [role, folder, stun] = process.argv.slice(2);
const MESSAGES = 200, PAUSE_MS = 5, PATIENCE_MS = 60000;
const profile = mkdtempSync(`${tmpdir()}/browser-`);

function see(name, good, detail) {
    console.log(`${good ? 'ok     ' : 'FAILED '} chromium: ${name}${good ? '' : `: ${detail}`}`);
}

let leaving = false;

async function leave(context) {
    leaving = true;
    await context.close();
    rmSync(profile, { recursive: true, force: true });
    process.exit(0);
}

function give(name, text) {
    writeFileSync(`${folder}/${name}.part`, text);
    renameSync(`${folder}/${name}.part`, `${folder}/${name}`);
}

async function take(page, name) {
    const end = Date.now() + PATIENCE_MS;
    while (!existsSync(`${folder}/${name}`)) {
        if (Date.now() > end)
            throw new Error(`${name} does not come`);
        await page.waitForTimeout(50);
    }
    return readFileSync(`${folder}/${name}`, 'utf8');
}

// The page's text, once all candidates are in it.
const text_of = page => page.waitForFunction(() => document.getElementById('mine').value, null, { timeout: PATIENCE_MS })
    .then(handle => handle.jsonValue());
const connected = page => page.waitForFunction(() => document.getElementById('log').textContent.includes('the channel is open'),
    null, { timeout: PATIENCE_MS });

async function answer(page) {
    await page.fill('#theirs', await take(page, 'offer'));
    await page.click('#take');
    give('answer', await text_of(page));
    await connected(page);
    // What comes is counted for each channel: how much, and whether in order.
    await page.evaluate(() => {
        window.got = {};
        const count = one => {
            const figures = window.got[one.label] = { came: 0, backwards: 0, last: -1 };
            one.onmessage = event => {
                if (event.data === 'figures') channel.send(`figures ${JSON.stringify(window.got)}`);
                if (event.data === 'count') channel.send('ready');
                if (!/^\d+$/.test(event.data)) return;
                figures.came++;
                if (+event.data < figures.last) figures.backwards++;
                figures.last = +event.data;
            };
        };
        channel.onmessage = event => { if (event.data === 'count') { count(channel); channel.send('ready'); } };
        peer.ondatachannel = event => count(event.channel);
    });
    await page.waitForTimeout(10 * PATIENCE_MS); // until wire ends it
}

// Sends numbered messages over a channel.
const send_all = (page, name, options) => page.evaluate(async ([label, how, messages, pause]) => {
    const one = label === 'chat' ? channel : peer.createDataChannel(label, how);
    if (one.readyState !== 'open') await new Promise(done => { one.onopen = done; });
    await new Promise(done => setTimeout(done, 500)); // the other page has it as well
    for (let i = 0; i < messages; i++) {
        one.send(String(i));
        await new Promise(done => setTimeout(done, pause));
    }
}, [name, options, MESSAGES, PAUSE_MS]);

// What the other page answers to a line. It is asked again: it may not listen yet.
const ask = (page, line, start) => page.evaluate(([asked, expected]) => new Promise(done => {
    const again = setInterval(() => channel.send(asked), 1000);
    channel.onmessage = event => {
        if (!event.data.startsWith(expected)) return;
        clearInterval(again);
        done(event.data);
    };
    channel.send(asked);
}), [line, start]);

async function offer(page) {
    await page.click('#offer');
    const mine = await text_of(page);
    see('a server-reflexive candidate from our server', / 10\.0\.0\.\d+ \d+ typ srflx/.test(mine), mine);
    // Claim 1.29, guide §4.5, NOT HERE: WebRTC can reveal local addresses.
    see('host candidates are names that end in .local: local addresses stay hidden (1.29)',
        /\.local \d+ typ host/.test(mine) && !/ 192\.168\.\d+\.\d+ \d+ typ host/.test(mine), mine);
    see('the page explains each line of the offer', await page.evaluate(() =>
        [...document.querySelectorAll('#meaning tr')].length > 10 &&
        [...document.querySelectorAll('#meaning tr')].every(row => row.children[1].textContent !== '?')), mine);
    give('offer', mine);
    await page.fill('#theirs', await take(page, 'answer'));
    await page.click('#take');
    await connected(page);
    // The pair that the transport has chosen. (A pair's own state changes while checks go on: it is no answer.)
    const path = await page.waitForFunction(async () => {
        const stats = await peer.getStats();
        const transport = [...stats.values()].find(one => one.type === 'transport');
        const pair = stats.get(transport?.selectedCandidatePairId);
        return stats.get(pair?.remoteCandidateId)?.candidateType;
    }, null, { timeout: PATIENCE_MS }).then(handle => handle.jsonValue());
    see('two pages connect through two NATs', path === 'srflx' || path === 'prflx', path);
    await ask(page, 'count', 'ready');
    await send_all(page, 'chat');
    await send_all(page, 'loose', { ordered: false, maxRetransmits: 0 });
    let got;
    for (let i = 0; i < 150; i++) { // until no more can come
        got = JSON.parse((await ask(page, 'figures', 'figures')).slice(8));
        if (got.chat.came === MESSAGES) break;
        await page.waitForTimeout(200);
    }
    await page.waitForTimeout(1000);
    got = JSON.parse((await ask(page, 'figures', 'figures')).slice(8));
    console.log(`        of ${MESSAGES} messages came: default ${got.chat.came}, without resends ${got.loose.came}`);
    // Claim 1.28, guide §4.5, NOT HERE: WebRTC is not for guaranteed delivery.
    see('a data channel delivers all messages, in order, over a lossy link (1.28)',
        got.chat.came === MESSAGES && got.chat.backwards === 0, JSON.stringify(got));
    see('one without resends does not', got.loose.came > 0 && got.loose.came < MESSAGES, JSON.stringify(got));
}

(async () => {
    if (process.env.READY_FD) // the other one need not wait for the browser: it waits for a file
        writeSync(+process.env.READY_FD, '1\n'); // wire wants a port: this has none
    const context = await chromium.launchPersistentContext(profile, {
        executablePath: process.env.CHROMIUM,
        headless: true,
        args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
            '--disable-component-update', '--disable-sync'],
    });
    process.on('SIGTERM', () => leave(context));
    const page = context.pages()[0] || await context.newPage();
    await page.goto(`file://${__dirname}/../page.html?stun=${stun}`);
    if (role === 'offer')
        await offer(page);
    else
        await answer(page);
    await leave(context);
})().catch(error => {
    if (leaving) // wire has ended this one: the page that it waited in is closed
        return;
    console.log(`FAILED  chromium: ${error.message}`);
    process.exit(1);
});
