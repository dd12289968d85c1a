// browser.js: a real browser (Chromium, driven by playwright-core) on the page of this lesson. One
// line for each thing that was seen, "ok" or "FAILED"; interop.sh runs it:
//
//     CHROMIUM=/usr/bin/chromium node browser.js PORT
'use strict';
const { spawn } = require('child_process');
const { mkdtempSync, rmSync } = require('fs');
const { tmpdir } = require('os');
const { chromium } = require('playwright-core');

const url = `http://127.0.0.1:${process.argv[2]}/`;
const PATIENCE = { timeout: 20000 };
const errors = [];
let failed = false;

const see = (name, good, detail = '') => {
    console.log(`${good ? 'ok     ' : 'FAILED '} chromium: ${name} ${good ? '' : detail}`);
    failed ||= !good;
};
const publish = (text, query = '', at = url) => fetch(`${at}publish${query}`, { method: 'POST', body: text }).then(answer => answer.json());

async function open(context, at = url) {
    const page = await context.newPage();
    page.on('console', message => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', error => errors.push(error.message));
    await page.goto(at);
    await page.waitForFunction(() => techniques.websocket?.socket.readyState === 1, null, PATIENCE);
    return page;
}

// What the columns say, as soon as they have all seen this event.
async function figures(page, id) {
    await page.waitForFunction(last => Object.values(techniques).every(one => one.last >= last), id, PATIENCE);
    return page.evaluate(() => Object.values(techniques).map(({ name, events, missed, twice, requests, latencies }) =>
        ({ name, events, missed, twice, requests, latencies: latencies.length })));
}

const complete = list => list.every(one => !one.missed && !one.twice);

async function columns(page) {
    await page.fill('#interval', '300');
    await page.fill('#publish input', 'by hand');
    await page.press('#publish input', 'Enter');
    await page.waitForFunction(() => Object.values(techniques).every(one => one.latencies.length > 0), null, PATIENCE);
    const { id } = await publish('two\nlines');
    const list = await figures(page, id);
    see('all four columns have moved, with nothing missed', complete(list) && list[0].events >= 2, JSON.stringify(list));
    await page.waitForFunction(() => Object.values(techniques).every(one => /[1-9]/.test(one.show_bytes.textContent)), null, PATIENCE);
    see('bytes, requests and latencies are shown', true);
}

// Events come before, while and after everybody is cut off. (The page asks for that; on a busy machine
// it takes a while, and the next test needs the WebSocket that comes after it.)
async function cut(page) {
    const before = await page.evaluate(() => ({ sse: techniques.sse.requests, websocket: techniques.websocket.requests }));
    const back = () => page.evaluate(before => techniques.sse.requests > before.sse &&
        techniques.websocket.requests > before.websocket && techniques.websocket.socket.readyState === 1, before);
    await publish('before');
    await page.click('#cut');
    const until = Date.now() + PATIENCE.timeout;
    for (let i = 0; i < 20 || (!await back() && Date.now() < until); i++) {
        await publish(`meanwhile ${i}`);
        if (i >= 20)
            await page.waitForTimeout(50);
    }
    const list = await figures(page, (await publish('after')).id);
    see('cut off in mid-stream: nothing lost, nothing twice', complete(list), JSON.stringify(list));
    see('EventSource came back by itself', await back());
}

async function chat(page, context) {
    const other = await open(context);
    await other.fill('#chat input', 'hello from the other page');
    await other.press('#chat input', 'Enter');
    await page.waitForFunction(() => /user \d+ says: hello from the other page/.test(log.textContent), null, PATIENCE);
    see('what one page says, the other one hears', true);
    see('who says it does not hear it again', await other.evaluate(() => !/user \d+ says/.test(log.textContent)));
    await other.close();
    await page.waitForFunction(() => /user \d+ left/.test(log.textContent), null, PATIENCE);
    see('who leaves is missed', true);
}

// Claim 5.5, design patterns, guide §15.4, HOLDS: with HTTP/1.1 a browser opens 6 streams to a host.
// Six connections to a host is all that a browser opens for HTTP/1.1: of seven EventSources on
// a page of their own six are open; the seventh is when one of them is closed.
async function seventh(context) {
    const page = await context.newPage();
    await page.goto(`${url}stats`);
    await page.evaluate(() => {
        window.sources = Array.from({ length: 7 }, (_, i) => new EventSource(`/events?number=${i}`));
    });
    const open_ones = () => sources.filter(source => source.readyState === EventSource.OPEN).length;
    await page.waitForFunction(() => sources.filter(source => source.readyState === 1).length >= 6, null, PATIENCE);
    await page.waitForTimeout(1000); // for the seventh, if it is to come
    see('of seven EventSources six are open', await page.evaluate(open_ones) === 6);
    await page.evaluate(() => sources.find(source => source.readyState === 1).close());
    await page.waitForFunction(() => sources.filter(source => source.readyState === 1).length === 6, null, PATIENCE);
    see('the seventh is when one of them is closed', true);
    await page.close();
}

// Claim 5.53, guide §15.7, NOT HERE: when onerror is called, the EventSource is to be closed.
// The error is the lost connection, and without close() EventSource comes back (guide §4.2).
async function closed_in_onerror(context) {
    const page = await context.newPage(), cuts = 5;
    await page.goto(`${url}stats`);
    await page.evaluate(() => {
        window.pair = [false, true].map(closes => {
            const source = new EventSource(`/events?closes=${closes}`), one = { source, opened: 0, heard: [] };
            source.onopen = () => one.opened++;
            source.onmessage = event => /^after cut/.test(event.data) && one.heard.push(event.data); // the server has its own events, too
            source.onerror = () => closes && source.close();
            return one;
        });
    });
    await page.waitForFunction(() => pair.every(one => one.opened === 1), null, PATIENCE);
    for (let i = 1; i <= cuts; i++) {
        await fetch(`${url}cut`, { method: 'POST' });
        await publish(`after cut ${i}`);
        await page.waitForFunction(i => pair[0].opened === i + 1 && pair[0].heard.length === i, i, PATIENCE);
    }
    const [stays, closes] = await page.evaluate(() => pair.map(({ source, opened, heard }) => [opened, heard.length, source.readyState]));
    see('5 cuts, 5 events: EventSource opens 6 connections, and loses nothing', `${stays}` === '6,5,1', stays);
    see('closed in onerror it opens 1, and loses all 5', `${closes}` === '1,0,2', closes);
    await page.close();
}

async function keyboard(page) {
    await page.evaluate(() => document.activeElement.blur());
    const seen = new Set();
    for (let i = 0; i < 12; i++) {
        await page.keyboard.press('Tab');
        seen.add(await page.evaluate(() => document.activeElement.id || document.activeElement.tagName));
    }
    see('the keyboard reaches everything', ['INPUT', 'BUTTON', 'cut', 'interval', 'DIV'].every(one => seen.has(one)), [...seen].join());
}

// A stream that is cut before its first event: EventSource knows the id of the greeting.
async function greeting(page) {
    await page.evaluate(() => new Promise(resolve => {
        window.early = new EventSource('/events?early');
        early.heard = [];
        early.onmessage = event => early.heard.push(event.data);
        early.onopen = () => { early.onopen = null; resolve(); };
    }));
    await fetch(`${url}cut`, { method: 'POST' });
    await publish('while it is away');
    await page.waitForFunction(() => early.heard.some(data => data === 'while it is away'), null, PATIENCE);
    see('cut off before its first event, EventSource loses nothing', true);
    await page.evaluate(() => early.close());
}

// A name that EventSource was not told to hear is no loss; from then on it hears it.
async function other_names(page) {
    await publish('one', '?event=lesson');
    await figures(page, (await publish('two')).id);
    await page.waitForFunction(() => names.has('lesson'), null, PATIENCE);
    const { id } = await publish('three', '?event=lesson');
    const list = await figures(page, id);
    see('an event with another name is not missed', complete(list), JSON.stringify(list));
}

async function new_interval(page) {
    await page.fill('#interval', '60000');
    const { id } = await publish('soon');
    await page.waitForFunction(last => techniques.websocket.last >= last, id, PATIENCE);
    const before = Date.now();
    await page.fill('#interval', '300');
    await figures(page, id);
    see('a new interval counts at once', Date.now() - before < 20000);
}

// A proxy whose server is away: the page asks less and less often, and comes back.
async function bad_gateway(page) {
    let asked = 0;
    const refuse = route => { asked++; return route.fulfill({ status: 502, body: 'Bad Gateway' }); };
    await page.route('**/wait*', refuse);
    await page.route('**/events*', refuse);
    await publish('before');
    await fetch(`${url}cut`, { method: 'POST' });
    await page.waitForFunction(() => ['wait', 'sse'].every(name => techniques[name].root.classList.contains('lost')), null, PATIENCE);
    see('who is disconnected says so', /coming back in/.test(await page.textContent('#wait .state')));
    await page.waitForTimeout(4000);
    see('a proxy without its server is asked a few times only', asked >= 2 && asked <= 12, `${asked} times`);
    await page.unroute('**/wait*');
    await page.unroute('**/events*');
    const list = await figures(page, (await publish('after')).id);
    see('then all of them come back, with nothing missed', complete(list), JSON.stringify(list));
}

// Two windows hold a question each; and a narrow one needs no sideways scrolling.
async function windows(page, context) {
    const other = await open(context);
    let held = 0;
    for (let i = 0; i < 400 && held !== 2; i++) {
        held = (await (await fetch(`${url}stats`)).json()).wait.clients;
        if (held !== 2)
            await page.waitForTimeout(50);
    }
    see('two windows hold two long polls', held === 2, `${held} are held`);
    await other.setViewportSize({ width: 320, height: 700 });
    see('320 columns of pixels are enough', await other.evaluate(() => document.documentElement.scrollWidth <= 320));
    await other.close();
}

function start_server(port) {
    const server = spawn('./server', ['--quiet', '--rate', '0', '--retry-ms', '200', '--port', port]);
    return new Promise(resolve => server.stdout.once('data', text => resolve({ server, port: /:(\d+)/.exec(text)[1] })));
}

// The server is started again: what it knew is gone, and every column says so.
async function restart(context) {
    let { server, port } = await start_server('0');
    const at = `http://127.0.0.1:${port}/`, page = await open(context, at);
    await page.fill('#interval', '300');
    await figures(page, (await publish('before', '', at)).id);
    await page.waitForFunction(() => techniques.sse.bytes > 0, null, PATIENCE);
    const ended = new Promise(resolve => server.on('exit', resolve));
    server.kill();
    await ended;
    ({ server } = await start_server(port));
    const list = await figures(page, (await publish('after', '', at)).id);
    see('after a restart nothing is said to be twice or missed', complete(list), JSON.stringify(list));
    see('and each column shows the reset', await page.evaluate(() => Object.values(techniques).every(one => one.resets === 1)));
    await page.waitForTimeout(1500);
    see('bytes go on from where they were', await page.evaluate(() => Object.values(techniques).every(one => one.bytes > 0)));
    await page.close();
    server.kill();
}

(async () => {
    const folder = mkdtempSync(`${tmpdir()}/browser-`);
    const context = await chromium.launchPersistentContext(folder, {
        executablePath: process.env.CHROMIUM,
        headless: true,
        colorScheme: 'dark',
        viewport: { width: 1400, height: 900 },
        args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
            '--disable-component-update', '--disable-sync'],
    });
    try {
        await closed_in_onerror(context);
        const page = await open(context);
        await columns(page);
        await cut(page);
        await chat(page, context);
        await keyboard(page);
        await greeting(page);
        await other_names(page);
        await new_interval(page);
        await bad_gateway(page);
        await windows(page, context);
        await page.close();
        await restart(context);
        await seventh(context);
        // That the cut was noticed is all that may be complained about.
        const others = errors.filter(text => !/ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|closed before|ERR_CONNECTION_CLOSED|ERR_CONNECTION_REFUSED|status of 502/.test(text));
        see('no error on the console', others.length === 0, others.join('; '));
    } finally {
        await context.close();
        rmSync(folder, { recursive: true, force: true });
    }
    process.exit(failed ? 1 : 0);
})().catch(error => {
    console.log(`FAILED  chromium: ${error.message}`);
    process.exit(1);
});
