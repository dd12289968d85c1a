// peer.js: node's @grpc/grpc-js, a library of gRPC, as a client of our server and as a server for our
// client. It uses no generated code: messages are bytes. See peer.py, which does the same.
//
//   peer.js client PORT
//   peer.js server           prints its port, and serves todo.proto
const grpc = require(process.cwd() + '/node_modules/@grpc/grpc-js');
const same = bytes => bytes, TO_DO = '/toDo.ToDo/', TEST = '/grpc.testing.TestService/', NONE = Buffer.alloc(0);
const item = (text, id) => Buffer.concat([Buffer.from(id ? [8, id] : []), Buffer.from([18, text.length]), Buffer.from(text)]);
const textOf = bytes => { const at = bytes.indexOf(18); return bytes.subarray(at + 2, at + 2 + bytes[at + 1]).toString(); };
const varint = number => { const out = []; for (; number > 127; number = Math.floor(number / 128)) out.push(number % 128 | 128); return Buffer.from([...out, number]); };
const field = (number, body) => Buffer.concat([Buffer.from([number * 8 + 2]), varint(body.length), body]);
const name = status => Object.keys(grpc.status).find(key => grpc.status[key] === status);
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

function payload(bytes) { // the length of the body in the payload of a response
    const read = at => { let number = 0, scale = 1; for (;; scale *= 128) { const byte = bytes[at++]; number += byte % 128 * scale; if (byte < 128) return [number, at]; } };
    if (!bytes.length) return 0;
    const [, at] = read(1);
    return at === bytes.length ? 0 : read(at + 1)[0];
}

async function run(port) {
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { 'grpc.max_send_message_length': -1 });
    const soon = () => ({ deadline: Date.now() + 10000 });
    const unary = (path, message, options = soon(), metadata = new grpc.Metadata()) => new Promise(resolve => {
        const call = client.makeUnaryRequest(path, same, same, message, metadata, options, (error, answer) => resolve({ call, error, answer, code: error ? name(error.code) : 'OK' }));
        call.on('metadata', fields => { call.initial = fields; });
        call.on('status', status => { call.trailing = status.metadata; });
        if (options.started) options.started(call);
    });
    const read = call => new Promise(resolve => {
        const got = [];
        call.on('data', one => { got.push(one); if (call.each) call.each(got.length); });
        call.on('metadata', fields => { call.initial = fields; });
        call.on('error', error => { call.failure = error; });
        call.on('status', status => resolve({ got, status, code: name(status.code), initial: call.initial }));
    });
    const serverStream = (path, message, options = soon()) => client.makeServerStreamRequest(path, same, same, message, new grpc.Metadata(), options);
    const duplex = (path, options = soon(), metadata = new grpc.Metadata()) => client.makeBidiStreamRequest(path, same, same, metadata, options);
    const clientStream = (path, messages, options = soon()) => new Promise(resolve => {
        const call = client.makeClientStreamRequest(path, same, same, new grpc.Metadata(), options, (error, answer) => resolve({ answer, code: error ? name(error.code) : 'OK' }));
        if (options.started) options.started(call);
        for (const one of messages || []) call.write(one);
        if (messages) call.end();
    });
    console.log('unary', textOf((await unary(TO_DO + 'createToDo', item('Do laundry'))).answer));
    console.log('server streams', (await read(serverStream(TO_DO + 'readToDosStream', NONE))).got.length);
    console.log('client streams', (await clientStream(TO_DO + 'createToDos', [item('a'), item('b')])).answer.toString('latin1').split('\x12').length - 1);
    let call = duplex(TO_DO + 'exchangeToDos');
    call.write(item('c')); call.write(item('d')); call.end();
    console.log('both stream', (await read(call)).got.map(textOf).join(' '));
    const bad = await unary(TO_DO + 'createToDo', NONE), details = bad.error.metadata.get('grpc-status-details-bin')[0];
    console.log('details', bad.code, details.includes('google.rpc.BadRequest') && details.includes('\x0a\x04text'));
    const hundred = Buffer.from([8, 100, 16, 10]);
    console.log('deadline', (await unary(TO_DO + 'work', hundred, { deadline: Date.now() + 100 })).code);
    console.log('cancel', (await unary(TO_DO + 'work', hundred, { started: one => setTimeout(() => one.cancel(), 50) })).code);
    let left;
    for (let i = 0; i < 500 && (left = (await unary(TO_DO + 'readWork', NONE)).answer).at(-2) === 16; i++) await pause(10);
    console.log(left.at(-2) === 16 ? 'work is left' : 'no work is left');
    console.log('unknown', (await unary(TO_DO + 'none', NONE)).code, (await unary('/none/none', NONE)).code);
    console.log('10 MB', (await unary(TO_DO + 'createToDo', Buffer.alloc(10000000))).code);
    const zipping = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), { 'grpc.default_compression_algorithm': 2 });
    console.log('compressed', await new Promise(resolve => zipping.makeUnaryRequest(TO_DO + 'createToDo', same, same, item('hi'.repeat(40)), soon(), error => resolve(error ? name(error.code) : 'OK'))));
    zipping.close();
    console.log('health', (await unary('/grpc.health.v1.Health/Check', NONE)).answer.toString('hex'));

    // The cases of "gRPC Interop Test Case Descriptions" that a server takes part in.
    const wanted = [31415, 9, 2653, 58979], sent = [27182, 8, 1828, 45904];
    const ask = (size, ...more) => field(2, Buffer.concat([Buffer.from([8]), varint(size), ...more]));
    const carry = size => field(3, field(2, Buffer.alloc(size)));
    console.log('empty_unary', (await unary(TEST + 'EmptyCall', NONE)).answer.length === 0);
    console.log('large_unary', payload((await unary(TEST + 'UnaryCall', Buffer.concat([Buffer.from([16]), varint(314159), carry(271828)]))).answer));
    const sum = (await clientStream(TEST + 'StreamingInputCall', sent.map(size => field(1, field(2, Buffer.alloc(size)))))).answer;
    console.log('client_streaming', sum.equals(Buffer.concat([Buffer.from([8]), varint(sent.reduce((a, b) => a + b))])));
    console.log('server_streaming', (await read(serverStream(TEST + 'StreamingOutputCall', Buffer.concat(wanted.map(size => ask(size)))))).got.map(payload).join() === wanted.join());
    call = duplex(TEST + 'FullDuplexCall');
    const ping = count => count < 4 ? call.write(Buffer.concat([ask(wanted[count]), carry(sent[count])])) : call.end();
    call.each = ping;
    ping(0);
    console.log('ping_pong', (await read(call)).got.map(payload).join() === wanted.join());
    call = duplex(TEST + 'FullDuplexCall');
    call.end();
    console.log('empty_stream', (await read(call)).got.length);
    console.log('cancel_after_begin', (await clientStream(TEST + 'StreamingInputCall', null, { started: one => setImmediate(() => one.cancel()) })).code);
    call = duplex(TEST + 'FullDuplexCall');
    call.write(Buffer.concat([ask(31415), carry(27182)]));
    call.each = () => call.cancel();
    console.log('cancel_after_first_response', (await read(call)).code);
    call = duplex(TEST + 'FullDuplexCall', { deadline: Date.now() + 100 });
    call.write(Buffer.concat([ask(31415, Buffer.from([16]), varint(10000000)), carry(27182)]));
    console.log('timeout_on_sleeping_server', (await read(call)).code);
    const metadata = new grpc.Metadata();
    metadata.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
    metadata.set('x-grpc-test-echo-trailing-bin', Buffer.from('ababab', 'hex'));
    const echoed = (initial, trailing) => console.log('custom_metadata', initial.get('x-grpc-test-echo-initial')[0], trailing.get('x-grpc-test-echo-trailing-bin')[0].toString('hex'));
    const custom = (await unary(TEST + 'UnaryCall', Buffer.from([16, 1]), soon(), metadata)).call;
    await pause(20); // the status comes behind the answer
    echoed(custom.initial, custom.trailing);
    call = duplex(TEST + 'FullDuplexCall', soon(), metadata);
    call.write(ask(1)); call.end();
    const both = await read(call);
    echoed(both.initial, both.status.metadata);
    const status = text => field(7, Buffer.concat([Buffer.from([8, 2]), field(2, Buffer.from(text))]));
    const first = (await unary(TEST + 'UnaryCall', status('test status message'))).error;
    console.log('status_code_and_message', first.code, first.details);
    call = duplex(TEST + 'FullDuplexCall');
    call.write(status('test status message')); call.end();
    const second = (await read(call)).status;
    console.log('status_code_and_message', second.code, second.details);
    const special = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';
    console.log('special_status_message', (await unary(TEST + 'UnaryCall', status(special))).error.details === special);
    console.log('unimplemented_method', (await unary(TEST + 'UnimplementedCall', NONE)).code);
    console.log('unimplemented_service', (await unary('/grpc.testing.UnimplementedService/UnimplementedCall', NONE)).code);
    client.close();
}

function serve() {
    const items = [];
    const create = request => {
        items.push(item(textOf(request), items.length + 1));
        return items.at(-1);
    };
    const method = (path, requestStream, responseStream) => ({ path: TO_DO + path, requestStream, responseStream, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same });
    const service = { create: method('createToDo', false, false), read: method('readToDos', false, false), stream: method('readToDosStream', false, true),
        many: method('createToDos', true, false), exchange: method('exchangeToDos', true, true), work: method('work', false, false) };
    const server = new grpc.Server();
    server.addService(service, {
        create: (call, done) => call.request.length ? done(null, create(call.request)) : done({ code: grpc.status.INVALID_ARGUMENT, details: 'no text ☺ 100%' }),
        read: (call, done) => done(null, Buffer.concat(items.map(one => field(1, one)))),
        stream: call => { items.forEach(one => call.write(one)); call.end(); },
        many: (call, done) => { const made = []; call.on('data', one => made.push(field(1, create(one)))); call.on('end', () => done(null, Buffer.concat(made))); },
        exchange: call => { call.on('data', one => call.write(create(one))); call.on('end', () => call.end()); },
        work: (call, done) => { setTimeout(() => done(null, Buffer.from([8, 1])), 3000).unref(); },
    });
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => console.log(port));
}

if (process.argv[2] === 'client') run(process.argv[3]);
else serve();
