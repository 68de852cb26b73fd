// Opens all connections in Node's event loop. Node's other threads touch no socket.

"use strict";

const net = require("node:net");

const MESSAGES = ["Message 1 from client.", "Message 2 from client."];

const [host, port, connections] = process.argv.slice(2);
if (![port, connections].every((word) => /^[0-9]+$/.test(word ?? ""))) {
  console.error("usage: multiconn_client HOST PORT CONNECTIONS");
  process.exit(2);
}
for (let number = 1; number <= Number(connections); number += 1) open(number);

function open(number) {
  console.log(`starting connection ${number} to ${host}:${port}`);
  let missing = MESSAGES.join("").length;
  const server = net.connect({ host, port: Number(port) }, () => {
    for (const message of MESSAGES) {
      console.log(`sending "${message}" to connection ${number}`);
      server.write(message);
    }
  });
  server.on("data", (bytes) => {
    missing -= bytes.length;
    console.log(`received "${bytes.toString("latin1")}" from connection ${number}`);
    if (missing <= 0) server.destroy();
  });
  server.on("error", (error) => console.error(`connection ${number}: ${error.message}`));
  server.on("close", () => {
    console.log(`closing connection ${number}`);
    if (missing > 0) {
      console.error(`connection ${number} has failed`);
      process.exitCode = 1;
    }
  });
}
