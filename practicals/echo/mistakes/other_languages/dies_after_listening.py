"""Listens, and fails in the very next line: the method's name is misspelt. No client can connect."""

import socket
import sys

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((sys.argv[1], int(sys.argv[2])))
server.listen()
while True:
    client, _ = server.acept()
    client.sendall(client.recv(1024))
