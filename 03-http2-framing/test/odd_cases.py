"""odd_cases.py: python's h2 does with our server what browsers and curl rarely do; for interop.sh."""
import os
import signal
import socket
import sys

import h2.config
import h2.connection
import h2.events
import h2.settings

port, pid = map(int, sys.argv[1:])


class Client:
    def __init__(self, settings=None):
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(20)
        if settings:
            self.h2.local_settings.update(settings)
            self.h2.local_settings.acknowledge()
        self.h2.initiate_connection()
        self.status, self.data, self.ended = {}, {}, set()
        self.settled = self.pong = self.gone = False
        self.give_back = True  # open the windows again as DATA comes
        # h2 takes an acknowledgement for that of all settings it has ever sent: so one at a time.
        self.hear(lambda: self.settled)

    def send(self):
        self.socket.sendall(self.h2.data_to_send())

    def request(self, path, method="GET", ended=True, **priority):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", method), (":scheme", "http"), (":authority", "a"),
                                      (":path", path)], end_stream=ended, **priority)
        self.data[stream] = b""
        return stream

    def hear(self, until):
        """Takes what comes until until() is true."""
        self.send()
        while not until():
            received = self.socket.recv(65536)
            if not received:
                self.gone = True
                return
            for event in self.h2.receive_data(received):
                self.take(event)
            self.send()

    def take(self, event):
        stream = getattr(event, "stream_id", None)
        if isinstance(event, h2.events.ResponseReceived):
            self.status[stream] = dict(event.headers)[":status"]
        elif isinstance(event, h2.events.DataReceived):
            self.data[stream] += event.data
            if self.give_back:
                self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, h2.events.StreamEnded):
            self.ended.add(stream)
        elif isinstance(event, h2.events.SettingsAcknowledged):
            self.settled = True
        elif isinstance(event, h2.events.PingAckReceived):
            self.pong = True
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.gone = True

    def answer(self, stream):
        self.hear(lambda: stream in self.ended)
        return f"{self.status[stream]}, {len(self.data[stream])} bytes"


client = Client({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
client.give_back = False
stream = client.request("/img/1?size=100")
client.hear(lambda: stream in client.status)
for _ in range(100):
    had = len(client.data[stream])
    client.h2.increment_flow_control_window(1, stream)
    client.hear(lambda: len(client.data[stream]) > had)
    assert len(client.data[stream]) == had + 1
print("windows of zero and of one byte:", client.answer(stream))

client = Client()
streams = [client.request("/slow?ms=50") for _ in range(100)]
client.hear(lambda: len(client.ended) == 100)
print("a hundred streams at once:", sum(client.status[s] == "200" for s in streams), "answers")

stream = client.request("/stream?n=1000&ms=10")
client.hear(lambda: len(client.data[stream]) > 0)
client.h2.reset_stream(stream, 8)
stream = client.request("/")
client.answer(stream)
print("a request that is cancelled: the next one is answered")

client = Client()
client.give_back = False
stream = client.request("/img/2?size=50000")
client.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 200000,
                           h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0})
print("settings in the middle:", client.answer(stream))

stream = client.request("/echo", "POST", ended=False)
for _ in range(300):
    client.h2.send_data(stream, b"x", pad_length=3)
client.h2.send_headers(stream, [("x-sum", "300")], end_stream=True)
print("a body in 300 frames, and trailers:", client.answer(stream))

stream = client.request("/", priority_weight=200, priority_depends_on=0, priority_exclusive=True)
client.h2.prioritize(stream + 20, weight=3)
client.answer(stream)
print("priorities:", client.status[stream])

client.socket.sendall(bytes([0, 0, 3, 0xfa, 0xff, 0, 0, 0, 9]) + b"abc")
stream = client.request("/")
client.answer(stream)
print("unknown frames:", client.status[stream])

client.h2.ping(b"12345678")
client.hear(lambda: client.pong)
print("a ping: answered")

# h2 takes nothing more after GOAWAY, so this reads the frames itself.
os.kill(pid, signal.SIGTERM)
received = b""
while part := client.socket.recv(65536):
    received += part
words = []
while received:
    length, kind, last = int.from_bytes(received[:3], "big"), received[3], int.from_bytes(received[9:13], "big")
    words.append({7: f"GOAWAY {'at all' if last == 2**31 - 1 else last}", 6: "PING"}[kind])
    received = received[9 + length:]
print("the end, after SIGTERM:", ", ".join(words))
