"""Has one buffer of 256 bytes for what it sends and for what it receives, shows all of it as a Python
literal, and so prints `\\x00` after the reply. Longer messages get a buffer of their own size.
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
        print(bytes(reply))
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
    buffer = bytearray(message.ljust(256, b"\0"))
    server.sendall(buffer[: len(message)])
    count = 0
    while count < len(message):
        received = server.recv_into(memoryview(buffer)[count:], len(message) - count)
        if received == 0:
            raise OSError(f"the server closed after {count} of {len(message)} bytes")
        count += received
    return buffer


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
