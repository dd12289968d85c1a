"""aioquic_peer.py: HTTP/3 by aioquic (Python), on both sides, for interop.sh.

python3 aioquic_peer.py get PORT CA PATH...           a line for each answer: path, status, bytes
python3 aioquic_peer.py echo PORT CA BYTES            POSTs so many bytes, and compares
python3 aioquic_peer.py serve CERTIFICATE KEY         prints its port
"""
import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated


class Client(QuicConnectionProtocol):
    def __init__(self, *arguments, **names):
        super().__init__(*arguments, **names)
        self.http = H3Connection(self._quic)
        self.answers = {}

    def ask(self, method, path, content=b""):
        stream = self._quic.get_next_available_stream_id()
        fields = [(b":method", method), (b":scheme", b"https"), (b":authority", b"localhost"),
                  (b":path", path.encode()), (b"user-agent", b"aioquic")]
        self.http.send_headers(stream, fields, end_stream=not content)
        if content:
            self.http.send_data(stream, content, end_stream=True)
        done = asyncio.get_running_loop().create_future()
        self.answers[stream] = [0, b"", done]
        self.transmit()
        return self.answers[stream]

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            for answer in self.answers.values():
                if not answer[2].done():
                    answer[2].set_exception(ConnectionError(event.reason_phrase))
        for happened in self.http.handle_event(event):
            answer = self.answers[happened.stream_id]
            if isinstance(happened, HeadersReceived):
                answer[0] = int(dict(happened.headers)[b":status"])
            elif isinstance(happened, DataReceived):
                answer[1] += happened.data
            if happened.stream_ended and not answer[2].done():
                answer[2].set_result(None)


class Server(QuicConnectionProtocol):
    def __init__(self, *arguments, **names):
        super().__init__(*arguments, **names)
        self.http = None

    def quic_event_received(self, event):
        if self.http is None:
            self.http = H3Connection(self._quic)
        for happened in self.http.handle_event(event):
            if isinstance(happened, HeadersReceived):
                path = dict(happened.headers)[b":path"]
                content = path * 5000
                self.http.send_headers(happened.stream_id,
                                       [(b":status", b"200"), (b"server", b"aioquic"), (b"x-path", path),
                                        (b"content-length", str(len(content)).encode())])
                self.http.send_data(happened.stream_id, content, end_stream=True)
                self.transmit()


async def client(what, port, ca, arguments):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["h3"], server_name="localhost")
    configuration.load_verify_locations(ca)
    async with connect("127.0.0.1", port, configuration=configuration, create_protocol=Client) as peer:
        if what == "echo":
            content = bytes(i * 7 % 251 for i in range(int(arguments[0])))
            answer = peer.ask(b"POST", "/echo", content)
            await asyncio.wait_for(answer[2], 20)
            print(answer[0], answer[1] == content)
            return
        answers = [(path, peer.ask(b"GET", path)) for path in arguments]
        for path, answer in answers:
            await asyncio.wait_for(answer[2], 20)
            print(path, answer[0], len(answer[1]))


async def server(certificate, key):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
    configuration.load_cert_chain(certificate, key)
    listener = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=Server)
    print(listener._transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Future()


if sys.argv[1] == "serve":
    asyncio.run(server(sys.argv[2], sys.argv[3]))
else:
    asyncio.run(client(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]))
