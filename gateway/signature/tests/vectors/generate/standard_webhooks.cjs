// Signs with the reference library of Standard Webhooks for JavaScript.
'use strict';
const { Webhook } = require('standardwebhooks');
const { cases, bodyText, pairs, version, write, assert } = require('./common.cjs');

const vectors = pairs(cases.base64_secrets).map(({ body, secret }, index) => {
  const id = cases.message_ids[index % cases.message_ids.length];
  const seconds = cases.timestamps_s[index % cases.timestamps_s.length];
  const webhook = new Webhook(secret);
  const text = bodyText(body);
  const headers = (at) => ({
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': webhook.sign(id, new Date(at * 1000), text),
  });
  // The library's own check reads the machine's clock, so it confirms the same case signed now.
  const now = headers(Math.floor(Date.now() / 1000));
  webhook.verify(text, now, { jsonParse: false });
  let refused = false;
  try { webhook.verify(text + ' ', now, { jsonParse: false }); } catch { refused = true; }
  assert(refused, 'verify accepted a changed body');
  return { name: body.name, secret, body, headers: Object.entries(headers(seconds)), message_id: id, timestamp_s: seconds };
});

write('standard-webhooks-node.json', {
  scheme: 'standard-webhooks',
  origin: { package: 'npm standardwebhooks', version: version('standardwebhooks'), function: 'Webhook.sign' },
  vectors,
});
