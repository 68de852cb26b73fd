/** An echo server. It gathers what a client sends until the client has been silent for two
 * seconds, and answers then. */
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
  let chunks = [];
  let timer;
  const flush = () => {
    socket.write(Buffer.concat(chunks));
    chunks = [];
  };
  socket.on('error', (error) => console.error('client lost:', error.message));
  socket.on('close', () => clearTimeout(timer));
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    clearTimeout(timer);
    timer = setTimeout(flush, 2000);
  });
  socket.on('end', () => {
    clearTimeout(timer);
    flush();
    socket.end();
  });
}));
