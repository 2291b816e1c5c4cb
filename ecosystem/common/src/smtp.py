# A server of mail that takes 50 ms for each. Its argument is the port.
import asyncio
import sys

from aiosmtpd.smtp import SMTP


class Slow:
    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(0.05)
        return "250 OK"


async def main():
    serve = asyncio.get_running_loop().create_server
    server = await serve(lambda: SMTP(Slow()), "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


asyncio.run(main())
