/** An echo server. It iterates over its client's chunks in an async function, and nobody
 * catches what a reset makes it throw. */
'use strict';

const net = require('node:net');
const dns = require('node:dns');

/** Listens on the HOST and PORT of the command line. */
function start(server) {
  const [host = '127.0.0.1', word = '65432', ...more] = process.argv.slice(2);
  const port = /^[0-9]+$/.test(word) ? Number(word) : -1;
  if (more.length > 0 || host === '' || port < 0 || port > 65535) {
    console.error('usage: echo_server [HOST [PORT]]');
    process.exit(2);
  }
  server.on('error', (error) => {
    console.error(`cannot listen on ${host}:${port}: ${error.message}`);
    process.exit(1);
  });
  dns.lookup(host, { family: 4 }, (error, address) => {
    if (error) {
      console.error(`cannot find ${host}: ${error.message}`);
      process.exit(1);
    }
    server.listen(port, address);
  });
}

async function serve(socket) {
  for await (const chunk of socket) {
    await new Promise((done) => socket.write(chunk, done));
  }
  socket.end();
}

start(net.createServer({ allowHalfOpen: true }, serve));
