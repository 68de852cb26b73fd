"""Wraps the socket in a file, and reads that line by line. Bytes without a newline are not a line
yet, so they wait. The student's client ends each message with a newline.
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
    try:
        with client, client.makefile("rwb") as stream:
            for line in stream:
                stream.write(line)
                stream.flush()
    except OSError as error:
        print(f"a client is lost: {error}", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
