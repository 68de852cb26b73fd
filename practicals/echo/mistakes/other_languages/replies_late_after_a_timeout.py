"""Collects bytes until none has come for 1.5 s, and then answers. The student wanted to have the whole
message before the reply.
"""

import socket
import sys
import threading
import time

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
    while True:
        try:
            client, _ = listener.accept()
            threading.Thread(target=echo, args=(client,), daemon=True).start()
        except (OSError, RuntimeError) as error:
            print(f"cannot serve a client: {error}", file=sys.stderr)
            time.sleep(0.1)  # usually no descriptor is free


def echo(client: socket.socket) -> None:
    client.settimeout(1.5)
    data = b""
    with client:
        try:
            while True:
                try:
                    piece = client.recv(4096)
                    if not piece:
                        return
                    data += piece
                except TimeoutError:
                    client.sendall(data)
                    data = b""
        except OSError as error:
            print(f"a client is lost: {error}", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
