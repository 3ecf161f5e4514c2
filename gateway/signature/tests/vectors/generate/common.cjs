// Reads the cases and writes a file of vectors; shared by the Node generators.
'use strict';
const fs = require('fs');
const path = require('path');

const cases = JSON.parse(fs.readFileSync(path.join(__dirname, 'cases.json'), 'utf8'));

function bodyText(body) {
  if (body.text !== undefined) return body.text;
  return body.pattern.repeat(Math.ceil(body.length / body.pattern.length)).slice(0, body.length);
}

/** Every body with the first secret, and every other secret with the second body. */
function pairs(secrets) {
  const all = cases.bodies.map((body) => ({ body, secret: secrets[0] }));
  for (const secret of secrets.slice(1)) all.push({ body: cases.bodies[1], secret });
  return all;
}

function version(name) {
  return JSON.parse(fs.readFileSync(path.join(__dirname, 'node_modules', name, 'package.json'), 'utf8')).version;
}

function write(file, vectors) {
  const folder = process.argv[2];
  if (!folder) throw new Error('usage: node SCRIPT OUT');
  fs.writeFileSync(path.join(folder, file), JSON.stringify(vectors, null, 2) + '\n');
}

function assert(condition, what) {
  if (!condition) throw new Error(what);
}

module.exports = { cases, bodyText, pairs, version, write, assert };
