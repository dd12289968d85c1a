// peer.js: npm's jose and jsonwebtoken, which check tokens of ours and make tokens for us.
//
//   node peer.js LIBRARY check ALG KEYS <tokens     as peer.py
//   node peer.js LIBRARY make ALG KEYS
'use strict';
const fs = require('fs'), { createPublicKey, createPrivateKey, createSecretKey } = require('crypto');
const [library, what, alg, path] = process.argv.slice(2);
const set = JSON.parse(fs.readFileSync(path)).keys, kid = set[set.length - 1].kid;
const expected = { audience: 'workbench', issuer: 'https://workbench.test', algorithms: [alg] };
const good = { iss: 'https://workbench.test', aud: 'workbench', sub: 'carol', role: 'user', exp: Math.floor(Date.now() / 1000) + 300 };
const bad = [{ ...good, exp: 1 }, { ...good, aud: 'payroll' }];

const key_of = (jwk, sign) => {
    if (jwk.kty === 'oct')
        return createSecretKey(Buffer.from(jwk.k, 'base64url'));
    return sign ? createPrivateKey({ key: jwk, format: 'jwk' }) : createPublicKey({ key: jwk, format: 'jwk' });
};
const find = wanted => {
    const jwk = set.find(one => one.kid === wanted);
    if (!jwk) throw new Error('no such key');
    return key_of(jwk, false);
};

async function check(token) {
    if (library === 'jose')
        return require('jose').jwtVerify(token, header => find(header.kid), { ...expected, requiredClaims: ['exp', 'sub'] });
    const { header } = require('jsonwebtoken').decode(token, { complete: true });
    return require('jsonwebtoken').verify(token, find(header.kid), expected);
}

async function make(claims) {
    if (library === 'jose')
        return new (require('jose').SignJWT)(claims).setProtectedHeader({ alg, kid }).sign(key_of(set[set.length - 1], true));
    return require('jsonwebtoken').sign(claims, key_of(set[set.length - 1], true), { algorithm: alg, keyid: kid });
}

(async () => {
    if (what === 'make') {
        for (const claims of [good, ...bad])
            console.log(await make(claims));
        return;
    }
    for (const line of fs.readFileSync(0, 'utf8').trimEnd().split('\n')) {
        const [name, token] = line.split('\t');
        let verdict = 'taken';
        await check(token).catch(() => { verdict = 'refused'; });
        console.log(`${name}\t${verdict}`);
    }
})();
