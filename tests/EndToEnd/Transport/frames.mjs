// HTTP/2 by hand (RFC 9113): what no library would send. Shares no code with the server.
import net from "node:net";
import tls from "node:tls";

export const DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8, CONTINUATION = 9;
export const END_STREAM = 1, ACK = 1, END_HEADERS = 4;
const names = { 0: "DATA", 1: "HEADERS", 3: "RST_STREAM", 4: "SETTINGS", 6: "PING", 7: "GOAWAY", 8: "WINDOW_UPDATE", 9: "CONTINUATION" };

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function number(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

// RFC 7541 §5.1, an integer with a prefix of so many bits.
function integer(value, bits, first = 0) {
  const most = (1 << bits) - 1;
  if (value < most) return Buffer.from([first | value]);
  const bytes = [first | most];
  for (value -= most; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

const text = (value) => Buffer.concat([integer(Buffer.byteLength(value), 7), Buffer.from(value)]);

// RFC 7541 §6.2.2, neither indexed nor compressed.
export const literal = (name, value) => Buffer.concat([Buffer.from([0]), text(name), text(value)]);

// RFC 7541 §6.2.1: kept in the table, where one byte names it again (§6.1).
export const indexed = (name, value) => Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
export const NEWEST = Buffer.from([0x80 | 62]);

export const call = (path, authorization, more = []) => Buffer.concat([
  literal(":method", "POST"), literal(":scheme", "https"), literal(":path", path), literal(":authority", "127.0.0.1"),
  literal("content-type", "application/grpc"), literal("te", "trailers"),
  ...(authorization ? [literal("authorization", authorization)] : []),
  ...more.map(([name, value]) => literal(name, value)),
]);

// A connection whose preface is sent, and what came back over it.
export class Connection {
  frames = [];
  closed = false;
  #waiting = [];
  #rest = Buffer.alloc(0);

  constructor(socket) {
    this.socket = socket;
    socket.on("data", (bytes) => this.#read(bytes));
    socket.on("error", (error) => (this.error ??= error.code ?? error.message));
    socket.on("close", () => { this.closed = true; this.#wake(); });
  }

  static async open({ port, authority, settings = Buffer.alloc(0) }) {
    const socket = authority
      ? tls.connect({ host: "127.0.0.1", port, ca: authority, ALPNProtocols: ["h2"] })
      : net.connect({ host: "127.0.0.1", port });
    const connection = new Connection(socket);
    await new Promise((resolve) => socket.once(authority ? "secureConnect" : "connect", resolve).once("close", resolve));
    connection.send(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(SETTINGS, 0, 0, settings), frame(SETTINGS, ACK, 0));
    return connection;
  }

  send(...parts) {
    if (!this.closed && this.socket.writable) this.socket.write(Buffer.concat(parts));
  }

  // As much as the other side takes: false when it is gone.
  async sendAll(bytes) {
    if (this.closed || !this.socket.writable) return false;
    if (!this.socket.write(bytes)) {
      await new Promise((resolve) => {
        const done = () => { this.socket.off("drain", done).off("close", done); resolve(); };
        this.socket.on("drain", done).on("close", done);
      });
    }
    return !this.closed;
  }

  async until(condition) {
    while (!condition(this) && !this.closed) await new Promise((resolve) => this.#waiting.push(resolve));
  }

  count = (type, errorCode) => this.frames.filter((f) => f.type === type && (errorCode === undefined || f.error === errorCode)).length;

  // How it ended, for the report.
  get end() {
    const goaway = this.frames.find((f) => f.type === GOAWAY);
    return { closed: this.closed, goaway: goaway?.error ?? null, resets: this.count(RST_STREAM), error: this.error ?? null };
  }

  #read(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 9 && this.#rest.length >= 9 + this.#rest.readUIntBE(0, 3)) {
      const length = this.#rest.readUIntBE(0, 3);
      const [type, flags, stream] = [this.#rest[3], this.#rest[4], this.#rest.readUInt32BE(5)];
      const payload = this.#rest.subarray(9, 9 + length);
      const error = type === RST_STREAM ? payload.readUInt32BE(0) : type === GOAWAY ? payload.readUInt32BE(4) : undefined;
      this.frames.push({ type, name: names[type], flags, stream, error, length });
      this.#rest = this.#rest.subarray(9 + length);
    }
    this.#wake();
  }

  #wake() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
