// book.js: the lab book in a real browser (Chromium, driven by playwright-core): on a screen, on a phone and
// on paper; axe-core looks for what keeps people from reading it. One line for each thing that was seen, "ok"
// or "FAILED"; book.sh runs it:
//
//     CHROMIUM=/usr/bin/chromium NODE_PATH=../05-polling-sse/node_modules node test/book.js BOOK.html
'use strict';
const { chromium } = require('playwright-core');
const axe = require('axe-core');

const PATIENCE_MS = 100000; // on a busy machine
const A4 = { width: 702, height: 1030 }; // in pixels of CSS, without the margins
let failed = false;

const see = (name, bad) => {
    console.log(`${bad.length ? 'FAILED ' : 'ok     '} chromium: ${name}${bad.length ? `: ${bad.slice(0, 5).join('; ')}` : ''}`);
    failed ||= bad.length > 0;
};

// What is wider than the page; with `also`, what is wider than its own box.
const too_wide = also => {
    const bad = [];
    const page = document.documentElement;
    if (page.scrollWidth > page.clientWidth)
        bad.push(`the page has ${page.scrollWidth} pixels of ${page.clientWidth}`);
    for (const element of document.querySelectorAll(also))
        if (element.scrollWidth > element.clientWidth)
            bad.push(`${element.tagName} ${element.textContent.slice(0, 40)}`);
    return bad;
};

async function open(browser, viewport, colorScheme) {
    const page = await browser.newPage({ viewport, colorScheme }), errors = [];
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('console', message => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', error => errors.push(error.message));
    page.on('request', request => /^(file|data):/.test(request.url()) || errors.push(request.url()));
    await page.goto(`file://${process.argv[2]}`);
    return { page, errors };
}

async function on_a_screen(browser, viewport, colorScheme) {
    const { page, errors } = await open(browser, viewport, colorScheme), at = `${viewport.width} pixels, ${colorScheme}`;
    see(`${at}: no error, and nothing from elsewhere`, errors);
    see(`${at}: the page is not wider than the screen`, await page.evaluate(too_wide, 'nothing'));
    await page.evaluate(() => document.querySelectorAll('details').forEach(details => { details.open = true; }));
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    see(`${at}: axe-core finds nothing`, violations.map(found => `${found.id}: ${found.nodes[0].html.slice(0, 100)}`));
}

async function on_paper(browser) {
    const { page } = await open(browser, A4, 'dark');
    await page.emulateMedia({ media: 'print' });
    see('on paper nothing is cut off', await page.evaluate(too_wide, 'pre, .wide, figure'));
    see('on paper the answers are there', await page.evaluate(() => [...document.querySelectorAll('details > :not(summary)')]
        .filter(answer => answer.getBoundingClientRect().height === 0).map(answer => answer.textContent.slice(0, 40))));
    see('paper is white', await page.evaluate(() => [getComputedStyle(document.body).backgroundColor]
        .filter(colour => colour !== 'rgb(255, 255, 255)')));
}

(async () => {
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, timeout: PATIENCE_MS,
        args: ['--no-sandbox', '--disable-gpu'] });
    await on_a_screen(browser, { width: 1200, height: 900 }, 'light');
    await on_a_screen(browser, { width: 400, height: 900 }, 'dark');
    await on_paper(browser);
    await browser.close();
    process.exit(failed ? 1 : 0);
})().catch(error => {
    console.log(`FAILED  chromium: ${error.message}`);
    process.exit(1);
});
