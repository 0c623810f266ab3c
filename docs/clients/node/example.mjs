// A second factor from Node.js. Usage:
//
//   example.mjs enrol ACCOUNT [EMAIL]          an authenticator app, or codes by e-mail
//   example.mjs verify ACCOUNT CODE [ENROLLMENT]
//   example.mjs send ACCOUNT                   a fresh code by e-mail
//
// Server and key: MFA_ENDPOINT, MFA_API_KEY, and MFA_CACERT for an authority of your own.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { readDetails } from "./errors.mjs";

const beside = (path) => fileURLToPath(new URL(path, import.meta.url));
const { mfa } = grpc.loadPackageDefinition(
  loadSync("mfa/v1/mfa_service.proto", { includeDirs: [beside("../../../protos")], enums: String, longs: Number, defaults: true }),
);

class SecondFactor {
  constructor(endpoint, apiKey, caFile) {
    const { protocol, host } = new URL(endpoint);
    const credentials = protocol === "https:"
      ? grpc.credentials.createSsl(caFile ? readFileSync(caFile) : null)
      : grpc.credentials.createInsecure(); // loopback only
    // Repeats calls that did not reach the server. Safe because each carries a request id.
    const options = { "grpc.service_config": readFileSync(beside("../retry.json"), "utf8") };
    this.client = new mfa.v1.MfaService(host, credentials, options);
    this.metadata = new grpc.Metadata();
    this.metadata.set("authorization", `Bearer ${apiKey}`);
  }

  call(rpc, request) {
    return promisify(this.client[rpc]).call(this.client, request, this.metadata, { deadline: Date.now() + 20_000 });
  }

  enrol(account, email = "") {
    return this.call("Enable", { account, email, method: email ? "METHOD_EMAIL" : "METHOD_AUTHENTICATOR" });
  }

  verify(account, code, enrollmentId = "") {
    return this.call("Verify", { account, code, enrollmentId, requestId: randomUUID() });
  }

  send(account) {
    return this.call("GetToken", { account, requestId: randomUUID() });
  }
}

/** What went wrong, in one line: the reason to branch on, the server's words, and when to come back. */
function explain(error) {
  const { message, ErrorInfo, RetryInfo } = readDetails(error);
  if (ErrorInfo) return `${ErrorInfo.reason}: ${message}${RetryInfo ? ` Come back in ${RetryInfo.retryDelay.seconds} s.` : ""}`;
  // No word from the server: the call never got there.
  if (/certificate/i.test(error.details)) return `NOT_TRUSTED: the server's certificate was not accepted. ${error.details}`;
  return `CANNOT_REACH: ${error.details ?? error.message}`;
}

async function main(verb, account, ...more) {
  const { MFA_ENDPOINT = "http://127.0.0.1:7443", MFA_API_KEY, MFA_CACERT } = process.env;
  const factor = new SecondFactor(MFA_ENDPOINT, MFA_API_KEY, MFA_CACERT);
  if (verb === "enrol") {
    const pending = await factor.enrol(account, ...more);
    console.log("enrollment", pending.enrollmentId);
    if (pending.secret) console.log("secret", pending.secret); // or show pending.qrCodeSvg
    console.log("recovery codes", ...pending.recoveryCodes);
  } else if (verb === "send") {
    console.log("sent to", (await factor.send(account)).destination);
  } else if (verb === "verify") {
    const answer = await factor.verify(account, ...more);
    if (answer.verdict === "VERDICT_ACCEPTED") {
      console.log("accepted");
      return 0;
    }
    if (answer.verdict === "VERDICT_LOCKED") {
      // No time when only a new enrolment helps.
      console.log("locked until", answer.retryTime ? new Date(answer.retryTime.seconds * 1000).toISOString() : "enrolled again");
    } else { // also a verdict that this program does not know
      console.log("rejected, attempts remaining:", answer.attemptsRemaining);
    }
    return 1;
  }
  return 0;
}

try {
  process.exitCode = await main(...process.argv.slice(2));
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
