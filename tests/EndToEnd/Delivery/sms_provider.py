"""A provider of SMS that speaks the part of the Twilio-compatible REST API that the server uses. There is no such program
to install, so this one is ours: it proves how the server fails over, and not that it speaks the API right."""
import base64
import http.server
import json
import sys
import threading
import urllib.parse

ACCOUNT, TOKEN = sys.argv[1:3]
answer = int(sys.argv[3])


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Provider(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), strict_parsing=True)
        login = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if self.headers["Authorization"] != login:
            status = 401
        elif self.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json" or sorted(form) != ["Body", "From", "To"]:
            status = 400
        else:
            status = answer
        tell("sms" if status == 201 else "refused", status=status, **{name.lower(): value[0] for name, value in form.items()})
        body = json.dumps({"status": "queued", "body": form.get("Body", [""])[0]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
tell("ready", port=server.server_address[1])
for order in sys.stdin:
    answer = int(order)
    tell("answer", now=answer)
