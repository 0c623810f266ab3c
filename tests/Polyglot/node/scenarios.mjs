// Plays the stories of tests/Polyglot/scenarios against a server; README.md there tells what a step means.
import { createHmac, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { readDetails } from "../../../artifacts/polyglot/node/errors.mjs";

const PATTERNS = { code: /(?<![0-9])[0-9]{6}(?![0-9])/, token: /(?<![\w-])[\w-]{43}(?![\w-])/ };
const { mfa } = grpc.loadPackageDefinition(
  loadSync("mfa/v1/mfa_service.proto", { includeDirs: ["protos"], keepCase: true, enums: String, longs: Number, defaults: true }),
);

class Wrong extends Error {}

class Story {
  constructor(world, clients, name, index) {
    Object.assign(this, { world, clients });
    const account = `${world.language}-${name}`;
    this.saved = {
      account,
      other: `${account}-other`,
      email: `${account}@example.org`,
      phone: `${world.phones}${String(index).padStart(4, "0")}`,
    };
  }

  async play(steps) {
    for (const step of steps) {
      if (step.call) await this.call(step);
      else if (step.advance) await this.test("POST", `clock?advance=${step.advance}`);
      else if (step.until) await this.test("POST", `clock?advance=${step.until - ((await this.now()) % step.until)}`);
      else if (step.message) await this.readMessage(step);
      else for (let i = 0; i < step.repeat; i++) await this.play(step.steps);
    }
  }

  async call(step) {
    const rpc = step.call;
    const at = step.at ?? "main";
    const credential = this.world.servers[at].key ?? this.world.callers[step.as ?? "all"];
    const now = await this.now();
    let reply;
    try {
      reply = await call(this.clients[at], rpc, this.fill(step.request, now), credential);
    } catch (error) {
      const got = readError(error);
      console.log(rpc, got.status, got.reason);
      this.expectError(step.error, got);
      return;
    }
    console.log(rpc, "OK", reply.verdict ?? reply.state ?? "");
    if (step.error) throw new Wrong(`${rpc} succeeded, expected ${step.error.reason}`);
    for (const [path, wanted] of Object.entries(step.reply)) this.expect(path, wanted, atPath(reply, path), now);
    for (const [name, path] of Object.entries(step.save ?? {})) this.saved[name] = atPath(reply, path);
  }

  expect(path, wanted, got, now) {
    let right;
    if (wanted?.set !== undefined) right = Boolean(got) === wanted.set;
    else if (wanted?.count !== undefined) right = got.length === wanted.count;
    else if (wanted?.in !== undefined) right = got?.seconds === now + wanted.in;
    else right = got === this.fill(wanted, now);
    if (!right) throw new Wrong(`${path}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`);
  }

  expectError(error, got) {
    const wanted = { status: "OK", reason: "", fields: [], limit: "", retry: null, ...error };
    if (JSON.stringify(wanted) !== JSON.stringify(got)) throw new Wrong(`expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`);
  }

  async readMessage(step) {
    const messages = JSON.parse(await this.test("GET", `messages?to=${encodeURIComponent(this.fill(step.message, 0))}`));
    if (messages.length !== (step.count ?? messages.length)) throw new Wrong(`expected ${step.count} messages, got ${messages.length}`);
    if (!PATTERNS[step.find]) return;
    const found = messages.at(-1).text.match(PATTERNS[step.find]);
    if (!found) throw new Wrong(`no ${step.find} in the newest message`);
    this.saved[step.save] = found[0];
  }

  fill(value, now) {
    if (typeof value === "string") return value.replace(/\{([^}]*)\}/g, (_, words) => this.placeholder(words.split(" "), now));
    if (typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.fill(item, now)]));
  }

  placeholder([word, ...more], now) {
    switch (word) {
      case "totp": return totp(this.saved[more[0]], now, Number(more[1] ?? 0));
      case "wrong": {
        const near = [-3, -2, -1, 0, 1, 2, 3].map((steps) => totp(this.saved[more[0]], now, steps));
        return [0, 1, 2, 3, 4, 5, 6, 7].map(sixDigits).find((code) => !near.includes(code));
      }
      case "other_than": return sixDigits((Number(this.saved[more[0]]) + 1) % 1_000_000);
      case "uuid": return (this.saved[`uuid ${more[0]}`] ??= randomUUID());
      case "long": return "x".repeat(Number(more[0]));
      case "lower": return this.placeholder(more, now).toLowerCase().replaceAll("-", "");
      case "typo": {
        const code = this.placeholder(more, now);
        return code.slice(0, -1) + (code.endsWith("0") ? "1" : "0");
      }
      default: {
        const [name, item] = word.split(".");
        return item ? this.saved[name][Number(item)] : this.saved[name];
      }
    }
  }

  async now() {
    return Number(await this.test("GET", "clock"));
  }

  async test(method, what) {
    const reply = await fetch(`${this.world.web}/test/${what}`, { method, headers: { authorization: this.world.callers.all } });
    if (!reply.ok) throw new Wrong(`${what}: ${reply.status}`);
    return reply.text();
  }
}

function call(client, rpc, request, credential) {
  const metadata = new grpc.Metadata();
  if (credential) metadata.set("authorization", credential);
  const options = { deadline: Date.now() + 60_000 };
  if (client[rpc]) return promisify(client[rpc]).call(client, request, metadata, options);
  const raw = (bytes) => bytes;
  return promisify(client.makeUnaryRequest).call(client, `/mfa.v1.MfaService/${rpc}`, raw, raw, Buffer.alloc(0), metadata, options);
}

function readError(error) {
  const { ErrorInfo, BadRequest, RetryInfo } = readDetails(error);
  return {
    status: grpc.status[error.code],
    reason: ErrorInfo?.reason ?? "",
    fields: (BadRequest?.fieldViolations ?? []).map((violation) => violation.field).sort(),
    limit: ErrorInfo?.metadata.limit ?? "",
    retry: RetryInfo ? RetryInfo.retryDelay.seconds + (RetryInfo.retryDelay.nanos > 0 ? 1 : 0) : null,
  };
}

function totp(secret, seconds, steps) {
  const bits = [...secret].map((symbol) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(symbol).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((eight) => parseInt(eight, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30) + steps));
  const digest = createHmac("sha1", key).update(counter).digest();
  return sixDigits((digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff) % 1_000_000);
}

const sixDigits = (number) => String(number).padStart(6, "0");
const atPath = (reply, path) => path.split(".").reduce((message, part) => message?.[part], reply);

const world = JSON.parse(readFileSync(process.argv[2], "utf8"));
const clients = Object.fromEntries(Object.entries(world.servers).map(([name, { address, ca }]) => {
  const { protocol, host } = new URL(address);
  const credentials = protocol === "https:" ? grpc.credentials.createSsl(readFileSync(ca)) : grpc.credentials.createInsecure();
  return [name, new mfa.v1.MfaService(host, credentials)];
}));
for (const [index, file] of readdirSync(world.scenarios).filter((name) => name.endsWith(".json")).sort().entries()) {
  const name = file.replace(".json", "");
  try {
    await new Story(world, clients, name, index).play(JSON.parse(readFileSync(`${world.scenarios}/${file}`, "utf8")).steps);
    console.log("ok", name);
  } catch (wrong) {
    process.exitCode = 1;
    console.log(`FAILED ${name}: ${wrong.message}`);
  }
}
for (const client of Object.values(clients)) client.close();
