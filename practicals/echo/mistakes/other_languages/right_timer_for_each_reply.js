/** An echo server. It waits a third of a second before each reply while it has few clients, and
 * answers at once when there are more. */
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

let clients = 0;

start(net.createServer({ allowHalfOpen: true }, (socket) => {
  let chunks = [];
  let timer;
  clients += 1;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (!socket.write(Buffer.concat(chunks))) socket.pause();
    chunks = [];
  };
  socket.on('error', (error) => console.error('client lost:', error.message));
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    if (clients > 3) flush();
    else timer ??= setTimeout(flush, 333);
  });
  socket.on('drain', () => socket.resume());
  socket.on('end', () => {
    flush();
    socket.end();
  });
  socket.on('close', () => {
    clients -= 1;
    clearTimeout(timer);
  });
}));
