"""An echo server. It uses asyncio's streams, with reads of 10 bytes."""

import asyncio
import socket
import sys

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


async def handle(reader, writer):
    try:
        while data := await reader.read(10):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError as error:
        print("client lost:", error, file=sys.stderr)
    finally:
        writer.close()


async def main():
    host, port = arguments()
    try:
        server = await asyncio.start_server(handle, host, port, family=socket.AF_INET)
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        sys.exit(1)
    async with server:
        await server.serve_forever()


asyncio.run(main())
