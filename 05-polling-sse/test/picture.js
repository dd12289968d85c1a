// picture.js: the picture of the page in README.md. Chromium, driven by playwright-core, opens it,
// publishes 60 events by its form, cuts all connections after half of them, and chats with a second
// page; then it takes page.png:
//
//     make pictures              needs chromium and playwright-core, as interop.sh does
'use strict';
const { chromium } = require('playwright-core');

const url = `http://${process.env.HOST}:${process.env.PORT}/`;
const EVENTS = 60, POLL_MS = 1000;
const NEWS = ['rain by noon', 'goal: 2 to 1', 'train 17 is late', 'oil at 71.40', 'tickets sold out'];
const PAUSE_MS = [90, 310, 40, 170, 20]; // between the events, again and again

async function open(context) {
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => techniques.websocket?.socket.readyState === 1);
    return page;
}

async function say(page, text) {
    await page.fill('#chat input', text);
    await page.press('#chat input', 'Enter');
}

(async () => {
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-gpu'],
    });
    try {
        const context = await browser.newContext({ colorScheme: 'dark', viewport: { width: 1280, height: 900 } });
        const page = await open(context);
        await page.fill('#interval', String(POLL_MS));
        for (let i = 1; i <= EVENTS; i++) {
            await page.fill('#publish input', NEWS[i % NEWS.length]);
            await page.press('#publish input', 'Enter');
            await page.waitForTimeout(PAUSE_MS[i % PAUSE_MS.length]);
            if (i === EVENTS / 2)
                await page.click('#cut');
        }
        await page.waitForFunction(all => Object.values(techniques).every(one => one.events === all), EVENTS);
        const other = await open(context);
        await say(page, 'hello');
        await say(other, 'hello from another window');
        await page.waitForFunction(() => /another window/.test(log.textContent));
        await page.evaluate(() => document.activeElement.blur());
        await page.waitForTimeout(2000); // until the server's figures are those of now
        await page.screenshot({ path: 'pictures/page.png', fullPage: true });
        console.log('  05-polling-sse/pictures/page.png');
    } finally {
        await browser.close();
    }
})().catch(error => {
    console.error(error.message);
    process.exit(1);
});
