#include "server.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include <google/protobuf/util/json_util.h>
#include <grpcpp/impl/codegen/client_unary_call.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

using mfa::v1::MfaService;
using nlohmann::json;

namespace {

std::string Read(const std::string& file) {
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

const std::map<int, std::string> kNames = {
    {3, "INVALID_ARGUMENT"}, {7, "PERMISSION_DENIED"}, {8, "RESOURCE_EXHAUSTED"}, {9, "FAILED_PRECONDITION"}, {10, "ABORTED"},
    {12, "UNIMPLEMENTED"},   {13, "INTERNAL"},         {14, "UNAVAILABLE"},       {16, "UNAUTHENTICATED"},
};

json ReadError(const grpc::Status& failed) {
  json got = {{"status", kNames.at(failed.error_code())}, {"reason", ""}, {"fields", json::array()}, {"limit", ""}, {"retry", nullptr}};
  google::rpc::Status status;
  status.ParseFromString(failed.error_details());
  for (const auto& detail : status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      got["reason"] = info.reason();
      if (info.metadata().contains("limit")) got["limit"] = info.metadata().at("limit");
    } else if (detail.UnpackTo(&bad)) {
      for (const auto& violation : bad.field_violations()) got["fields"].push_back(violation.field());
      std::sort(got["fields"].begin(), got["fields"].end());
    } else if (detail.UnpackTo(&retry)) {
      got["retry"] = retry.retry_delay().seconds() + (retry.retry_delay().nanos() > 0 ? 1 : 0);
    }
  }
  return got;
}

template <class Request, class Reply>
grpc::Status Send(MfaService::Stub& stub, grpc::Status (MfaService::Stub::*rpc)(grpc::ClientContext*, const Request&, Reply*),
                  grpc::ClientContext* context, const json& request, json* reply) {
  Request message;
  const auto read = google::protobuf::util::JsonStringToMessage(request.dump(), &message);
  if (!read.ok()) throw std::runtime_error(read.ToString());
  Reply answer;
  const auto status = (stub.*rpc)(context, message, &answer);
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = options.always_print_primitive_fields = true;
  std::string text;
  (void)google::protobuf::util::MessageToJsonString(answer, &text, options);
  *reply = json::parse(text);
  return status;
}

}  // namespace

Server::Server(const json& server) : key(server.value("key", "")) {
  const std::string address = server.at("address");
  auto credentials = grpc::InsecureChannelCredentials();
  if (server.contains("ca")) credentials = grpc::SslCredentials({Read(server.at("ca")), "", ""});
  channel_ = grpc::CreateChannel(address.substr(address.find("://") + 3), credentials);
  stub_ = MfaService::NewStub(channel_);
}

json Server::Call(const std::string& rpc, const json& request, const std::string& credential, json* reply) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
  if (!credential.empty()) context.AddMetadata("authorization", credential);
  using Stub = MfaService::Stub;
  const auto send = [&] {
    if (rpc == "Enable") return Send(*stub_, &Stub::Enable, &context, request, reply);
    if (rpc == "Verify") return Send(*stub_, &Stub::Verify, &context, request, reply);
    if (rpc == "GetToken") return Send(*stub_, &Stub::GetToken, &context, request, reply);
    if (rpc == "Disable") return Send(*stub_, &Stub::Disable, &context, request, reply);
    if (rpc == "ConfirmDisable") return Send(*stub_, &Stub::ConfirmDisable, &context, request, reply);
    if (rpc == "GetStatus") return Send(*stub_, &Stub::GetStatus, &context, request, reply);
    if (rpc == "RegenerateRecoveryCodes") return Send(*stub_, &Stub::RegenerateRecoveryCodes, &context, request, reply);
    const auto path = "/mfa.v1.MfaService/" + rpc;
    const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, channel_);
    mfa::v1::GetStatusResponse nothing;
    return grpc::internal::BlockingUnaryCall<mfa::v1::GetStatusRequest, mfa::v1::GetStatusResponse>(channel_.get(), method, &context, {}, &nothing);
  };
  const auto status = send();
  return status.ok() ? json() : ReadError(status);
}
