// Signs with HubSpot's own library in each version, and lets its check confirm each answer. The library reads no escapes, so its URLs have none.
'use strict';
const { Signature } = require('@hubspot/api-client');
const { cases, bodyText, pairs, version, write, assert } = require('./common.cjs');

const METHOD = 'POST';
const URLS = ['https://hooks.example.com/in/hubspot', 'https://hooks.example.com:8443/in/hubspot?tenant=a&x=1'];

function headers(signatureVersion, signature, timestamp) {
  if (signatureVersion === 'v3') {
    return [['X-HubSpot-Request-Timestamp', String(timestamp)], ['X-HubSpot-Signature-v3', signature]];
  }
  return [['X-HubSpot-Signature-Version', signatureVersion], ['X-HubSpot-Signature', signature]];
}

function confirm(signatureVersion, options) {
  const now = { ...options, timestamp: Date.now() };
  const signature = Signature.getSignature(METHOD, signatureVersion, now);
  const check = (requestBody) =>
    Signature.isValid({ ...now, method: METHOD, signatureVersion, signature, requestBody });
  assert(check(options.requestBody), 'isValid refused a signature');
  assert(!check(options.requestBody + ' '), 'isValid accepted a changed body');
}

const vectors = ['v1', 'v2', 'v3'].flatMap((signatureVersion) =>
  pairs(cases.text_secrets).map(({ body, secret }, index) => {
    const url = URLS[index % URLS.length];
    const timestamp = cases.timestamps_s[index % cases.timestamps_s.length] * 1000 + 42;
    const options = { clientSecret: secret, requestBody: bodyText(body), url, timestamp };
    confirm(signatureVersion, options);
    const signature = Signature.getSignature(METHOD, signatureVersion, options);
    return {
      name: `${signatureVersion} ${body.name}`,
      secret,
      body,
      method: METHOD,
      url,
      headers: headers(signatureVersion, signature, timestamp),
      timestamp_ms: timestamp,
    };
  }),
);

write('hubspot-node.json', {
  scheme: 'hubspot',
  origin: {
    package: 'npm @hubspot/api-client',
    version: version('@hubspot/api-client'),
    function: 'Signature.getSignature; each confirmed by Signature.isValid',
  },
  vectors,
});
