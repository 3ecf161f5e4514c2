// Judges of npm: node judge.cjs PROGRAM SEED. PROGRAM signs and checks with our code (examples/judged.rs).
'use strict';
require('@shopify/shopify-api/adapters/node');
const { spawnSync } = require('child_process');
const { shopifyApi, ApiVersion, LogSeverity } = require('@shopify/shopify-api');
const { createSHA256HMAC } = require('@shopify/shopify-api/runtime');
const { Signature } = require('@hubspot/api-client');
const { Webhook } = require('standardwebhooks');
const Stripe = require('stripe');

const { webhooks: stripe } = Stripe.default ?? Stripe;
const [program, seed] = [process.argv[2], Number(process.argv[3])];
const CASES = 200;
// The libraries look at the machine's clock: everything is signed now.
const NOW_MS = Date.now();

/** Mulberry32: the same numbers for the same seed. */
function numbers(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const draw = numbers(seed);
const PIECES = ['a', '0', ' ', '"', '\\', '\\u00e4', '\\/', '\r\n', '\t', 'ä', 'Ł', '日', '👋', '{', '}', '&amp;', '%41', '+', '=', '$', "'"];

function text(most) {
  return Array.from({ length: 1 + draw(most) }, () => PIECES[draw(PIECES.length)]).join('');
}

/** A secret. Blank ones are refused. */
function keyed() {
  return 'k' + text(90);
}

function shopifyCheck(secret, body, headers) {
  const shopify = shopifyApi({
    apiKey: 'key',
    apiSecretKey: secret,
    hostName: 'example.com',
    apiVersion: Object.values(ApiVersion)[0],
    isEmbeddedApp: false,
    logger: { level: LogSeverity.Error },
  });
  const rest = {
    'x-shopify-topic': 'orders/create',
    'x-shopify-shop-domain': 'demo.myshopify.com',
    'x-shopify-api-version': '2026-01',
    'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
  };
  const rawRequest = { method: 'POST', url: '/webhooks', headers: { ...rest, ...lower(headers) } };
  return shopify.webhooks.validate({ rawBody: body, rawRequest, rawResponse: {} }).then((found) => found.valid);
}

function lower(headers) {
  return Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
}

function hubspotVersion(headers) {
  const found = lower(headers);
  return 'x-hubspot-signature-v3' in found ? 'v3' : found['x-hubspot-signature-version'];
}

function hubspotHeaders(version, value, at) {
  return version === 'v3'
    ? [['X-HubSpot-Request-Timestamp', String(at)], ['X-HubSpot-Signature-v3', value]]
    : [['X-HubSpot-Signature-Version', version], ['X-HubSpot-Signature', value]];
}

function refuses(check) {
  try {
    return check() !== false;
  } catch {
    return false;
  }
}

const JUDGES = {
  shopify: {
    secret: keyed,
    make: async ({ secret, text: body }) => [['X-Shopify-Hmac-SHA256', await createSHA256HMAC(secret, body)]],
    check: ({ secret }, body, headers) => shopifyCheck(secret, body, headers),
  },
  hubspot: {
    secret: keyed,
    make: async ({ secret, text: body, url, at_ms }) => {
      const version = ['v1', 'v2', 'v3'][draw(3)];
      const options = { clientSecret: secret, requestBody: body, url, timestamp: at_ms };
      return hubspotHeaders(version, Signature.getSignature('POST', version, options), at_ms);
    },
    check: async ({ secret, url, at_ms }, requestBody, headers) => {
      const found = lower(headers);
      const signatureVersion = hubspotVersion(headers);
      const signature = found['x-hubspot-signature-v3'] ?? found['x-hubspot-signature'];
      const options = { clientSecret: secret, requestBody, url, timestamp: at_ms, method: 'POST', signatureVersion, signature };
      return refuses(() => Signature.isValid(options));
    },
  },
  'standard-webhooks': {
    secret: () => 'whsec_' + Buffer.from(Array.from({ length: 24 + draw(40) }, () => draw(256))).toString('base64'),
    make: async ({ secret, text: body, message_id, at_ms }) => [
      ['webhook-id', message_id],
      ['webhook-timestamp', String(Math.floor(at_ms / 1000))],
      ['webhook-signature', new Webhook(secret).sign(message_id, new Date(at_ms), body)],
    ],
    check: async ({ secret }, body, headers) =>
      refuses(() => new Webhook(secret).verify(body, lower(headers), { jsonParse: false })),
  },
  calendly: {
    secret: keyed,
    make: async ({ secret, text: payload, at_ms }) => {
      const timestamp = Math.floor(at_ms / 1000);
      return [['Calendly-Webhook-Signature', stripe.generateTestHeaderString({ payload, secret, timestamp })]];
    },
    check: async ({ secret }, body, headers) =>
      refuses(() => stripe.signature.verifyHeader(body, lower(headers)['calendly-webhook-signature'], secret, 0)),
  },
};

/** Asks our program about all cases; gives its answers. */
function ours(cases) {
  const input = cases.map((line) => JSON.stringify(line)).join('\n') + '\n';
  const ran = spawnSync(program, [], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (ran.status !== 0) throw new Error(`our program failed: ${ran.stderr}`);
  return ran.stdout.trim().split('\n').map((line) => JSON.parse(line));
}

function demand(is, what, found) {
  if (!is) throw new Error(`${what}, with the seed ${seed}: ${JSON.stringify(found)}`);
}

function draw_case(scheme, judge) {
  const body = text(400);
  const url = `https://hooks.example.com${draw(2) ? ':8443' : ''}/in/${draw(1000)}${draw(2) ? '?tenant=a&x=1' : ''}`;
  return {
    scheme,
    secret: judge.secret(),
    text: body,
    body: Buffer.from(body).toString('hex'),
    method: 'POST',
    url,
    message_id: `msg_${draw(1 << 30)}`,
    at_ms: NOW_MS - draw(60) * 1000,
  };
}

async function sit(scheme, judge) {
  const cases = Array.from({ length: CASES }, () => draw_case(scheme, judge));
  const made = await Promise.all(cases.map((found) => judge.make(found)));
  const to_check = cases.flatMap((found, place) => [
    { ...found, headers: made[place] },
    { ...found, headers: made[place], body: found.body + '20' },
  ]);
  ours(to_check).forEach(({ accepted }, place) => {
    const good = place % 2 === 0;
    demand(accepted === good, good ? `we refuse what the judge of ${scheme} signed` : `we accept what the judge of ${scheme} did not sign`, to_check[place]);
  });
  let ways = 0;
  const signed = ours(cases);
  for (const [place, found] of cases.entries()) {
    for (const headers of signed[place].ways) {
      ways += 1;
      demand(await judge.check(found, found.text, headers), `the judge of ${scheme} refuses what we signed`, { found, headers });
      demand(!(await judge.check(found, found.text + ' ', headers)), `the judge of ${scheme} accepts what we did not sign`, { found, headers });
    }
  }
  console.log(`${scheme}: ${CASES} signatures of the judge's, ${ways} of ours`);
}

async function main() {
  for (const [scheme, judge] of Object.entries(JUDGES)) await sit(scheme, judge);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
