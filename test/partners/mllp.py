"""MLLP framing, a client, an asyncio server, and just enough ER7 reading and writing for the partners."""

import asyncio
import datetime
import socket
import ssl
import threading
import time

START, END = b"\x0b", b"\x1c\x0d"
MAX = 60 * 1024 * 1024


def frame(message):
    return START + message + END


def client_context(ca, certificate=None, key=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(str(ca))
    if certificate:
        context.load_cert_chain(str(certificate), str(key))
    return context


def server_context(certificate, key, ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(str(certificate), str(key))
    if ca:
        context.load_verify_locations(str(ca))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Client:
    """One connection; `exchange` sends a message and waits for its one answer."""

    def __init__(self, host, port, tls=None, timeout=30.0, server_name="localhost"):
        self.timeout = timeout
        raw = socket.create_connection((host, port), timeout=timeout)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = tls.wrap_socket(raw, server_hostname=server_name) if tls else raw
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, message):
        self.socket.sendall(frame(message))

    def send_raw(self, data):
        self.socket.sendall(data)

    def receive(self, timeout=None):
        """The next block's bytes; None when the peer closed; TimeoutError when nothing came in time."""
        limit = time.monotonic() + (timeout or self.timeout)
        while True:
            end = self._buffer.find(END)
            if end >= 0:
                block, self._buffer = self._buffer[:end], self._buffer[end + 2:]
                start = block.find(START)
                if start < 0:
                    raise ValueError("block without its start byte")
                return block[start + 1:]
            left = limit - time.monotonic()
            if left <= 0:
                raise TimeoutError("no answer in time")
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except socket.timeout:
                raise TimeoutError("no answer in time") from None
            except ConnectionError:
                return None
            if not data:
                return None
            self._buffer += data

    def exchange(self, message, timeout=None):
        self.send(message)
        return self.receive(timeout)


async def read_block(reader):
    """The bytes between VT and FS CR; None at the end of the connection; ValueError when not MLLP."""
    first = await reader.read(1)
    if not first:
        return None
    if first != START:
        raise ValueError(f"byte 0x{first.hex()} outside a block")
    try:
        data = await reader.readuntil(END)
    except asyncio.IncompleteReadError:
        raise ValueError("connection closed inside a block") from None
    return data[:-2]


class Listener:
    """Serves connections in threads; what it says to a block is `take`'s."""

    def __init__(self):
        self.server = None

    def take(self, block):
        """The answer to a message; None: the connection is closed instead."""
        raise NotImplementedError

    def listen(self, port=0):
        """The port."""
        self.server = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()
        return self.server.getsockname()[1]

    def close(self):
        if self.server:
            self.server.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        data = b""
        with sock:
            while True:
                try:
                    chunk = sock.recv(65536)
                    if not chunk:
                        return
                    data += chunk
                    while (end := data.find(END)) >= 0:
                        block, data = data[data.find(START) + 1:end], data[end + 2:]
                        answer = self.take(block)
                        if answer is None:
                            return
                        sock.sendall(frame(answer))
                except OSError:
                    return


class Message:
    """A parsed message: segments[i][n] is field n of segment i (field 0 = its name)."""

    def __init__(self, data, encoding="utf-8"):
        self.data = data
        text = data.decode(encoding)
        self.segments = []
        for line in text.split("\r"):
            if not line:
                continue
            fields = line.split("|")
            if fields[0] == "MSH":
                fields.insert(1, "|")
            self.segments.append(fields)

    def names(self):
        return [s[0] for s in self.segments]

    def all(self, name):
        return [s for s in self.segments if s[0] == name]

    def first(self, name):
        return next((s for s in self.segments if s[0] == name), [name])


def field(segment, number):
    return segment[number] if number < len(segment) else ""


def component(value, number):
    parts = value.split("^")
    return parts[number - 1] if number <= len(parts) else ""


def subcomponent(value, number):
    parts = value.split("&")
    return parts[number - 1] if number <= len(parts) else ""


def repetitions(value):
    return [r for r in value.split("~") if r]


ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": "\\X0D\\", "\n": "\\X0A\\"}


def escape(text):
    return "".join(ESCAPES.get(c, c) for c in text)


def unescape(text):
    for plain, escaped in ESCAPES.items():
        if plain != "\\":
            text = text.replace(escaped, plain)
    return text.replace("\\E\\", "\\")


def now(zone=True):
    """This moment as an HL7 time, with the machine's offset unless zone is False."""
    moment = datetime.datetime.now().astimezone()
    return moment.strftime("%Y%m%d%H%M%S%z" if zone else "%Y%m%d%H%M%S")


def join(segments):
    """Lines of segments as message bytes (UTF-8, each ended by CR)."""
    return "".join(s + "\r" for s in segments).encode("utf-8")
