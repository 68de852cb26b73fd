"""Takes a port and no host, and binds the empty host, which is every address of the machine.
"""

import socket
import sys
import threading
import time

USAGE = "usage: echo_server [PORT]"


def main() -> int:
    words = sys.argv[1:] or ["65432"]
    if len(words) > 1 or not is_port(words[0]):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        listener = socket.create_server(("", int(words[0])))
    except OSError as error:
        print(f"cannot listen on port {words[0]}: {error}", file=sys.stderr)
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
    with client:
        try:
            while data := client.recv(1024):
                client.sendall(data)
        except OSError as error:
            print(f"a client is lost: {error}", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
