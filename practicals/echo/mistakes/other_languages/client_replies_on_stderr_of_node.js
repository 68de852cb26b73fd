// Prints the reply with `console.error`.

"use strict";

const fs = require("node:fs");
const net = require("node:net");

const USAGE = "usage: echo_client HOST PORT [MESSAGE]";

function main(words) {
    const [host, port, message] = words;
    if (words.length < 2 || words.length > 3 || !/^[0-9]+$/.test(port) || Number(port) > 65535) {
        console.error(USAGE);
        process.exit(2);
    }
    const line = message === undefined ? lineFromStdin() : Buffer.from(message);
    exchange(net.connect(Number(port), host), line);
}

function lineFromStdin() {
    const byte = Buffer.alloc(1);
    const line = [];
    while (fs.readSync(0, byte, 0, 1, null) === 1 && byte[0] !== 10) {
        line.push(byte[0]);
    }
    if (line.at(-1) === 13) {
        line.pop();
    }
    return Buffer.from(line);
}

function fails(problem) {
    console.error(`no whole reply: ${problem}`);
    process.exit(1);
}

function exchange(server, message) {
    let reply = Buffer.alloc(0);
    server.on("error", (error) => fails(error.message));
    server.on("end", () => fails(`the server closed after ${reply.length} bytes`));
    server.on("data", (piece) => {
        reply = Buffer.concat([reply, piece]);
        if (reply.length >= message.length) {
            server.destroy();
            console.error(reply.toString());
        }
    });
    if (message.length === 0) {
        server.on("connect", () => server.destroy());
        console.log("");
    }
    server.write(message);
}

main(process.argv.slice(2));
