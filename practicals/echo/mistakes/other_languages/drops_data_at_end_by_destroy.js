/** An echo server. It destroys the socket when its client's end of stream comes, with
 * everything that is still queued. */
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

start(net.createServer({ allowHalfOpen: true }, (socket) => {
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  socket.on('error', (error) => console.error(`${peer} lost: ${error.message}`));
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('end', () => {
    console.log(`${peer} has left`);
    socket.destroy();
  });
}));
