"""Waits for readiness in one thread, and makes a thread for each read and each write, which ends at once.
"""

import selectors
import socket
import sys
import threading
import time

USAGE = "usage: multiconn_server [HOST [PORT]] [--idle SECONDS]"


def main() -> int:
    words = sys.argv[1:]
    idle = None
    if "--idle" in words:
        at = words.index("--idle")
        idle = float(words[at + 1])
        del words[at:at + 2]
    host, port = (words + ["127.0.0.1", "65432"][len(words):])[:2]
    if len(words) > 2 or not (port.isascii() and port.isdigit() and int(port) <= 65535):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        listener = socket.create_server((host, int(port)))
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    serve(listener, idle)
    return 0


class Client:
    def __init__(self, stream: socket.socket) -> None:
        self.stream, self.owed, self.ended = stream, b"", False
        self.moved = time.monotonic()

    def wants(self) -> int:
        return selectors.EVENT_WRITE if self.owed else selectors.EVENT_READ

    def go_on(self) -> bool:
        """Reads or writes once; returns whether the client stays."""
        try:
            if self.owed:
                self.owed = self.owed[self.stream.send(self.owed):]
            else:
                self.owed = self.stream.recv(65536)
                self.ended = not self.owed
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.moved = time.monotonic()
        return not self.ended


def serve(listener: socket.socket, idle: float | None) -> None:
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select(None if idle is None else idle / 8):
            if key.fileobj is listener:
                stream, _ = listener.accept()
                stream.setblocking(False)
                selector.register(stream, selectors.EVENT_READ, Client(stream))
            else:
                take_turn(selector, key.data)
        if idle is not None:
            close_idle(selector, idle)


def take_turn(selector: selectors.BaseSelector, client: Client) -> None:
    stays = []
    turn = threading.Thread(target=lambda: stays.append(client.go_on()))
    turn.start()
    turn.join()
    if stays == [True]:
        selector.modify(client.stream, client.wants(), client)
    else:
        selector.unregister(client.stream)
        client.stream.close()


def close_idle(selector: selectors.BaseSelector, idle: float) -> None:
    now = time.monotonic()
    clients = [key.data for key in list(selector.get_map().values()) if key.data]
    for client in clients:
        if now - client.moved > idle:
            selector.unregister(client.stream)
            client.stream.close()


if __name__ == "__main__":
    sys.exit(main())
