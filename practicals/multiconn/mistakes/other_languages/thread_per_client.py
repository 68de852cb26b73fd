"""Makes a thread for each client, as a tutorial on threads does.
"""

import socket
import sys
import threading

USAGE = "usage: multiconn_server [HOST [PORT]] [--idle SECONDS]"


def main() -> int:
    words = sys.argv[1:]
    idle = None
    if "--idle" in words:
        at = words.index("--idle")
        idle = float(words[at + 1])
        del words[at:at + 2]
    host, port = (words + ["127.0.0.1", "65432"][len(words):])[:2]
    if len(words) > 2 or not (port.isascii() and port.isdigit() and int(port) <= 65535):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        listener = socket.create_server((host, int(port)))
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    serve(listener, idle)
    return 0


def serve(listener: socket.socket, idle: float | None) -> None:
    while True:
        client, _ = listener.accept()
        client.settimeout(idle)
        threading.Thread(target=echo, args=(client,), daemon=True).start()


def echo(client: socket.socket) -> None:
    with client:
        try:
            while data := client.recv(65536):
                client.sendall(data)
        except OSError as error:
            print(f"a client is lost: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
