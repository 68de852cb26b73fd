"""The echo server in Python: a thread for each client, and only the standard library.

It is correct. Its full marks show that the grader works for any language.
"""

import socket
import sys
import threading
import time

USAGE = "usage: echo_server.py [HOST [PORT]]"


def main() -> int:
    host, port = (sys.argv[1:] + ["127.0.0.1", "65432"][len(sys.argv) - 1:])[:2]
    if len(sys.argv) > 3 or not is_port(port):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        listener = socket.create_server((host, int(port)))  # sets SO_REUSEADDR, except on Windows
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    with listener:
        serve(listener)
    return 0


def is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) <= 65535


def serve(listener: socket.socket) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            time.sleep(0.1)  # usually no descriptor is free
            continue
        try:
            threading.Thread(target=echo, args=(client,), daemon=True).start()
        except RuntimeError as error:
            print(f"cannot serve a client: {error}", file=sys.stderr)
            client.close()


def echo(client: socket.socket) -> None:
    with client:
        try:
            while data := client.recv(64 * 1024):
                client.sendall(data)
        except OSError as error:
            print(f"a client is lost: {error}", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
