// The generated stub, with requests and replies in the contract's JSON form.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/grpcpp.h>
#include <nlohmann/json.hpp>

#include "mfa/v1/mfa_service.grpc.pb.h"

class Server {
 public:
  explicit Server(const nlohmann::json& server);

  // The error, if any, in the form that stories expect; otherwise fills the reply.
  nlohmann::json Call(const std::string& rpc, const nlohmann::json& request, const std::string& credential, nlohmann::json* reply);

  // The credential of this server alone; empty for those of the world.
  const std::string key;

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<mfa::v1::MfaService::Stub> stub_;
};
