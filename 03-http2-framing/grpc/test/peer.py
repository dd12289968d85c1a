# peer.py: Python's grpcio, a library of gRPC on the C++ core, as a client of our server and as a
# server for our client. It uses no generated code: messages are bytes.
#
#   peer.py client PORT      all kinds of calls, metadata, deadlines, cancels, errors; says what came
#   peer.py server           prints its port, and serves todo.proto
import sys, threading, time
from concurrent import futures
import grpc

ToDo = "/toDo.ToDo/"
Test = "/grpc.testing.TestService/"


def text_of(item):  # of a ToDoItem whose text is shorter than 128 bytes
    at = item.index(b"\x12")
    return item[at + 2:at + 2 + item[at + 1]].decode()


def item(text, number=0):
    head = b"\x08" + bytes([number]) if number else b""
    return head + b"\x12" + bytes([len(text)]) + text.encode()


def varint(number):
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, body):
    return bytes([number << 3 | 2]) + varint(len(body)) + body


def true(condition):
    return str(bool(condition)).lower()


def code(call, *arguments, **options):
    try:
        call(*arguments, timeout=options.pop("timeout", 10), **options)
        return "OK"
    except grpc.RpcError as error:
        return error.code().name


def client(port):
    channel = grpc.insecure_channel("127.0.0.1:" + port, options=[("grpc.max_send_message_length", -1)])
    create = channel.unary_unary(ToDo + "createToDo")
    print("unary", text_of(create(item("Do laundry"), timeout=10)))
    print("server streams", len(list(channel.unary_stream(ToDo + "readToDosStream")(b"", timeout=10))))
    print("client streams", channel.stream_unary(ToDo + "createToDos")(iter([item("a"), item("b")]), timeout=10).count(b"\x12"))
    print("both stream", *[text_of(one) for one in channel.stream_stream(ToDo + "exchangeToDos")(iter([item("c"), item("d")]), timeout=10)])
    try:
        create(b"", timeout=10)
    except grpc.RpcError as error:
        details = dict(error.trailing_metadata())["grpc-status-details-bin"]
        print("details", error.code().name, true(b"google.rpc.BadRequest" in details and b"\x0a\x04text" in details))
    work = channel.unary_unary(ToDo + "work")
    print("deadline", code(work, b"\x08\x64\x10\x0a", timeout=0.1))
    call = work.future(b"\x08\x64\x10\x0a")
    time.sleep(0.05)
    call.cancel()
    print("cancel", call.code().name)
    read_work = channel.unary_unary(ToDo + "readWork")
    for _ in range(500):
        if read_work(b"", timeout=10)[-2:-1] != b"\x10":
            break
        time.sleep(0.01)
    print("work is left" if read_work(b"", timeout=10)[-2:-1] == b"\x10" else "no work is left")
    print("unknown", code(channel.unary_unary(ToDo + "none"), b""), code(channel.unary_unary("/none/none"), b""))
    print("10 MB", code(create, b"\x12" + bytes(10000000)))
    print("compressed", code(channel.unary_unary(ToDo + "createToDo"), item("hi" * 40), compression=grpc.Compression.Gzip))
    print("health", channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=10).hex())
    interop(channel)


# The cases of "gRPC Interop Test Case Descriptions" that a server takes part in.
def interop(channel):
    unary = channel.unary_unary(Test + "UnaryCall")
    output = channel.unary_stream(Test + "StreamingOutputCall")
    duplex = channel.stream_stream(Test + "FullDuplexCall")
    wanted = [31415, 9, 2653, 58979]
    sent = [27182, 8, 1828, 45904]
    ask = lambda size, more=b"": field(2, b"\x08" + varint(size) + more)
    print("empty_unary", true(channel.unary_unary(Test + "EmptyCall")(b"", timeout=10) == b""))
    large = unary(b"\x10" + varint(314159) + field(3, field(2, bytes(271828))), timeout=10)
    print("large_unary", payload(large))
    total = channel.stream_unary(Test + "StreamingInputCall")(iter([field(1, field(2, bytes(n))) for n in sent]), timeout=10)
    print("client_streaming", true(total.hex() == ("08" + varint(sum(sent)).hex())))
    print("server_streaming", true([payload(one) for one in output(b"".join(ask(n) for n in wanted), timeout=10)] == wanted))
    came, turn = [], threading.Semaphore(1)

    def requests():
        for n, m in zip(wanted, sent):
            turn.acquire()
            yield ask(n) + field(3, field(2, bytes(m)))
    for one in duplex(requests(), timeout=10):
        came.append(payload(one))
        turn.release()
    print("ping_pong", true(came == wanted))
    print("empty_stream", len(list(duplex(iter([]), timeout=10))))
    held = threading.Event()

    def never():
        held.wait(10)
        return
        yield
    call = channel.stream_unary(Test + "StreamingInputCall").future(never())
    call.cancel()
    print("cancel_after_begin", call.code().name)

    def first():
        yield ask(31415) + field(3, field(2, bytes(27182)))
        held.wait(10)
    call = duplex(first(), timeout=10)
    next(call)
    call.cancel()
    held.set()
    print("cancel_after_first_response", call.code().name)

    def sleepy():
        yield ask(31415, b"\x10" + varint(10000000)) + field(3, field(2, bytes(27182)))
    print("timeout_on_sleeping_server", code(lambda timeout: list(duplex(sleepy(), timeout=timeout)), timeout=0.1))
    metadata = (("x-grpc-test-echo-initial", "test_initial_metadata_value"), ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab"))
    for call in (unary.with_call(b"\x10\x01", timeout=10, metadata=metadata)[1], duplex(iter([ask(1)]), timeout=10, metadata=metadata)):
        initial = dict(call.initial_metadata())["x-grpc-test-echo-initial"]
        if hasattr(call, "__next__"):
            list(call)
        print("custom_metadata", initial, dict(call.trailing_metadata())["x-grpc-test-echo-trailing-bin"].hex())
    status = field(7, b"\x08\x02" + field(2, b"test status message"))
    for run in (lambda: unary(status, timeout=10), lambda: list(duplex(iter([status]), timeout=10))):
        try:
            run()
        except grpc.RpcError as error:
            print("status_code_and_message", error.code().value[0], error.details())
    special = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    try:
        unary(field(7, b"\x08\x02" + field(2, special.encode())), timeout=10)
    except grpc.RpcError as error:
        print("special_status_message", true(error.details() == special))
    print("unimplemented_method", code(channel.unary_unary(Test + "UnimplementedCall"), b""))
    print("unimplemented_service", code(channel.unary_unary("/grpc.testing.UnimplementedService/UnimplementedCall"), b""))


def payload(response):  # the length of the body in the payload of a response
    def read(at):
        number = shift = 0
        while True:
            byte = response[at]
            number |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return number, at
    if not response:
        return 0
    _, at = read(1)
    if at == len(response):
        return 0
    return read(at + 1)[0]


class Service(grpc.GenericRpcHandler):
    def __init__(self):
        self.items, self.lock = [], threading.Lock()

    def create(self, request, context):
        if request[:1] == b"\x08":
            request = request[2:]
        if not request:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no text ☺ 100%")
        with self.lock:
            self.items.append(item(text_of(request), len(self.items) % 100 + 1))
            return self.items[-1]

    def read(self, request, context):
        return b"".join(field(1, one) for one in self.items)

    def stream(self, request, context):
        yield from list(self.items)

    def many(self, requests, context):
        return b"".join(field(1, self.create(one, context)) for one in requests)

    def exchange(self, requests, context):
        for one in requests:
            yield self.create(one, context)

    def work(self, request, context):
        for _ in range(300):
            if not context.is_active():
                return b""
            time.sleep(0.01)
        return b"\x08\x01"

    def service(self, details):
        methods = {"createToDo": grpc.unary_unary_rpc_method_handler(self.create),
                   "readToDos": grpc.unary_unary_rpc_method_handler(self.read),
                   "readToDosStream": grpc.unary_stream_rpc_method_handler(self.stream),
                   "createToDos": grpc.stream_unary_rpc_method_handler(self.many),
                   "exchangeToDos": grpc.stream_stream_rpc_method_handler(self.exchange),
                   "work": grpc.unary_unary_rpc_method_handler(self.work)}
        if details.method.startswith(ToDo):
            return methods.get(details.method[len(ToDo):])
        return None


def server():
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((Service(),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


if sys.argv[1] == "client":
    client(sys.argv[2])
else:
    server()
