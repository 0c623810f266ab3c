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
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { readDetails } from "./errors.mjs";
import type { ProtoGrpcType } from "./types/mfa_service.js";
import type { EnableResponse__Output as Enrolled } from "./types/mfa/v1/EnableResponse.js";
import type { GetTokenResponse__Output as Sent } from "./types/mfa/v1/GetTokenResponse.js";
import type { MfaServiceClient } from "./types/mfa/v1/MfaService.js";
import type { VerifyResponse__Output as Answer } from "./types/mfa/v1/VerifyResponse.js";

const beside = (path: string) => fileURLToPath(new URL(path, import.meta.url));
// As the types were generated: enums by their names, whole numbers, no field left out.
const options = { includeDirs: [beside("protos")], enums: String, longs: Number, defaults: true };
const { mfa } = grpc.loadPackageDefinition(loadSync("mfa/v1/mfa_service.proto", options)) as unknown as ProtoGrpcType;

class SecondFactor {
  private readonly client: MfaServiceClient;
  private readonly metadata = new grpc.Metadata();

  constructor(endpoint: string, apiKey: string, caFile?: string) {
    const { protocol, host } = new URL(endpoint);
    const credentials = protocol === "https:"
      ? grpc.credentials.createSsl(caFile ? readFileSync(caFile) : null)
      : grpc.credentials.createInsecure(); // loopback only
    // Repeats calls that did not reach the server. Safe because each carries a request id.
    this.client = new mfa.v1.MfaService(host, credentials, { "grpc.service_config": readFileSync(beside("retry.json"), "utf8") });
    this.metadata.set("authorization", `Bearer ${apiKey}`);
  }

  enrol(account: string, email = "") {
    const method = email ? "METHOD_EMAIL" : "METHOD_AUTHENTICATOR";
    return ask<Enrolled>((then) => this.client.enable({ account, email, method }, this.metadata, soon(), then));
  }

  verify(account: string, code: string, enrollmentId = "") {
    return ask<Answer>((then) => this.client.verify({ account, code, enrollmentId, requestId: randomUUID() }, this.metadata, soon(), then));
  }

  send(account: string) {
    return ask<Sent>((then) => this.client.getToken({ account, requestId: randomUUID() }, this.metadata, soon(), then));
  }
}

const soon = () => ({ deadline: Date.now() + 20_000 });

/** A call as a promise. */
function ask<Reply>(call: (then: grpc.requestCallback<Reply>) => void): Promise<Reply> {
  return new Promise((resolve, reject) => call((error, reply) => (error || !reply ? reject(error) : resolve(reply))));
}

/** What went wrong, in one line: the reason to branch on, the server's words, and when to come back. */
function explain(error: grpc.ServiceError): string {
  const { message, ErrorInfo, RetryInfo } = readDetails(error);
  if (ErrorInfo) return `${ErrorInfo.reason}: ${message}${RetryInfo ? ` Come back in ${RetryInfo.retryDelay.seconds} s.` : ""}`;
  // No word from the server: the call never got there.
  if (/certificate/i.test(error.details)) return `NOT_TRUSTED: the server's certificate was not accepted. ${error.details}`;
  return `CANNOT_REACH: ${error.details ?? error.message}`;
}

async function main(verb = "", account = "", ...more: string[]): Promise<number> {
  const { MFA_ENDPOINT = "http://127.0.0.1:7443", MFA_API_KEY = "", MFA_CACERT } = process.env;
  const factor = new SecondFactor(MFA_ENDPOINT, MFA_API_KEY, MFA_CACERT);
  if (verb === "enrol") {
    const pending = await factor.enrol(account, more[0]);
    console.log("enrollment", pending.enrollmentId);
    if (pending.secret) console.log("secret", pending.secret); // or show pending.qrCodeSvg
    console.log("recovery codes", ...pending.recoveryCodes);
  } else if (verb === "send") {
    console.log("sent to", (await factor.send(account)).destination);
  } else if (verb === "verify") {
    const { verdict, retryTime, attemptsRemaining } = await factor.verify(account, more[0] ?? "", more[1]);
    if (verdict === "VERDICT_ACCEPTED") {
      console.log("accepted");
      return 0;
    }
    if (verdict === "VERDICT_LOCKED") {
      // No time when only a new enrolment helps.
      console.log("locked until", retryTime ? new Date(retryTime.seconds * 1000).toISOString() : "enrolled again");
    } else { // also a verdict that this program does not know
      console.log("rejected, attempts remaining:", attemptsRemaining);
    }
    return 1;
  }
  return 0;
}

try {
  process.exitCode = await main(...process.argv.slice(2));
} catch (error) {
  console.error(explain(error as grpc.ServiceError));
  process.exitCode = 1;
}
