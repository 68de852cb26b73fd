"""Takes a lock for its log, and does not release it after an error. A reset connection has no peer,
so asking for the peer's name raises an error. That thread ends with the lock, and every later
client waits for it.
"""

import socket
import sys
import threading
import time

USAGE = "usage: echo_server [HOST [PORT]]"
lock = threading.Lock()


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
            threading.Thread(target=converse, args=(client,), daemon=True).start()
        except (OSError, RuntimeError) as error:
            print(f"cannot serve a client: {error}", file=sys.stderr)
            time.sleep(0.1)  # usually no descriptor is free


def converse(client: socket.socket) -> None:
    note("has come", client)
    try:
        while data := client.recv(4096):
            client.sendall(data)
    except OSError as error:
        print(f"a client is lost: {error}", file=sys.stderr)
    note("has gone", client)
    client.close()


def note(what: str, client: socket.socket) -> None:
    lock.acquire()
    name = client.getpeername()
    print(name, what, file=sys.stderr)
    lock.release()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
