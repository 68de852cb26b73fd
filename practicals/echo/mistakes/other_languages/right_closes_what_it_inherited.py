"""Closes the descriptors that it has inherited, in a table of its own if the system gives it one.
Then it serves each client in a thread.
"""

import ctypes
import os
import socket
import sys
import threading

USAGE = "usage: echo_server [HOST [PORT]]"
FIRST, LAST, UNSHARE = 3, 65535, 2


def main() -> int:
    host, port = (sys.argv[1:] + ["127.0.0.1", "65432"][len(sys.argv) - 1:])[:2]
    if len(sys.argv) > 3 or not is_port(port):
        print(USAGE, file=sys.stderr)
        return 2
    close_inherited()
    try:
        listener = socket.create_server((host, int(port)), backlog=512)
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


def is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) <= 65535


def close_inherited() -> None:
    close_range = getattr(ctypes.CDLL(None), "close_range", None)
    if close_range is None or close_range(FIRST, LAST, UNSHARE) != 0:
        os.closerange(FIRST, LAST)


def serve(client: socket.socket) -> None:
    with client:
        try:
            while data := client.recv(65536):
                client.sendall(data)
        except OSError as error:
            print(f"a client is lost: {error}", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
