/** An echo server. It prints its usage line, but exits with status 1 after it. */
'use strict';

const net = require('node:net');
const dns = require('node:dns');
const { parseArgs } = require('node:util');

function usage() {
  console.error('usage: echo_server [HOST [PORT]]');
  process.exit(1);
}

let words;
try {
  words = parseArgs({ allowPositionals: true }).positionals;
} catch {
  usage();
}
const [host = '127.0.0.1', port = '65432'] = words;
if (words.length > 2 || !host || !/^\d{1,5}$/.test(port) || Number(port) > 65535) usage();

const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', (error) => console.error('client lost:', error.message));
  socket.pipe(socket);
});
server.on('error', (error) => {
  console.error(`cannot listen: ${error.message}`);
  process.exit(1);
});
dns.lookup(host, { family: 4 }, (error, address) => {
  if (error) {
    console.error(`cannot find ${host}: ${error.message}`);
    process.exit(1);
  }
  server.listen(Number(port), address);
});
