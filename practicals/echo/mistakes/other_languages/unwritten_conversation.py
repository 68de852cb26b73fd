"""Accepts clients in threads of their own, and the conversation is not written yet."""

import socket
import sys
import threading


def main() -> int:
    if len(sys.argv) != 3 or not is_port(sys.argv[2]):
        print("usage: echo_server.py HOST PORT", file=sys.stderr)
        return 2
    try:
        server = socket.create_server((sys.argv[1], int(sys.argv[2])))
    except OSError as error:
        print(f"cannot listen: {error}", file=sys.stderr)
        return 1
    while True:
        client, _ = server.accept()
        threading.Thread(target=converse, args=(client,), daemon=True).start()


def is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) <= 65535


def converse(client: socket.socket) -> None:
    raise NotImplementedError("steps 7 to 9: echo, then close")


sys.exit(main())
