"""Plays the stories of tests/Polyglot/scenarios against a server; README.md there tells what a step means."""

import base64, hashlib, hmac, json, pathlib, re, struct, sys, urllib.request, uuid
from datetime import datetime

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from mfa.v1 import mfa_service_pb2, mfa_service_pb2_grpc

PATTERNS = {"code": r"(?<![0-9])[0-9]{6}(?![0-9])", "token": r"(?<![\w-])[\w-]{43}(?![\w-])"}


class Wrong(Exception):
    """The server did something else than the story says."""


def totp(secret, seconds, steps):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", seconds // 30 + steps), hashlib.sha1).digest()
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 1000000:06d}"


class Story:
    def __init__(self, world, stubs, name, index):
        self.world, self.stubs = world, stubs
        account = f"{world['language']}-{name}"
        self.saved = {
            "account": account,
            "other": f"{account}-other",
            "email": f"{account}@example.org",
            "phone": f"{world['phones']}{index:04d}",
        }

    def play(self, steps):
        for step in steps:
            if "call" in step:
                self.call(step)
            elif "advance" in step:
                self.test("POST", f"clock?advance={step['advance']}")
            elif "until" in step:
                self.test("POST", f"clock?advance={step['until'] - self.now() % step['until']}")
            elif "message" in step:
                self.read_message(step)
            else:
                for _ in range(step["repeat"]):
                    self.play(step["steps"])

    def call(self, step):
        rpc, at = step["call"], step.get("at", "main")
        credential = self.world["servers"][at].get("key") or self.world["callers"][step.get("as", "all")]
        metadata = [("authorization", credential)] if credential else []
        request = self.fill(step["request"])
        try:
            reply = self.stubs[at].call(rpc, request, metadata)
        except grpc.RpcError as error:
            got = read_error(error)
            print(rpc, got["status"], got["reason"])
            self.expect_error(step.get("error"), got)
            return
        print(rpc, "OK", reply.get("verdict", reply.get("state", "")))
        if "error" in step:
            raise Wrong(f"{rpc} succeeded, expected {step['error']['reason']}")
        for path, wanted in step["reply"].items():
            self.expect(path, wanted, at_path(reply, path))
        for name, path in step.get("save", {}).items():
            self.saved[name] = at_path(reply, path)

    def expect(self, path, wanted, got):
        if not isinstance(wanted, dict):
            right = got == self.fill(wanted)
        elif "set" in wanted:
            right = bool(got) == wanted["set"]
        elif "count" in wanted:
            right = len(got) == wanted["count"]
        else:
            right = bool(got) and seconds_of(got) == self.now() + wanted["in"]
        if not right:
            raise Wrong(f"{path}: expected {json.dumps(wanted)}, got {json.dumps(got)}")

    def expect_error(self, wanted, got):
        wanted = {"fields": [], "limit": "", "retry": None, **(wanted or {"status": "OK"})}
        if wanted != got:
            raise Wrong(f"expected {json.dumps(wanted)}, got {json.dumps(got)}")

    def read_message(self, step):
        messages = json.loads(self.test("GET", f"messages?to={self.fill(step['message']).replace('+', '%2B')}"))
        if len(messages) != step.get("count", len(messages)):
            raise Wrong(f"expected {step['count']} messages, got {len(messages)}")
        if step["find"] in PATTERNS:
            found = re.search(PATTERNS[step["find"]], messages[-1]["text"])
            if not found:
                raise Wrong(f"no {step['find']} in the newest message")
            self.saved[step["save"]] = found[0]

    def fill(self, value):
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        return re.sub(r"\{([^}]*)\}", lambda m: self.placeholder(m[1].split(" ")), value) if isinstance(value, str) else value

    def placeholder(self, words):
        if words[0] == "totp":
            return totp(self.saved[words[1]], self.now(), int(words[2]) if len(words) > 2 else 0)
        if words[0] == "wrong":
            now = self.now()
            near = {totp(self.saved[words[1]], now, steps) for steps in range(-3, 4)}
            return next(code for code in (f"{n:06d}" for n in range(8)) if code not in near)
        if words[0] == "other_than":
            return f"{(int(self.saved[words[1]]) + 1) % 1000000:06d}"
        if words[0] == "uuid":
            return self.saved.setdefault(f"uuid {words[1]}", str(uuid.uuid4()))
        if words[0] == "long":
            return "x" * int(words[1])
        if words[0] == "lower":
            return self.placeholder(words[1:]).lower().replace("-", "")
        if words[0] == "typo":
            code = self.placeholder(words[1:])
            return code[:-1] + ("1" if code[-1] == "0" else "0")
        name, _, item = words[0].partition(".")
        return self.saved[name][int(item)] if item else self.saved[name]

    def now(self):
        return int(self.test("GET", "clock"))

    def test(self, method, what):
        request = urllib.request.Request(f"{self.world['web']}/test/{what}", method=method)
        request.add_header("authorization", self.world["callers"]["all"])
        return urllib.request.urlopen(request).read().decode()


class Stub:
    """The generated stub, with requests and replies in the contract's JSON form."""

    def __init__(self, server):
        scheme, _, target = server["address"].partition("://")
        if scheme == "https":
            trusted = grpc.ssl_channel_credentials(pathlib.Path(server["ca"]).read_bytes())
            self.channel = grpc.secure_channel(target, trusted)
        else:
            self.channel = grpc.insecure_channel(target)
        self.stub = mfa_service_pb2_grpc.MfaServiceStub(self.channel)

    def call(self, rpc, request, metadata):
        method = getattr(self.stub, rpc, None)
        if method is None:
            method = self.channel.unary_unary(f"/mfa.v1.MfaService/{rpc}", lambda _: b"", lambda data: data)
            return method(None, metadata=metadata, timeout=60)
        message = json_format.ParseDict(request, getattr(mfa_service_pb2, f"{rpc}Request")())
        reply = method(message, metadata=metadata, timeout=60)
        return json_format.MessageToDict(reply, including_default_value_fields=True, preserving_proto_field_name=True)


def read_error(error):
    status = status_pb2.Status()
    status.ParseFromString(dict(error.trailing_metadata()).get("grpc-status-details-bin", b""))
    got = {"status": error.code().name, "reason": "", "fields": [], "limit": "", "retry": None}
    for detail in status.details:
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            got["reason"], got["limit"] = info.reason, info.metadata.get("limit", "")
        elif detail.Unpack(bad):
            got["fields"] = sorted(violation.field for violation in bad.field_violations)
        elif detail.Unpack(retry):
            got["retry"] = retry.retry_delay.seconds + (retry.retry_delay.nanos > 0)
    return got


def at_path(reply, path):
    for part in path.split("."):
        reply = reply.get(part) if reply else None
    return reply


def seconds_of(time):
    return int(datetime.fromisoformat(re.sub(r"(\.[0-9]+)?Z$", "+00:00", time)).timestamp())


def main(world_file):
    world = json.loads(pathlib.Path(world_file).read_text())
    stubs = {name: Stub(server) for name, server in world["servers"].items()}
    failed = False
    for index, file in enumerate(sorted(pathlib.Path(world["scenarios"]).glob("*.json"))):
        try:
            Story(world, stubs, file.stem, index).play(json.loads(file.read_text())["steps"])
            print("ok", file.stem)
        except Exception as wrong:
            failed = True
            print(f"FAILED {file.stem}: {wrong!r}")
    return failed


sys.exit(main(sys.argv[1]))
