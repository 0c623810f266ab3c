"""A mail server for the tests: aiosmtpd, which shares no code with the sender. Every event is one line of JSON on standard
output; mail is told as Python's own parsers read it. A line on standard input names the fault of the connections to come."""
import argparse
import asyncio
import email
import email.policy
import html.parser
import json
import ssl
import sys

try:
    from aiosmtpd.smtp import AuthResult, SMTP
except ImportError:
    sys.exit("These tests need aiosmtpd. On Debian: apt-get install python3-aiosmtpd")

FAULTS = ("none", "clear", "busy", "refuse", "drop", "mute-goodbye", "hang", "drip", "stall")


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Words(html.parser.HTMLParser):
    """The text that a browser would show, and the elements that it would make."""

    def __init__(self, text):
        super().__init__()
        self.text, self.elements = "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.text += " "

    def handle_data(self, data):
        self.text += data


class MailServer(SMTP):
    def connection_lost(self, error):
        super().connection_lost(error)
        tell("closed")


class Peer:
    def __init__(self, options):
        self.options = options
        self.fault = options.fault
        self.connections = 0
        self.tls = None
        if options.certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.certificate, options.key)

    def protocol(self):
        tell("connected")
        self.connections += 1
        if self.fault in ("hang", "drip", "stall"):
            return Mute(self.fault == "drip" or (self.fault == "stall" and self.connections % 2 == 0))
        clear = self.fault == "clear"  # offers the login, but no encryption
        return MailServer(
            self, hostname="localhost", enable_SMTPUTF8=True, tls_context=None if clear else self.tls,
            require_starttls=not clear, auth_required=bool(self.options.user), auth_require_tls=not clear,
            authenticator=self.authenticate)

    def authenticate(self, server, session, envelope, mechanism, data):
        login, password = data.login.decode(), data.password.decode()
        right = login == self.options.user and password == self.options.password
        tell("login", encrypted=session.ssl is not None, right=right)
        return AuthResult(success=right, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, options):
        tell("recipient", address=address, encrypted=session.ssl is not None)
        if self.fault == "refuse":
            return f"550 5.1.1 <{address}> is not known here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.fault == "busy":
            self.fault = "none"
            tell("busy")
            return f"451 4.3.0 {envelope.rcpt_tos[0]}: try again later"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = [part for part in mail.walk() if not part.is_multipart()]
        page = Words(next((part.get_content() for part in parts if part.get_content_type() == "text/html"), ""))
        tell(
            "mail", sender=envelope.mail_from, recipients=envelope.rcpt_tos, type=mail.get_content_type(),
            headers=[{"name": name, "value": str(value)} for name, value in mail.items()], defects=[str(d) for d in mail.defects],
            parts=[part.get_content_type() for part in parts],
            text=next((part.get_content() for part in parts if part.get_content_type() == "text/plain"), ""),
            page=page.text, elements=page.elements)
        if self.fault == "drop":
            self.fault = "none"
            server.transport.abort()  # taken, but the sender does not learn of it
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):
        tell("goodbye")
        if self.fault == "mute-goodbye":
            await asyncio.Event().wait()
        return "221 Bye"


class Mute(asyncio.Protocol):
    """Takes the connection and never gets to the end of its greeting."""

    def __init__(self, drip):
        self.drip = drip

    def connection_made(self, transport):
        self.transport = transport
        if self.drip:
            asyncio.get_running_loop().call_later(1, self.drop_a_byte)

    def drop_a_byte(self):
        if not self.transport.is_closing():
            self.transport.write(b"2")
            asyncio.get_running_loop().call_later(1, self.drop_a_byte)

    def connection_lost(self, error):
        tell("closed")


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--certificate")
    options.add_argument("--key")
    options.add_argument("--user", default="")
    options.add_argument("--password", default="")
    options.add_argument("--fault", choices=FAULTS, default="none")
    peer = Peer(options.parse_args())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(peer.protocol, "127.0.0.1", peer.options.port)
    tell("ready", port=server.sockets[0].getsockname()[1])
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while order := await orders.readline():
        peer.fault = order.decode().strip()
        assert peer.fault in FAULTS
        tell("fault", now=peer.fault)


asyncio.run(main())  # until standard input ends: no test leaves it behind
