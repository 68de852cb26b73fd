"""Reads from all ready clients into one buffer, and answers them afterwards. When two clients are
ready in the same round, the later one's bytes replace the earlier one's.
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
    buffer = bytearray(64 * 1024)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        heard = []
        for key, _ in selector.select():
            if key.fileobj is listener:
                client, _ = listener.accept()
                client.setblocking(False)
                selector.register(client, selectors.EVENT_READ)
            elif key.data:
                answer(selector, key.fileobj, key.data)
            else:
                heard.append((key.fileobj, hear(key.fileobj, buffer)))
        for client, count in heard:
            answer(selector, client, bytes(buffer[:count]))


def hear(client: socket.socket, buffer: bytearray) -> int:
    try:
        return client.recv_into(buffer)
    except OSError as error:
        print(f"a client is lost: {error}", file=sys.stderr)
        return 0


def answer(selector: selectors.BaseSelector, client: socket.socket, owed: bytes) -> None:
    """Closes the client if there is nothing to answer: it has gone."""
    try:
        rest = owed[client.send(owed):] if owed else None
    except BlockingIOError:
        rest = owed
    except OSError:
        rest = None
    if rest is None:
        selector.unregister(client)
        return client.close()
    selector.modify(client, selectors.EVENT_WRITE if rest else selectors.EVENT_READ, rest)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
