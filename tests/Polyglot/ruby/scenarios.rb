# Plays the stories of tests/Polyglot/scenarios against a server; README.md there tells what a step means.
require "json"
require "net/http"
require "openssl"
require "securerandom"
require "time"
require "google/protobuf/well_known_types"
require "google/rpc/error_details_pb"
require "google/rpc/status_pb"
require "mfa/v1/mfa_service_services_pb"

PATTERNS = { "code" => /(?<![0-9])[0-9]{6}(?![0-9])/, "token" => /(?<![\w-])[\w-]{43}(?![\w-])/ }.freeze
STATUS = GRPC::Core::StatusCodes.constants.to_h { |name| [GRPC::Core::StatusCodes.const_get(name), name.to_s] }.freeze

class Wrong < StandardError; end

# The generated stub, with requests and replies in the contract's JSON form.
class Server
  attr_reader :key

  def initialize(server)
    scheme, target = server["address"].split("://")
    credentials = scheme == "https" ? GRPC::Core::ChannelCredentials.new(File.read(server["ca"])) : :this_channel_is_insecure
    @stub = Mfa::V1::MfaService::Stub.new(target, credentials, timeout: 60)
    @key = server["key"]
  end

  def call(rpc, request, credential)
    metadata = credential.empty? ? {} : { "authorization" => credential }
    unless Mfa::V1::MfaService::Service.rpc_descs.key?(rpc.to_sym)
      return @stub.request_response("/mfa.v1.MfaService/#{rpc}", nil, ->(_) { "" }, ->(bytes) { bytes }, metadata: metadata)
    end
    message = Mfa::V1.const_get("#{rpc}Request").decode_json(JSON.generate(request))
    reply = @stub.public_send(GRPC::GenericService.underscore(rpc.dup), message, metadata: metadata)
    JSON.parse(reply.class.encode_json(reply, preserve_proto_fieldnames: true, emit_defaults: true))
  end
end

class Story
  def initialize(world, servers, name, index)
    @world = world
    @servers = servers
    account = "#{world['language']}-#{name}"
    @saved = {
      "account" => account, "other" => "#{account}-other", "email" => "#{account}@example.org",
      "phone" => format("%s%04d", world["phones"], index)
    }
  end

  def play(steps)
    steps.each do |step|
      case step
      in { call: } then call(step)
      in { advance: } then test(:Post, "clock?advance=#{advance}")
      in { until: multiple } then test(:Post, "clock?advance=#{multiple - now % multiple}")
      in { message: } then read_message(step)
      in { repeat:, steps: again } then repeat.times { play(again) }
      end
    end
  end

  private

  def call(step)
    server = @servers[step.fetch(:at, "main")]
    credential = server.key || @world["callers"][step.fetch(:as, "all")]
    @now = now
    begin
      reply = server.call(step[:call], fill(step[:request]), credential)
    rescue GRPC::BadStatus => error
      got = read_error(error)
      puts "#{step[:call]} #{got[:status]} #{got[:reason]}"
      wanted = { status: "OK", reason: "", fields: [], limit: "", retry: nil }.merge(step[:error] || {})
      raise Wrong, "expected #{wanted}, got #{got}" unless wanted == got
      return
    end
    puts "#{step[:call]} OK #{reply['verdict'] || reply['state']}"
    raise Wrong, "#{step[:call]} succeeded, expected #{step[:error][:reason]}" if step[:error]
    step[:reply].each { |path, wanted| expect(path, wanted, at_path(reply, path)) }
    step.fetch(:save, {}).each { |name, path| @saved[name.to_s] = at_path(reply, path) }
  end

  def expect(path, wanted, got)
    right =
      case wanted
      in { set: } then (!got.nil? && got != "") == set
      in { count: } then got.length == count
      in { in: seconds } then !got.nil? && Time.parse(got).to_i == @now + seconds
      else got == fill(wanted)
      end
    raise Wrong, "#{path}: expected #{wanted}, got #{got}" unless right
  end

  def read_error(error)
    status = Google::Rpc::Status.decode(error.metadata["grpc-status-details-bin"] || "")
    got = { status: STATUS[error.code], reason: "", fields: [], limit: "", retry: nil }
    status.details.each do |detail|
      if detail.is(Google::Rpc::ErrorInfo)
        info = detail.unpack(Google::Rpc::ErrorInfo)
        got.merge!(reason: info.reason, limit: info.metadata["limit"] || "")
      elsif detail.is(Google::Rpc::BadRequest)
        got[:fields] = detail.unpack(Google::Rpc::BadRequest).field_violations.map(&:field).sort
      elsif detail.is(Google::Rpc::RetryInfo)
        delay = detail.unpack(Google::Rpc::RetryInfo).retry_delay
        got[:retry] = delay.seconds + (delay.nanos.positive? ? 1 : 0)
      end
    end
    got
  end

  def read_message(step)
    messages = JSON.parse(test(:Get, "messages?to=#{URI.encode_www_form_component(fill(step[:message]))}"))
    count = step.fetch(:count, messages.length)
    raise Wrong, "expected #{count} messages, got #{messages.length}" unless messages.length == count
    return unless PATTERNS.key?(step[:find])
    found = messages.last["text"][PATTERNS[step[:find]]] or raise Wrong, "no #{step[:find]} in the newest message"
    @saved[step[:save]] = found
  end

  def fill(value)
    case value
    when String then value.gsub(/\{([^}]*)\}/) { placeholder(*Regexp.last_match(1).split) }
    when Hash then value.transform_values { |item| fill(item) }
    else value
    end
  end

  def placeholder(word, *more)
    case word
    when "totp" then totp(@saved[more[0]], more[1].to_i)
    when "wrong" then ((0..7).map { |number| format("%06d", number) } - (-3..3).map { |steps| totp(@saved[more[0]], steps) }).first
    when "other_than" then format("%06d", (@saved[more[0]].to_i + 1) % 1_000_000)
    when "uuid" then @saved["uuid #{more[0]}"] ||= SecureRandom.uuid
    when "long" then "x" * more[0].to_i
    when "lower" then placeholder(*more).downcase.delete("-")
    when "typo" then placeholder(*more).then { |code| code[...-1] + (code.end_with?("0") ? "1" : "0") }
    else
      name, item = word.split(".")
      item ? @saved[name][item.to_i] : @saved[name]
    end
  end

  def totp(secret, steps)
    bits = secret.chars.map { |symbol| format("%05b", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".index(symbol)) }.join
    key = [bits[0, bits.length / 8 * 8]].pack("B*")
    digest = OpenSSL::HMAC.digest("SHA1", key, [@now / 30 + steps].pack("Q>"))
    format("%06d", (digest[digest[-1].ord & 15, 4].unpack1("N") & 0x7fffffff) % 1_000_000)
  end

  def at_path(reply, path)
    path.to_s.split(".").reduce(reply) { |message, part| message && message[part] }
  end

  def now = test(:Get, "clock").to_i

  def test(method, what)
    uri = URI("#{@world['web']}/test/#{what}")
    request = Net::HTTP.const_get(method).new(uri, "authorization" => @world["callers"]["all"])
    reply = Net::HTTP.start(uri.host, uri.port, nil) { |http| http.request(request) }
    raise Wrong, "#{what}: #{reply.code}" unless reply.is_a?(Net::HTTPOK)
    reply.body
  end
end

$stdout.sync = true
world = JSON.parse(File.read(ARGV[0]))
servers = world["servers"].transform_values { |server| Server.new(server) }
failed = false
Dir["#{world['scenarios']}/*.json"].sort.each_with_index do |file, index|
  name = File.basename(file, ".json")
  Story.new(world, servers, name, index).play(JSON.parse(File.read(file), symbolize_names: true)[:steps])
  puts "ok #{name}"
rescue StandardError => wrong
  failed = true
  puts "FAILED #{name}: #{wrong.message}"
end
exit !failed
