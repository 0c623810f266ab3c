// What errors of the service carry: google.rpc.Status and its details, in the trailer grpc-status-details-bin.
import protobuf from "protobufjs";

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
const KNOWN = ["ErrorInfo", "RetryInfo", "BadRequest"];
const type = (name) => root.lookupType(`google.rpc.${name}`);

/**
 * @param {import("@grpc/grpc-js").ServiceError} error
 * @returns {{message: string, ErrorInfo?: any, RetryInfo?: any, BadRequest?: any}} each detail under its name
 */
export function readDetails(error) {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!bytes) return { message: "" };
  const status = type("Status").decode(/** @type {Buffer} */ (bytes));
  const details = { message: status.message };
  for (const { typeUrl, value } of status.details) {
    const name = typeUrl.split("/google.rpc.")[1];
    if (KNOWN.includes(name)) details[name] = type(name).toObject(type(name).decode(value), { longs: Number, defaults: true });
  }
  return details;
}
