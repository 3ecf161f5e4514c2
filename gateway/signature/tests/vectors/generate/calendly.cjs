// Calendly publishes no library; its header has the form of Stripe's, whose library signs it and confirms each answer.
'use strict';
const Stripe = require('stripe');
const { cases, bodyText, pairs, version, write, assert } = require('./common.cjs');

const { webhooks } = Stripe.default ?? Stripe;

const vectors = pairs(cases.text_secrets).map(({ body, secret }, index) => {
  const seconds = cases.timestamps_s[index % cases.timestamps_s.length];
  const payload = bodyText(body);
  const header = webhooks.generateTestHeaderString({ payload, secret, timestamp: seconds });
  const check = (text) => webhooks.signature.verifyHeader(text, header, secret, 0);
  // The library refuses an empty body before it looks at the signature.
  assert(payload === '' || check(payload), 'verifyHeader refused its own signature');
  let refused = false;
  try { check(payload + ' '); } catch { refused = true; }
  assert(refused, 'verifyHeader accepted a changed body');
  return { name: body.name, secret, body, headers: [['Calendly-Webhook-Signature', header]], timestamp_s: seconds };
});

write('calendly-node.json', {
  scheme: 'calendly',
  origin: {
    package: "npm stripe (not Calendly's own: Calendly publishes none, and its header has the form of Stripe's)",
    version: version('stripe'),
    function: 'webhooks.generateTestHeaderString; each confirmed by webhooks.signature.verifyHeader (which refuses an empty body unseen)',
  },
  vectors,
});
