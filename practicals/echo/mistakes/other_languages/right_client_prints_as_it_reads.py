"""An echo client. It reads the reply byte by byte, prints each at once, and the line end in
another write."""

import os
import socket
import sys

def arguments():
    """Returns HOST, PORT and MESSAGE, or ends the program with a usage line."""
    words = sys.argv[1:]
    if len(words) not in (2, 3) or not words[0]:
        usage()
    try:
        port = int(words[1])
    except ValueError:
        usage()
    if not 0 <= port <= 65535:
        usage()
    return words[0], port, os.fsencode(words[2]) if len(words) == 3 else None


def usage():
    print("usage: echo_client HOST PORT [MESSAGE]", file=sys.stderr)
    sys.exit(2)


def line_from_stdin():
    line = sys.stdin.buffer.readline()
    if line.endswith(b"\n"):
        line = line[:-1].removesuffix(b"\r")
    return line


def connect(host, port):
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        server.connect((host, port))
    except OSError as error:
        sys.exit(f"cannot connect to {host}:{port}: {error}")
    return server


def main():
    host, port, message = arguments()
    with connect(host, port) as server:
        if message is None:
            message = line_from_stdin()
        try:
            server.sendall(message)
            for count in range(len(message)):
                byte = server.recv(1)
                if not byte:
                    sys.exit(f"the server closed after {count} bytes")
                os.write(1, byte)
        except OSError as error:
            sys.exit(f"no whole reply: {error}")
    os.write(1, b"\n")


main()
