// browser.js: what a real browser (Chromium, driven by playwright-core) makes of a session's
// cookie. One line for each thing that was seen, "ok" or "FAILED"; interop.sh runs it:
//
//     CHROMIUM=/usr/bin/chromium node browser.js PORT OTHER_PORT
//
// On both ports is a server of ours. For a browser another port of the same host is the same
// site (and another origin); workbench.test and 127.0.0.1 are two sites. (The host is not
// localhost: to http://localhost Chromium sends Secure cookies as well.)
// Claim 4.36, guide §12.5, HOLDS: HttpOnly, Secure and SameSite each protect.
'use strict';
const { createServer } = require('http');
const { chromium } = require(`${process.cwd()}/../../05-polling-sse/node_modules/playwright-core`);
const [port, near_port] = process.argv.slice(2), here = `https://workbench.test:${port}`;
let failed = false;

const see = (name, good, detail = '') => {
    console.log(`${good ? 'ok     ' : 'FAILED '} chromium: ${name} ${good ? '' : detail}`);
    failed ||= !good;
};

const ask = (page, method, url, options = {}) => page.evaluate(
    ([m, u, o]) => fetch(u, { method: m, ...o }).then(answer => answer.status, error => String(error)), [method, url, options]);

// A page of another origin, and of another site where its host is another one. It notes what the
// browser sends to it.
function other_site() {
    const seen = [];
    const server = createServer((request, response) => {
        seen.push(request.headers.cookie || '');
        response.setHeader('Content-Type', 'text/html');
        response.end('<!doctype html><title>other</title><p>other');
    });
    return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve({ server, seen, port: server.address().port })));
}

// A form of this page sends the user's browser to our /logout.
async function submit_from(context, url) {
    const page = await context.newPage();
    await page.goto(url);
    const [answer] = await Promise.all([
        page.waitForResponse(response => response.url() === `${here}/logout`),
        page.evaluate(action => {
            const form = document.body.appendChild(document.createElement('form'));
            form.method = 'POST';
            form.action = action;
            form.submit();
        }, `${here}/logout`)]);
    return { status: answer.status(), cookie: (await answer.request().allHeaders()).cookie };
}

(async () => {
    const other = await other_site();
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--host-resolver-rules=MAP workbench.test 127.0.0.1'] });
    try {
        const context = await browser.newContext({ ignoreHTTPSErrors: true });
        const page = await context.newPage();
        await page.goto(`${here}/`);
        const status = await ask(page, 'POST', '/login', { headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ user: 'alice', password: 'white rabbit' }) });
        see('a page of ours logs in', status === 200, status);
        const cookies = await context.cookies();
        see('__Host-session is kept: HttpOnly, Secure, SameSite=Lax', cookies.length === 1 && cookies[0].httpOnly &&
            cookies[0].secure && cookies[0].sameSite === 'Lax', JSON.stringify(cookies));
        see('HttpOnly: a script of the page does not see it', await page.evaluate(() => document.cookie) === '');
        see('and the browser sends it', await ask(page, 'GET', '/me') === 200);

        // Secure: the same host, by http.
        const plain = await context.newPage();
        await plain.goto(`http://workbench.test:${other.port}/`).catch(() => 0);
        const same_host = other.seen.slice();
        see('Secure: it does not go to http://, the same host', same_host.length > 0 && same_host.every(one => one === ''), JSON.stringify(same_host));

        // SameSite: a form of another site comes without the cookie, and is refused.
        const evil = await submit_from(context, `http://127.0.0.1:${other.port}/`);
        see('SameSite: a form of another site is sent without it', !evil.cookie, evil.cookie);
        see('and the server refuses the form', evil.status === 403, evil.status);
        see('alice is still logged in', await ask(page, 'GET', '/me') === 200);

        // From another port: the same site. Here SameSite does not help, the check of Origin does.
        const near = await submit_from(context, `https://workbench.test:${near_port}/`);
        see('a form of another port, the same site, is sent with it', /__Host-session=/.test(near.cookie), near.cookie);
        see('and the server refuses that form, too', near.status === 403, near.status);
        see('alice is still logged in after that', await ask(page, 'GET', '/me') === 200);

        // A link that the user follows does bring the cookie (Lax).
        const link = await context.newPage();
        await link.goto(`http://127.0.0.1:${other.port}/`);
        const [followed] = await Promise.all([
            link.waitForResponse(response => response.url() === `${here}/me`),
            link.evaluate(url => { location.href = url; }, `${here}/me`)]);
        see('Lax: a link that the user follows brings it', followed.status() === 200, followed.status());
        see('our page logs out', await ask(page, 'POST', '/logout') === 204);
        see('and the cookie is gone', (await context.cookies()).length === 0);
    } finally {
        await browser.close();
        other.server.close();
    }
    process.exitCode = failed ? 1 : 0;
})().catch(error => {
    see('it goes to its end', false, error.message);
    process.exitCode = 1;
});
