// What errors of the service carry: google.rpc.Status and its details, in the trailer grpc-status-details-bin.
import type { ServiceError } from "@grpc/grpc-js";
import protobuf from "protobufjs";

/** Each detail under its name. */
export interface Details {
  message: string;
  ErrorInfo?: { reason: string; domain: string; metadata: Record<string, string> };
  RetryInfo?: { retryDelay: { seconds: number; nanos: number } };
  BadRequest?: { fieldViolations: { field: string; description: string }[] };
}

// From https://github.com/googleapis/googleapis, google/rpc: the messages that this service sends, in short.
const { root } = protobuf.parse(`
  syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message RetryInfo { Duration retry_delay = 1; }
  message BadRequest {
    message FieldViolation { string field = 1; string description = 2; }
    repeated FieldViolation field_violations = 1;
  }`);

function decode(name: string, bytes: Uint8Array): Record<string, unknown> {
  const type = root.lookupType(`google.rpc.${name}`);
  return type.toObject(type.decode(bytes), { longs: Number, defaults: true });
}

export function readDetails(error: ServiceError): Details {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!(bytes instanceof Uint8Array)) return { message: "" }; // not the server's word
  const status = decode("Status", bytes) as { message: string; details: { typeUrl: string; value: Uint8Array }[] };
  const details: Record<string, unknown> = { message: status.message };
  for (const { typeUrl, value } of status.details) {
    const name = typeUrl.split("/google.rpc.")[1];
    if (name === "ErrorInfo" || name === "RetryInfo" || name === "BadRequest") details[name] = decode(name, value);
  }
  return details as unknown as Details;
}
