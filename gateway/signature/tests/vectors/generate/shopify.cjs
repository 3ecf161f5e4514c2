// Signs with Shopify's own library, and lets its webhook validation confirm each answer.
'use strict';
require('@shopify/shopify-api/adapters/node');
const { shopifyApi, ApiVersion, LogSeverity } = require('@shopify/shopify-api');
const { createSHA256HMAC } = require('@shopify/shopify-api/runtime');
const { bodyText, pairs, version, write, assert } = require('./common.cjs');

function request(hmac) {
  return {
    method: 'POST',
    url: '/webhooks',
    headers: {
      'x-shopify-hmac-sha256': hmac,
      'x-shopify-topic': 'orders/create',
      'x-shopify-shop-domain': 'demo.myshopify.com',
      'x-shopify-api-version': '2026-01',
      'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    },
  };
}

async function confirm(secret, text, hmac) {
  const shopify = shopifyApi({
    apiKey: 'key',
    apiSecretKey: secret,
    hostName: 'example.com',
    apiVersion: Object.values(ApiVersion)[0],
    isEmbeddedApp: false,
    logger: { level: LogSeverity.Error },
  });
  const check = (rawBody) =>
    shopify.webhooks.validate({ rawBody, rawRequest: request(hmac), rawResponse: {} });
  const good = await check(text);
  // The library refuses an empty body before it looks at the signature.
  assert(text === '' ? good.reason === 'missing_body' : good.valid, `validate: ${JSON.stringify(good)}`);
  assert(!(await check(text + ' ')).valid, 'validate accepted a changed body');
}

async function main() {
  const vectors = [];
  for (const { body, secret } of pairs(require('./cases.json').text_secrets)) {
    const text = bodyText(body);
    const hmac = await createSHA256HMAC(secret, text);
    await confirm(secret, text, hmac);
    vectors.push({ name: body.name, secret, body, headers: [['X-Shopify-Hmac-SHA256', hmac]] });
  }
  write('shopify-node.json', {
    scheme: 'shopify',
    origin: {
      package: 'npm @shopify/shopify-api',
      version: version('@shopify/shopify-api'),
      function: 'runtime createSHA256HMAC; each confirmed by shopify.webhooks.validate (which refuses an empty body unseen)',
    },
    vectors,
  });
}

main();
