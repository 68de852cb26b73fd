"""Makes two mistakes. It welcomes each client, because a server that says nothing looks dead. It
leaves all errors to the interpreter, so a bad port and a taken port end with a traceback.
"""

import asyncio
import sys


async def main() -> None:
    host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 65432
    server = await asyncio.start_server(echo, host, port)
    await server.serve_forever()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"Welcome to the echo server!\r\n")
    try:
        while data := await reader.read(1024):
            writer.write(data)
            await writer.drain()
    except OSError as error:
        print(f"a client is lost: {error}", file=sys.stderr)
    finally:
        writer.close()


if __name__ == "__main__":
    asyncio.run(main())
