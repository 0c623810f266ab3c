"""Takes what is posted by OTLP over HTTP, and prints it with the names in it readable."""
import gzip
import http.server
import json
import threading
import sys


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        tell("post", path=self.path, type=self.headers["Content-Type"], body=body.decode("latin-1"))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
tell("ready", port=server.server_address[1])
for _ in sys.stdin:
    pass
