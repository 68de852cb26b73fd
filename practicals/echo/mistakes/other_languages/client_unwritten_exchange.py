"""Connects as it should, and the conversation is not written yet."""

import socket
import sys


def main() -> int:
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as server:
            exchange(server, sys.argv[3].encode() if len(sys.argv) > 3 else b"")
    except OSError as error:
        print(f"no echo: {error}", file=sys.stderr)
        return 1
    return 0


def exchange(server: socket.socket, message: bytes) -> bytes:
    # Step 7 comes here.
    raise NotImplementedError(f"steps 7 and 8: send {len(message)} bytes, read as many")


sys.exit(main())
