// Leaves the event `error` of its listening socket without a handler: an address in use ends it with
// an uncaught error.

"use strict";

const net = require("node:net");

const USAGE = "usage: echo_server [HOST [PORT]]";

function main(words) {
    const [host = "127.0.0.1", port = "65432"] = words;
    if (words.length > 2 || !/^[0-9]+$/.test(port) || Number(port) > 65535) {
        console.error(USAGE);
        process.exit(2);
    }
    const server = net.createServer({ allowHalfOpen: true }, (client) => {
        client.on("error", (error) => {
            console.error(error.message);
            client.destroy();
        });
        client.pipe(client);
    });
    server.listen(Number(port), host);
}

main(process.argv.slice(2));
