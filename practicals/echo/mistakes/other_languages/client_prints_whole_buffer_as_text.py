"""Receives into a buffer of 4096 bytes and decodes all of it: NUL characters follow the reply, and the
terminal does not show them.
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
        print(reply.decode("utf-8", "surrogateescape"))
    except OSError as error:
        print(f"no echo from {host}:{port}: {error}", file=sys.stderr)
        return 1
    return 0


def is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) <= 65535


def line_from_stdin() -> bytes:
    line = sys.stdin.buffer.readline()
    return line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line


def exchange(server: socket.socket, message: bytes) -> bytearray:
    server.sendall(message)
    buffer = bytearray(max(4096, len(message)))
    count = 0
    while count < len(message):
        room = memoryview(buffer)[count:]
        received = server.recv_into(room, len(message) - count)
        if received == 0:
            raise OSError(f"the server closed after {count} of {len(message)} bytes")
        count += received
    return buffer


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
