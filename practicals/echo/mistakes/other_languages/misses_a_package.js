// Requires a package that is not installed, and so never gets so far as to listen.
const net = require("net");
const settings = require("settings-of-the-course");

net.createServer((client) => client.pipe(client)).listen(settings.port, settings.host);
