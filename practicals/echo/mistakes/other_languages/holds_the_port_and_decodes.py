"""Makes two mistakes. It makes its socket by hand, without the option that lets the server restart
at once. It decodes what it reads for its log, so a character that a read cuts in two ends the
conversation.
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
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind((host, int(port)))
        listener.listen()
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
    with client:
        try:
            while data := client.recv(1024):
                print(f"received {data.decode('utf-8')}", file=sys.stderr)
                client.sendall(data)
        except OSError as error:
            print(f"a client is lost: {error}", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
