// Serves all clients in Node's event loop. Node has about ten more threads, which touch no socket.

"use strict";

const net = require("node:net");

const USAGE = "usage: multiconn_server [HOST [PORT]] [--idle SECONDS]";

/** Returns host, port and the idle time in milliseconds, or null where a word cannot be used. */
function readArguments(words) {
  const at = words.indexOf("--idle");
  const idle = at < 0 ? 0 : Number(words.splice(at, 2)[1]) * 1000;
  const [host, port] = [words[0] ?? "127.0.0.1", words[1] ?? "65432"];
  const isUsable =
    words.length <= 2 && /^[0-9]+$/.test(port) && Number(port) <= 65535 && idle >= 0;
  return isUsable ? { host, port: Number(port), idle } : null;
}

function serve(client, idle) {
  client.setTimeout(idle, () => client.destroy());
  client.on("data", (bytes) => {
    if (!client.write(bytes)) client.pause(); // it is owed enough
  });
  client.on("drain", () => client.resume());
  client.on("end", () => client.end());
  client.on("error", (error) => console.error(`a client is lost: ${error.message}`));
}

const given = readArguments(process.argv.slice(2));
if (given === null) {
  console.error(USAGE);
  process.exit(2);
}
const server = net.createServer({ allowHalfOpen: true }, (client) => serve(client, given.idle));
server.on("error", (error) => {
  console.error(`cannot listen on ${given.host}:${given.port}: ${error.message}`);
  process.exit(1);
});
server.listen(given.port, given.host);
