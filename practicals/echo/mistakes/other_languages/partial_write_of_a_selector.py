"""Calls `send` and ignores what it returns. The sockets are non-blocking, so a send may take only a
part, or nothing, and the rest is lost. (The send buffer has a fixed size so that every machine
loses the same.)
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
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)
                selector.register(client, selectors.EVENT_READ)
            else:
                go_on(selector, key.fileobj)


def go_on(selector: selectors.BaseSelector, client: socket.socket) -> None:
    try:
        data = client.recv(65536)
        if data:
            client.send(data)
            return
    except BlockingIOError:
        return
    except OSError as error:
        print(f"a client is lost: {error}", file=sys.stderr)
    selector.unregister(client)
    client.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
