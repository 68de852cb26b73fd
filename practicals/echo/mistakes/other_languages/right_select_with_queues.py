"""An echo server. It waits for all sockets with select.select and keeps a queue for each
client."""

import select
import socket
import sys

def arguments():
    """Returns HOST and PORT, or ends the program with a usage line."""
    words = sys.argv[1:]
    host = words[0] if words else "127.0.0.1"
    try:
        port = int(words[1]) if len(words) > 1 else 65432
    except ValueError:
        port = -1
    if len(words) > 2 or not host or not 0 <= port <= 65535:
        print("usage: echo_server [HOST [PORT]]", file=sys.stderr)
        sys.exit(2)
    return host, port


def listen(host, port):
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
        server.listen(128)
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        sys.exit(1)
    return server

ROOM = 256 * 1024


def step(connection, queue, can_read):
    """Moves bytes. Returns False when the conversation is over."""
    try:
        if can_read:
            data = connection.recv(65536)
            if not data:
                queue["ended"] = True
            queue["bytes"] += data
        if queue["bytes"]:
            del queue["bytes"][:connection.send(queue["bytes"])]
    except BlockingIOError:
        pass
    except OSError as error:
        print("client lost:", error, file=sys.stderr)
        return False
    return bool(queue["bytes"]) or not queue["ended"]


def main():
    server = listen(*arguments())
    server.setblocking(False)
    queues = {}
    while True:
        to_read = [c for c, q in queues.items() if not q["ended"] and len(q["bytes"]) < ROOM]
        to_write = [c for c, q in queues.items() if q["bytes"]]
        readable, writable, _ = select.select([server, *to_read], to_write, [])
        if server in readable:
            readable.remove(server)
            try:
                connection, peer = server.accept()
                connection.setblocking(False)
                queues[connection] = {"bytes": bytearray(), "ended": False}
            except OSError:
                pass
        for connection in {*readable, *writable}:
            if not step(connection, queues[connection], connection in readable):
                del queues[connection]
                connection.close()


main()
