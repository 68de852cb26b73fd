"""An echo server. It prints its host's name, this name's address and its socket's own name, and
serves each client in a thread."""

import socket
import sys
import threading
import time

def arguments():
    """Returns HOST and PORT, or ends the program with a usage line."""
    words = sys.argv[1:]
    host = words[0] if words else "127.0.0.1"
    try:
        port = int(words[1]) if len(words) > 1 else 65432
    except ValueError:
        port = -1
    if len(words) > 2 or not host or not 0 <= port <= 65535:
        print("usage: echo_server [HOST [PORT]]", file=sys.stderr)
        sys.exit(2)
    return host, port


def listen(host, port):
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
        server.listen(128)
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        sys.exit(1)
    return server


def describe(server):
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
    except OSError as error:
        address = f"no address ({error})"
    print(f"host {name}, {address}, listening on {server.getsockname()}", flush=True)


def serve(connection):
    with connection:
        try:
            print("serving", connection.getpeername(), flush=True)
            while data := connection.recv(8192):
                connection.sendall(data)
        except OSError as error:
            print("client lost:", error, file=sys.stderr)


def main():
    server = listen(*arguments())
    describe(server)
    while True:
        try:
            connection, peer = server.accept()
        except OSError as error:
            print("accept:", error, file=sys.stderr)
            time.sleep(0.1)
            continue
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


main()
