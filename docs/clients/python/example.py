"""A second factor from Python. Usage:

    example.py enrol ACCOUNT [EMAIL]          an authenticator app, or codes by e-mail
    example.py verify ACCOUNT CODE [ENROLLMENT]
    example.py send ACCOUNT                   a fresh code by e-mail

Server and key: MFA_ENDPOINT, MFA_API_KEY, and MFA_CACERT for an authority of your own.
"""

import os
import pathlib
import sys
import uuid

import grpc
from google.rpc import error_details_pb2, status_pb2
from mfa.v1 import mfa_service_pb2 as mfa
from mfa.v1 import mfa_service_pb2_grpc

RETRY = pathlib.Path(__file__).parent.parent / "retry.json"


class SecondFactor:
    def __init__(self, endpoint, api_key, ca_file=None):
        scheme, _, target = endpoint.partition("://")
        # Repeats calls that did not reach the server. Safe because each carries a request_id.
        options = [("grpc.service_config", RETRY.read_text())]
        if scheme == "https":
            ca = pathlib.Path(ca_file).read_bytes() if ca_file else None
            channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(ca), options)
        else:
            channel = grpc.insecure_channel(target, options)  # loopback only
        self._stub = mfa_service_pb2_grpc.MfaServiceStub(channel)
        self._call = {"metadata": [("authorization", f"Bearer {api_key}")], "timeout": 20}

    def enrol(self, account, email=""):
        method = mfa.METHOD_EMAIL if email else mfa.METHOD_AUTHENTICATOR
        return self._stub.Enable(mfa.EnableRequest(account=account, method=method, email=email), **self._call)

    def verify(self, account, code, enrollment_id=""):
        request = mfa.VerifyRequest(account=account, code=code, enrollment_id=enrollment_id, request_id=str(uuid.uuid4()))
        return self._stub.Verify(request, **self._call)

    def send(self, account):
        return self._stub.GetToken(mfa.GetTokenRequest(account=account, request_id=str(uuid.uuid4())), **self._call)


def explain(error):
    """What went wrong, in one line: the reason to branch on, the server's words, and when to come back."""
    status = status_pb2.Status()
    status.ParseFromString(dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b""))
    line, info, retry = "", error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(info):
            line = f"{info.reason}: {status.message}"
        elif detail.Unpack(retry):
            line += f" Come back in {retry.retry_delay.seconds} s."
    if line:
        return line
    # No word from the server: the call never got there.
    if "certificate" in error.details().lower() or "ssl" in error.details().lower():
        return f"NOT_TRUSTED: the server's certificate was not accepted. {error.details()}"
    return f"CANNOT_REACH: {error.code().name}: {error.details()}"


def main(verb, account, *more):
    factor = SecondFactor(
        os.environ.get("MFA_ENDPOINT", "http://127.0.0.1:7443"), os.environ["MFA_API_KEY"], os.environ.get("MFA_CACERT")
    )
    if verb == "enrol":
        pending = factor.enrol(account, *more)
        print("enrollment", pending.enrollment_id)
        if pending.secret:
            print("secret", pending.secret)  # or show pending.qr_code_svg
        print("recovery codes", *pending.recovery_codes)
    elif verb == "send":
        print("sent to", factor.send(account).destination)
    elif verb == "verify":
        answer = factor.verify(account, *more)
        if answer.verdict == mfa.VERDICT_ACCEPTED:
            print("accepted")
            return 0
        if answer.verdict == mfa.VERDICT_LOCKED:
            # Unset when only a new enrolment helps.
            until = answer.retry_time.ToJsonString() if answer.HasField("retry_time") else "enrolled again"
            print("locked until", until)
        else:  # also a verdict that this program does not know
            print("rejected, attempts remaining:", answer.attempts_remaining)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except grpc.RpcError as failure:
        sys.exit(explain(failure))
