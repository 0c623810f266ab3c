// A second factor from C++. Usage:
//
//   example enrol ACCOUNT [EMAIL]          an authenticator app, or codes by e-mail
//   example verify ACCOUNT CODE [ENROLLMENT]
//   example send ACCOUNT                   a fresh code by e-mail
//
// Server and key: MFA_ENDPOINT, MFA_API_KEY, and MFA_CACERT for an authority of your own.
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "mfa/v1/mfa_service.grpc.pb.h"

using namespace mfa::v1;

std::string Read(const std::string& file) {
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string NewUuid() {
  std::random_device random;  // the system's generator
  char text[37];
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-%x%03x-%08x%04x", random(), random() & 0xffff, random() & 0xfff,
                8 | (random() & 3), random() & 0xfff, random(), random() & 0xffff);
  return text;
}

class Failed : public std::exception {
 public:
  explicit Failed(grpc::Status status) : status(std::move(status)) {}
  const grpc::Status status;
};

class SecondFactor {
 public:
  SecondFactor(const std::string& endpoint, std::string api_key, const std::string& ca_file) : key_(std::move(api_key)) {
    auto credentials = grpc::InsecureChannelCredentials();  // loopback only
    if (endpoint.rfind("https://", 0) == 0) {
      grpc::SslCredentialsOptions options;
      if (!ca_file.empty()) options.pem_root_certs = Read(ca_file);
      credentials = grpc::SslCredentials(options);
    }
    // Repeats calls that did not reach the server. Safe because each carries a request_id.
    grpc::ChannelArguments arguments;
    arguments.SetServiceConfigJSON(Read("docs/clients/retry.json"));
    auto target = endpoint.substr(endpoint.find("://") + 3);
    stub_ = MfaService::NewStub(grpc::CreateCustomChannel(target, credentials, arguments));
  }

  EnableResponse Enrol(const std::string& account, const std::string& email) {
    EnableRequest request;
    request.set_account(account);
    request.set_method(email.empty() ? METHOD_AUTHENTICATOR : METHOD_EMAIL);
    request.set_email(email);
    return Call(&MfaService::Stub::Enable, request);
  }

  VerifyResponse Verify(const std::string& account, const std::string& code, const std::string& enrollment_id) {
    VerifyRequest request;
    request.set_account(account);
    request.set_code(code);
    request.set_enrollment_id(enrollment_id);
    request.set_request_id(NewUuid());
    return Call(&MfaService::Stub::Verify, request);
  }

  GetTokenResponse Send(const std::string& account) {
    GetTokenRequest request;
    request.set_account(account);
    request.set_request_id(NewUuid());
    return Call(&MfaService::Stub::GetToken, request);
  }

 private:
  template <class Request, class Reply>
  Reply Call(grpc::Status (MfaService::Stub::*rpc)(grpc::ClientContext*, const Request&, Reply*), const Request& request) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + key_);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    Reply reply;
    auto status = ((*stub_).*rpc)(&context, request, &reply);
    if (!status.ok()) throw Failed(status);
    return reply;
  }

  std::string key_;
  std::unique_ptr<MfaService::Stub> stub_;
};

// What went wrong, in one line: the reason to branch on, the server's words, and when to come back.
std::string Explain(const grpc::Status& failed) {
  google::rpc::Status status;
  status.ParseFromString(failed.error_details());
  std::string line;
  for (const auto& detail : status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) line = info.reason() + ": " + status.message();
    if (detail.UnpackTo(&retry)) line += " Come back in " + std::to_string(retry.retry_delay().seconds()) + " s.";
  }
  if (!line.empty()) return line;
  // No word from the server: the call never got there.
  const auto words = failed.error_message();
  if (words.find("SSL") != std::string::npos || words.find("certificate") != std::string::npos)
    return "NOT_TRUSTED: the server's certificate was not accepted. " + words;
  return "CANNOT_REACH: " + words;
}

std::string Environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

int Run(const std::string& verb, const std::string& account, std::vector<std::string> more) {
  SecondFactor factor(Environment("MFA_ENDPOINT", "http://127.0.0.1:7443"), Environment("MFA_API_KEY", ""), Environment("MFA_CACERT", ""));
  more.resize(2);
  if (verb == "enrol") {
    auto pending = factor.Enrol(account, more[0]);
    std::cout << "enrollment " << pending.enrollment_id() << "\n";
    if (!pending.secret().empty()) std::cout << "secret " << pending.secret() << "\n";  // or show qr_code_svg
    std::cout << "recovery codes";
    for (const auto& code : pending.recovery_codes()) std::cout << " " << code;
    std::cout << "\n";
  } else if (verb == "send") {
    std::cout << "sent to " << factor.Send(account).destination() << "\n";
  } else if (verb == "verify") {
    auto answer = factor.Verify(account, more[0], more[1]);
    if (answer.verdict() == VERDICT_ACCEPTED) {
      std::cout << "accepted\n";
      return 0;
    }
    if (answer.verdict() == VERDICT_LOCKED) {
      char until[32] = "enrolled again";  // no time when only a new enrolment helps
      std::time_t seconds = answer.retry_time().seconds();
      if (answer.has_retry_time()) std::strftime(until, sizeof until, "%FT%TZ", std::gmtime(&seconds));
      std::cout << "locked until " << until << "\n";
    } else {  // also a verdict that this program does not know
      std::cout << "rejected, attempts remaining: " << answer.attempts_remaining() << "\n";
    }
    return 1;
  }
  return 0;
}

int main(int count, char** words) {
  try {
    return count < 3 ? 2 : Run(words[1], words[2], {words + 3, words + count});
  } catch (const Failed& failed) {
    std::cerr << Explain(failed.status) << "\n";
    return 1;
  }
}
