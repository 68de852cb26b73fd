"""Prints in a loop, and never makes a socket."""

while True:
    print('received ""')
    print('sent ""')
