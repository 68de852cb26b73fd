"""Binds a datagram socket. It echoes each datagram, and the student has tried it with a datagram
client. But no stream client can connect to it, and a stream socket on the same port does not
disturb it.
"""

import socket
import sys

USAGE = "usage: echo_server [HOST [PORT]]"


def main() -> int:
    host, port = (sys.argv[1:] + ["127.0.0.1", "65432"][len(sys.argv) - 1:])[:2]
    if len(sys.argv) > 3 or not is_port(port):
        print(USAGE, file=sys.stderr)
        return 2
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        server.bind((host, int(port)))
    except OSError as error:
        print(f"cannot bind {host}:{port}: {error}", file=sys.stderr)
        return 1
    while True:
        data, client = server.recvfrom(65536)
        server.sendto(data, client)


def is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) <= 65535


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
