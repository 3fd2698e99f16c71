"""A way to a partner that goes wrong: one TCP port in front of another, in the test's own process.

    way = FaultProxy(partner_port)      way.port: where sgld connects
    way.set("drip")                     from now on, for the connections that are open too
    way.heal()                          the way is good again

What it can do (`set(what, **how)`):
  pass              nothing (as after heal())
  down              the port is closed, what was open is cut
  refuse            each connection is taken and reset at once; what was open is cut
  half_open         connections stay open and nobody reads or writes any more; what came waits and may arrive after heal()
  silent            what the client sends arrives (after `after` bytes of it), the answers are lost
  drip              one byte per second, both ways
  cut               reset after `after` bytes, both ways counted together
  cut_answer        reset at the first byte of the partner once the client has sent `after` bytes
  garbage           bytes of no protocol, then the end
  certificate       TLS with `certificate` and `key` (PEM files) instead of the partner's; `starttls`: after an SMTP greeting

A connection that saw a fault is cut by heal(), unless `heal(resume=True)`: then what waits goes on its way, as after a broken
cable that is mended.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
import threading

MODES = {"pass", "down", "refuse", "half_open", "silent", "drip", "cut", "cut_answer", "garbage", "certificate"}
CHUNK = 65536


def reset(writer):
    """RST instead of FIN."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Connection:
    def __init__(self, client):
        self.client = client        # (reader, writer)
        self.server = None
        self.up = 0                 # bytes of the client
        self.total = 0
        self.hurt = False           # it saw a fault

    def cut(self):
        for side in (self.client, self.server):
            if side:
                reset(side[1])


class FaultProxy:
    """Its own thread carries the bytes; set() and heal() return once they hold."""

    def __init__(self, target, host="127.0.0.1"):
        self.target, self.host = target, host
        self.mode, self.how = "pass", {}
        self.connections = set()
        self.opened = 0             # connections since the start
        self.hurt = 0               # of them, those that saw a fault
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.closed = False
        self.server = None
        self.port = 0
        self._call(self._listen())

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def _listen(self):
        self.changed = asyncio.Event()
        self.server = await asyncio.start_server(self._serve, self.host, self.port, reuse_address=True)
        self.port = self.server.sockets[0].getsockname()[1]

    def set(self, mode, **how):
        if mode not in MODES:
            raise ValueError(f"unknown fault {mode!r}; known: {', '.join(sorted(MODES))}")
        self._call(self._set(mode, how, False))

    def heal(self, resume=False):
        self._call(self._set("pass", {}, resume))

    def close(self):
        if self.closed:
            return
        self.closed = True

        async def end():
            if self.server:
                self.server.close()
            for connection in list(self.connections):
                connection.cut()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        with contextlib.suppress(Exception):
            self._call(end())
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _set(self, mode, how, resume):
        self.mode, self.how = mode, how
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()
        for connection in list(self.connections):
            healed = mode == "pass" and connection.hurt and not resume
            if mode in ("down", "refuse", "garbage", "certificate") or healed:
                connection.cut()
            elif mode != "pass":
                connection.up = connection.total = 0
        if mode == "down" and self.server:
            self.server.close()
            await self.server.wait_closed()
            self.server = None
        elif mode != "down" and self.server is None:
            await self._listen()

    def _hurts(self, connection):
        if not connection.hurt:
            connection.hurt = True
            self.hurt += 1

    async def _serve(self, reader, writer):
        self.opened += 1
        connection = Connection((reader, writer))
        self.connections.add(connection)
        try:
            if self.mode == "refuse":
                self._hurts(connection)
                return
            if self.mode == "garbage":
                self._hurts(connection)
                writer.write(b"\x00\xff\x16\x7f no protocol at all\r\n" + os.urandom(200))
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(reader.read(CHUNK), 1)
                return
            if self.mode == "certificate":
                self._hurts(connection)
                await self._wrong_certificate(reader, writer)
                return
            while self.mode == "half_open":
                self._hurts(connection)
                await self.changed.wait()
            connection.server = await asyncio.open_connection(self.host, self.target)
            up = asyncio.ensure_future(self._pump(connection, reader, connection.server[1], True))
            down = asyncio.ensure_future(self._pump(connection, connection.server[0], writer, False))
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0.05)       # a last word of the other side
            for pump in (up, down):
                pump.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections.discard(connection)
            if connection.hurt:
                connection.cut()
            else:
                for side in (connection.client, connection.server):
                    if side:
                        side[1].close()

    async def _pump(self, connection, reader, writer, from_client):
        while True:
            data = await reader.read(CHUNK)
            if not data:
                return
            while data:
                mode, how = self.mode, self.how
                if mode == "half_open":
                    self._hurts(connection)
                    await self.changed.wait()
                    continue
                if mode == "drip":
                    self._hurts(connection)
                    changed = self.changed
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(changed.wait(), 1)
                    if changed.is_set():
                        continue
                    writer.write(data[:1])
                    data = data[1:]
                    continue
                if mode == "silent" and not from_client and connection.up >= how.get("after", 0):
                    self._hurts(connection)
                    break
                if mode == "cut_answer" and not from_client and connection.up >= how.get("after", 0):
                    self._hurts(connection)
                    return
                if mode == "cut" and connection.total + len(data) >= how.get("after", 0):
                    self._hurts(connection)
                    writer.write(data[:max(0, how.get("after", 0) - connection.total)])
                    with contextlib.suppress(OSError):
                        await writer.drain()
                    return
                connection.total += len(data)
                if from_client:
                    connection.up += len(data)
                writer.write(data)
                await writer.drain()
                data = b""

    async def _wrong_certificate(self, reader, writer):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self.how["certificate"]), str(self.how["key"]))
        if self.how.get("starttls"):
            writer.write(b"220 operateur-test.mssante.fr ESMTP\r\n")
            await reader.readuntil(b"\n")
            writer.write(b"250-operateur-test.mssante.fr\r\n250 STARTTLS\r\n")
            await reader.readuntil(b"\n")
            writer.write(b"220 2.0.0 Ready to start TLS\r\n")
            await writer.drain()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = context.wrap_bio(incoming, outgoing, server_side=True)
        with contextlib.suppress(OSError):
            while True:
                try:
                    secured.do_handshake()
                    return          # it believed us: the end follows
                except ssl.SSLWantReadError:
                    pass
                finally:
                    writer.write(outgoing.read())
                await writer.drain()
                data = await reader.read(CHUNK)
                if not data:
                    return
                incoming.write(data)
