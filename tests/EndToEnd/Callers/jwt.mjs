// An issuer of tokens, independent of the server: Node's own crypto and nothing else.
//   node jwt.mjs new KID ALG   prints { "private": JWK, "public": JWK }
//   node jwt.mjs sign          reads [ { "jwk", "alg", "header", "claims" }, … ] and prints one token a line
import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign, constants } from 'node:crypto';
import { readFileSync } from 'node:fs';

const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

function newKey(kid, alg) {
  const { privateKey, publicKey } = alg.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const named = (key) => ({ ...key.export({ format: 'jwk' }), kid, alg, use: 'sig' });
  return { private: named(privateKey), public: named(publicKey) };
}

function token({ jwk, alg, header, claims }) {
  const text = `${base64url(JSON.stringify({ alg, kid: jwk.kid, typ: 'JWT', ...header }))}.${base64url(JSON.stringify(claims))}`;
  if (alg.toLowerCase() === 'none') return `${text}.`;
  const key = { key: createPrivateKey({ key: jwk, format: 'jwk' }) };
  if (alg.startsWith('HS')) { // as a forger does who has the public key alone
    const known = createPublicKey(key.key).export({ type: 'spki', format: 'pem' });
    return `${text}.${createHmac(`sha${alg.slice(2)}`, known).update(text).digest('base64url')}`;
  }
  if (alg.startsWith('ES')) key.dsaEncoding = 'ieee-p1363';
  if (alg.startsWith('PS')) Object.assign(key, { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
  return `${text}.${base64url(sign(`sha${alg.slice(2)}`, Buffer.from(text), key))}`;
}

const [verb, kid, alg] = process.argv.slice(2);
if (verb === 'new') console.log(JSON.stringify(newKey(kid, alg)));
else for (const job of JSON.parse(readFileSync(0, 'utf8'))) console.log(token(job));
