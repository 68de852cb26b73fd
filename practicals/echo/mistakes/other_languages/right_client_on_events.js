/** An echo client. It gathers chunks until it has as many bytes as it sent, and prints the
 * reply and the line end in two writes. */
'use strict';

const net = require('node:net');

const [host, word, text, ...more] = process.argv.slice(2);
const port = /^[0-9]+$/.test(word ?? '') ? Number(word) : -1;
if (!host || port < 0 || port > 65535 || more.length > 0) {
  console.error('usage: echo_client HOST PORT [MESSAGE]');
  process.exit(2);
}

function fail(why) {
  console.error(why);
  process.exit(1);
}

/** Returns MESSAGE, or one line from stdin without its line end. */
async function getMessage() {
  if (text !== undefined) return Buffer.from(text);
  let input = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    input = Buffer.concat([input, chunk]);
    if (input.includes(10)) break;
  }
  let end = input.indexOf(10);
  if (end < 0) return input;
  if (input[end - 1] === 13) end -= 1;
  return input.subarray(0, end);
}

const server = net.connect({ host, port, family: 4 });
server.on('error', (error) => fail(`no conversation: ${error.message}`));
server.on('connect', async () => {
  const message = await getMessage();
  const chunks = [];
  let count = 0;
  let complete = false;
  const check = () => {
    if (count < message.length) return;
    complete = true;
    process.stdout.write(Buffer.concat(chunks));
    process.stdout.write('\n');
    server.end();
  };
  server.on('data', (chunk) => {
    chunks.push(chunk);
    count += chunk.length;
    check();
  });
  server.on('end', () => {
    if (!complete) fail(`the server closed after ${count} of ${message.length} bytes`);
  });
  server.write(message);
  check();
});
