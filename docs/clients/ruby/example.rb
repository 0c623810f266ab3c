# A second factor from Ruby. Usage:
#
#   example.rb enrol ACCOUNT [EMAIL]          an authenticator app, or codes by e-mail
#   example.rb verify ACCOUNT CODE [ENROLLMENT]
#   example.rb send ACCOUNT                   a fresh code by e-mail
#
# Server and key: MFA_ENDPOINT, MFA_API_KEY, and MFA_CACERT for an authority of your own.
require "securerandom"
require "time"
require "google/protobuf/well_known_types"
require "google/rpc/error_details_pb"
require "google/rpc/status_pb"
require "mfa/v1/mfa_service_services_pb"

class SecondFactor
  include Mfa::V1

  RETRY = File.read(File.join(__dir__, "../retry.json"))

  def initialize(endpoint, api_key, ca_file)
    scheme, target = endpoint.split("://")
    credentials = :this_channel_is_insecure # loopback only
    credentials = GRPC::Core::ChannelCredentials.new(ca_file && File.read(ca_file)) if scheme == "https"
    # Repeats calls that did not reach the server. Safe because each carries a request_id.
    @stub = Mfa::V1::MfaService::Stub.new(target, credentials, channel_args: { "grpc.service_config" => RETRY }, timeout: 20)
    @key = { metadata: { "authorization" => "Bearer #{api_key}" } }
  end

  def enrol(account, email = "")
    method = email.empty? ? :METHOD_AUTHENTICATOR : :METHOD_EMAIL
    @stub.enable(EnableRequest.new(account: account, method: method, email: email), **@key)
  end

  def verify(account, code, enrollment_id = "")
    request = VerifyRequest.new(account: account, code: code, enrollment_id: enrollment_id, request_id: SecureRandom.uuid)
    @stub.verify(request, **@key)
  end

  def send_code(account)
    @stub.get_token(GetTokenRequest.new(account: account, request_id: SecureRandom.uuid), **@key)
  end
end

# What went wrong, in one line: the reason to branch on, the server's words, and when to come back.
def explain(error)
  status = Google::Rpc::Status.decode(error.metadata["grpc-status-details-bin"] || "")
  details = status.details.to_a
  info = details.find { |detail| detail.is(Google::Rpc::ErrorInfo) }&.unpack(Google::Rpc::ErrorInfo)
  retry_info = details.find { |detail| detail.is(Google::Rpc::RetryInfo) }&.unpack(Google::Rpc::RetryInfo)
  if info
    wait = " Come back in #{retry_info.retry_delay.seconds} s." if retry_info
    "#{info.reason}: #{status.message}#{wait}"
  # No word from the server: the call never got there.
  elsif error.details.match?(/certificate|ssl/i)
    "NOT_TRUSTED: the server's certificate was not accepted. #{error.details}"
  else
    "CANNOT_REACH: #{error.details}"
  end
end

def main(verb, account, *more)
  ca_file = ENV["MFA_CACERT"] unless ENV["MFA_CACERT"].to_s.empty?
  factor = SecondFactor.new(ENV.fetch("MFA_ENDPOINT", "http://127.0.0.1:7443"), ENV.fetch("MFA_API_KEY"), ca_file)
  case verb
  when "enrol"
    pending = factor.enrol(account, *more)
    puts "enrollment #{pending.enrollment_id}"
    puts "secret #{pending.secret}" unless pending.secret.empty? # or show pending.qr_code_svg
    puts "recovery codes #{pending.recovery_codes.to_a.join(' ')}"
  when "send"
    puts "sent to #{factor.send_code(account).destination}"
  when "verify"
    answer = factor.verify(account, *more)
    case answer.verdict
    when :VERDICT_ACCEPTED
      puts "accepted"
      return true
    when :VERDICT_LOCKED # no time when only a new enrolment helps
      puts "locked until #{answer.retry_time ? Time.at(answer.retry_time.seconds).utc.iso8601 : 'enrolled again'}"
    else # also a verdict that this program does not know
      puts "rejected, attempts remaining: #{answer.attempts_remaining}"
    end
    return false
  end
  true
end

begin
  exit main(*ARGV)
rescue GRPC::BadStatus => error
  abort explain(error)
end
