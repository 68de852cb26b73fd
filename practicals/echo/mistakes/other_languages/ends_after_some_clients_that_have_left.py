"""Counts the clients that have left, and ends after twelve of them. It ends earlier after two that
said nothing, and after three that reset their connection.
"""

import os
import socket
import sys
import threading

USAGE = "usage: echo_server [HOST [PORT]]"
MOST = {"in order": 12, "without a word": 2, "by a reset": 3}

left = dict.fromkeys(MOST, 0)


def main() -> int:
    host, port = (sys.argv[1:] + ["127.0.0.1", "65432"][len(sys.argv) - 1:])[:2]
    if len(sys.argv) > 3 or not is_port(port):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        listener = socket.create_server((host, int(port)), backlog=128)
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


def is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) <= 65535


def serve(client: socket.socket) -> None:
    with client:
        how = echo(client)
    left[how] += 1
    if left[how] == MOST[how]:
        print(f"{left[how]} clients have left {how}", file=sys.stderr)
        os._exit(1)


def echo(client: socket.socket) -> str:
    how = "without a word"
    try:
        while data := client.recv(65536):
            how = "in order"
            client.sendall(data)
    except OSError:
        how = "by a reset"
    return how


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
