/** An echo server. It awaits connections in a loop, and awaits the whole conversation in the
 * body of this loop. */
'use strict';

const net = require('node:net');
const dns = require('node:dns');
const { on } = require('node:events');

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
  socket.on('data', (chunk) => {
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('end', () => socket.end());
  socket.resume();
  if (!socket.destroyed) await new Promise((done) => socket.once('close', done));
}

async function main() {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.on('connection', (socket) => {
    socket.on('error', (error) => console.error('client lost:', error.message));
  });
  start(server);
  for await (const [socket] of on(server, 'connection')) {
    await serve(socket);
  }
}

main();
