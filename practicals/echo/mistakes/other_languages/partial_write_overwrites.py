"""Puts what it reads over what it still owes, instead of after it. A client that reads late misses
whole reads in the middle of a long message. (The send buffer has a fixed size so that every machine
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
        for key, events in selector.select():
            if key.fileobj is listener:
                client, _ = listener.accept()
                client.setblocking(False)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)
                selector.register(client, selectors.EVENT_READ, {"owed": b""})
            else:
                go_on(selector, key.fileobj, key.data, events)


def go_on(selector: selectors.BaseSelector, client: socket.socket, state: dict, events: int) -> None:
    try:
        if events & selectors.EVENT_READ:
            data = client.recv(1024)
            if not data:
                selector.unregister(client)
                client.close()
                return
            state["owed"] = data  # the mistake: `=` for `+=`
        if state["owed"]:
            state["owed"] = state["owed"][client.send(state["owed"]) :]
    except BlockingIOError:
        pass
    except OSError as error:
        print(f"a client is lost: {error}", file=sys.stderr)
        selector.unregister(client)
        client.close()
        return
    writes = selectors.EVENT_WRITE if state["owed"] else 0
    selector.modify(client, selectors.EVENT_READ | writes, state)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
