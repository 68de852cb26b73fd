"""Handles a socket that is not ready, but no other error. A client's reset raises a
ConnectionResetError in the one loop that serves all clients. The server ends with a traceback.
"""

import selectors
import socket
import sys

USAGE = "usage: echo_server [HOST [PORT]]"


def main() -> int:
    host, port = (sys.argv[1:] + ["127.0.0.1", "65432"][len(sys.argv) - 1:])[:2]
    if len(sys.argv) > 3 or not is_port(port):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        listener = socket.create_server((host, int(port)))
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    serve(listener)
    return 0


def is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) <= 65535


def serve(listener: socket.socket) -> None:
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                client, _ = listener.accept()
                client.setblocking(False)
                selector.register(client, selectors.EVENT_READ, bytearray())
            else:
                go_on(selector, key.fileobj, key.data)


def go_on(selector: selectors.BaseSelector, client: socket.socket, owed: bytearray) -> None:
    """Reads only from a client to which it owes nothing."""
    try:
        if not owed:
            data = client.recv(16 * 1024)
            if not data:
                selector.unregister(client)
                return client.close()
            owed += data
        del owed[:client.send(owed)]
    except BlockingIOError:
        pass
    selector.modify(client, selectors.EVENT_WRITE if owed else selectors.EVENT_READ, owed)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
