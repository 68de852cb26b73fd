"""Always asks for writability, as the widely copied example does. A socket is nearly always
writable, so the selector returns at once, although the server has nothing to send.
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
        for key, events in selector.select():
            if key.fileobj is listener:
                client, _ = listener.accept()
                client.setblocking(False)
                selector.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE, bytearray())
            else:
                go_on(selector, key.fileobj, key.data, events)


def go_on(selector: selectors.BaseSelector, client: socket.socket, owed: bytearray, events: int) -> None:
    """Reads only from a client to which it owes nothing."""
    try:
        if events & selectors.EVENT_READ and not owed:
            data = client.recv(65536)
            if not data:
                selector.unregister(client)
                return client.close()
            owed += data
        if events & selectors.EVENT_WRITE and owed:
            del owed[:client.send(owed)]
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
