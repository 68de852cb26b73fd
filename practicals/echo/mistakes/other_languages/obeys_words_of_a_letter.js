// Closes the connection when the data holds a `q` anywhere: a tutorial's rule, copied.
const net = require("node:net");

const USAGE = "usage: echo_server [HOST [PORT]]";
const [host = "127.0.0.1", port = "65432", ...more] = process.argv.slice(2);
if (more.length > 0 || !/^\d+$/.test(port) || Number(port) > 65535) {
  console.error(USAGE);
  process.exit(2);
}

const server = net.createServer((client) => {
  client.on("error", (error) => console.error(`a client is lost: ${error.message}`));
  client.on("data", (data) => {
    client.write(data);
    if (data.includes("q")) client.end();
  });
});
server.on("error", (error) => {
  console.error(`cannot listen on ${host}:${port}: ${error.message}`);
  process.exit(1);
});
server.listen({ host, port: Number(port) });
