// A load generator that costs little beside what it measures: raw sockets, requests made beforehand, answers compared byte
// by byte with the one that was checked. Reads its task as JSON from standard input, writes what it found to standard output.
import net from 'node:net';
import { readFileSync } from 'node:fs';

const task = JSON.parse(readFileSync(0, 'utf8'));
const headers = Object.entries(task.headers ?? {})
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
const requests = task.requests.map(({ body, expected }) => ({
  bytes: Buffer.from(
    `POST ${task.path} HTTP/1.1\r\nHost: 127.0.0.1:${task.port}\r\nContent-Type: application/json\r\n` +
      `Accept: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  ),
  expected: Buffer.from(expected),
}));
const end = Buffer.from('\r\n\r\n');
const latencies = [];
let next = 0;
let stopped = false;

function fail(reason) {
  console.log(JSON.stringify({ failure: reason }));
  process.exit(1);
}

function connect() {
  const socket = net.connect({ port: task.port, host: '127.0.0.1', noDelay: true });
  let request;
  let sent;
  let rest = Buffer.alloc(0);

  function ask() {
    if (stopped) return socket.destroy();
    request = requests[next++ % requests.length];
    sent = performance.now();
    socket.write(request.bytes);
  }

  socket.on('connect', ask);
  socket.on('error', (error) => stopped || fail(`the connection failed: ${error.message}`));
  socket.on('close', () => stopped || fail('the server closed a connection'));
  socket.on('data', (chunk) => {
    rest = rest.length ? Buffer.concat([rest, chunk]) : chunk;
    const head = rest.indexOf(end);
    if (head < 0) return;
    const lines = rest.latin1Slice(0, head);
    const length = /content-length: *(\d+)/i.exec(lines);
    if (!length) fail(`an answer without Content-Length: ${lines}`);
    const body = head + 4;
    if (rest.length < body + Number(length[1])) return;
    if (!lines.startsWith('HTTP/1.1 200')) fail(`${lines.split('\r\n')[0]}: ${rest.subarray(body, body + 300)}`);
    if (!request.expected.equals(rest.subarray(body, body + request.expected.length))) fail(`another answer than before: ${rest.subarray(body, body + 300)}`);
    latencies.push(performance.now() - sent);
    rest = rest.subarray(rest.length);
    ask();
  });
}

for (let number = 0; number < task.connections; number++) connect();
const started = performance.now();
setTimeout(finish, task.seconds * 1000);

function finish() {
  // Whoever is that slow gets the time for one answer a connection.
  if (latencies.length < task.connections) return setTimeout(finish, 50);
  stopped = true;
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((one, other) => one - other);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  console.log(JSON.stringify({ requests: latencies.length, seconds, p50: at(0.5), p99: at(0.99) }));
  process.exit(0);
}
