"""Turns what it receives into text, and the text into bytes again. Bytes that are not UTF-8 once
raised an error. With `errors="replace"` they become other bytes, which the student does not see.
"""

import asyncio
import sys

USAGE = "usage: echo_server [HOST [PORT]]"


def main() -> int:
    host, port = (sys.argv[1:] + ["127.0.0.1", "65432"][len(sys.argv) - 1:])[:2]
    if len(sys.argv) > 3 or not is_port(port):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        asyncio.run(serve(host, int(port)))
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    return 0


def is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) <= 65535


async def serve(host: str, port: int) -> None:
    server = await asyncio.start_server(echo, host, port)
    await server.serve_forever()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(4096):
            text = data.decode(errors="replace")
            writer.write(text.encode())
            await writer.drain()
    except OSError as error:
        print(f"a client is lost: {error}", file=sys.stderr)
    finally:
        writer.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
