/** An echo server. It takes a message that begins with a slash for a command, and answers what
 * it thinks of it. */
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

const commands = {
  help: (socket) => socket.write('commands: /bye /help\n'),
  bye: (socket) => socket.end('bye\n'),
};

start(net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', (error) => console.error('client lost:', error.message));
  socket.on('data', (chunk) => {
    const word = chunk[0] === 0x2f ? chunk.toString('latin1').slice(1).trim() : '';
    if (Object.hasOwn(commands, word)) commands[word](socket);
    else if (!socket.write(chunk)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('end', () => socket.end());
}));
