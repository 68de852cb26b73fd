"""The echo client in Python, with only the standard library.

It is correct. Its full marks show that the grader works for any language.
"""

import os
import socket
import sys
import threading

USAGE = "usage: echo_client.py HOST PORT [MESSAGE]    without MESSAGE: a line from stdin"


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
    line = sys.stdin.buffer.readline()
    return line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line


def exchange(server: socket.socket, message: bytes) -> bytes:
    """Sends in a thread, because a message may be larger than all the buffers on the way."""
    threading.Thread(target=send, args=(server, message), daemon=True).start()
    reply = bytearray()
    while len(reply) < len(message):
        piece = server.recv(min(64 * 1024, len(message) - len(reply)))
        if not piece:
            raise OSError(f"the server closed after {len(reply)} of {len(message)} bytes")
        reply += piece
    return bytes(reply)


def send(server: socket.socket, message: bytes) -> None:
    try:
        server.sendall(message)
    except OSError:
        pass  # the reply is then incomplete


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
