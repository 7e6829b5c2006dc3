"""What a cluster calls, for the end-to-end tests: HTTPS with the standard library alone.

/mutate adds the label mutated=yes, /validate refuses objects with the label refuse and warns about all others, /slow
answers too late, /garbage answers with something else, /liar with another uid, /never refuses everything, and /callback asks
the cluster itself first; /moved, /found and /circle send elsewhere.
/convert takes custom resources from spec.hostPort (v1) to spec.host and spec.port (v2) and back. GETs are answered as by
an aggregated API server of the group wardle.example.com: with Protocol Buffers where these are asked for, with a watch
whose second event comes when /next has been asked for, and with a protocol of its own at /echo.
"""
import base64
import http.server
import json
import ssl
import sys
import threading
import time
import urllib.request

certificate, key, cluster = sys.argv[1:4]


def respond(path, request):
    labels = ((request.get("object") or request.get("oldObject") or {}).get("metadata") or {}).get("labels") or {}
    if path == "/mutate":
        patch = [{"op": "add", "path": "/metadata/labels", "value": dict(labels, mutated="yes")}]
        return {"allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()}
    if path == "/callback":
        with urllib.request.urlopen(cluster + "/api/v1/namespaces/" + request["namespace"]) as answer:
            return {"allowed": answer.status == 200}
    if path == "/slow":
        time.sleep(20)
    if path == "/never":
        return {"allowed": False, "status": {"code": 403, "message": "never"}}
    if path == "/liar":
        return {"allowed": True, "uid": "another"}
    if "refuse" in labels:
        return {"allowed": False, "status": {"code": 403, "reason": "Forbidden", "message": "the label refuse is set"}}
    return {"allowed": True, "warnings": ["seen by " + path], "auditAnnotations": {"asked": "by " + path}}


def convert(item, version):
    item = dict(item, apiVersion=version)
    spec = dict(item.get("spec") or {})
    if version.endswith("v2") and "hostPort" in spec:
        host, _, port = spec.pop("hostPort").partition(":")
        spec.update(host=host, port=port)
    elif version.endswith("v1") and "host" in spec:
        spec["hostPort"] = spec.pop("host") + ":" + spec.pop("port", "")
    item["spec"] = spec
    return item


def converted(path, request):
    objects = [convert(item, request["desiredAPIVersion"]) for item in request["objects"]]
    if path == "/convert-less":
        objects = objects[1:]
    if path == "/convert-wrong":
        objects = [dict(item, apiVersion="example.com/v9") for item in objects]
    return {"result": {"status": "Success"}, "convertedObjects": objects}


FLUNDER_KIND = {"group": "wardle.example.com", "kind": "Flunder", "version": "v1"}
FLUNDER = {"description": "Flunder is what wardle keeps.", "type": "object", "x-kubernetes-group-version-kind": [FLUNDER_KIND],
           "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"},
                          "metadata": {"type": "object", "description": "Its name and the like."},
                          "spec": {"type": "object", "description": "How it flunders.",
                                   "properties": {"speed": {"type": "integer", "format": "int32", "description": "In flunders an hour."}}}}}


def flunder_paths(answer):
    return {"/apis/wardle.example.com/v1/namespaces/{namespace}/flunders/{name}": {"get": {
        "operationId": "readFlunder", "x-kubernetes-action": "get", "x-kubernetes-group-version-kind": FLUNDER_KIND,
        "responses": {"200": dict(answer, description="OK")}}}}


def aggregated(path, headers):
    group = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "wardle.example.com/v1", "resources": [
        {"name": "flunders", "singularName": "flunder", "namespaced": True, "kind": "Flunder", "verbs": ["get", "list"]}]}
    metadata = {"name": "one", "namespace": "default", "annotations": {"user": headers.get("X-Remote-User", "")}}
    flunder = {"kind": "Flunder", "apiVersion": "wardle.example.com/v1", "metadata": metadata}
    if path == "/openapi/v3":
        return {"paths": {"apis/wardle.example.com/v1": {"serverRelativeURL": "/openapi/v3/apis/wardle.example.com/v1?hash=1"}}}
    if path.startswith("/openapi/v3/"):
        return {"openapi": "3.0.0", "info": {"title": "wardle", "version": "v1"}, "paths": flunder_paths({}),
                "components": {"schemas": {"com.example.wardle.v1.Flunder": FLUNDER}}}
    if path == "/openapi/v2":
        return {"swagger": "2.0", "info": {"title": "wardle", "version": "v1"},
                "paths": flunder_paths({"schema": {"$ref": "#/definitions/com.example.wardle.v1.Flunder"}}),
                "definitions": {"com.example.wardle.v1.Flunder": FLUNDER}}
    if path.endswith("/wardle.example.com/v1"):
        return group
    return flunder if path.endswith("/one") else {"kind": "FlunderList", "apiVersion": "wardle.example.com/v1", "metadata": {}, "items": [flunder]}


REDIRECTS = {"/moved": (307, "/validate"), "/found": (302, "/nothing"), "/circle": (308, "/circle")}
asked_for_next = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path.split("?")[0]
        if path in REDIRECTS:
            self.send_response(REDIRECTS[path][0])
            self.send_header("Location", REDIRECTS[path][1])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        conversion = review["kind"] == "ConversionReview"
        response = converted(path, review["request"]) if conversion else respond(path, review["request"])
        response.setdefault("uid", review["request"]["uid"])
        body = json.dumps({"kind": review["kind"], "apiVersion": review["apiVersion"], "response": response}).encode()
        if path == "/garbage":
            body = b"<html>"
        self.answer(body)

    def watch(self):
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for name in ("first", "second"):
            event = json.dumps({"type": "ADDED", "object": {"kind": "Flunder", "metadata": {"name": name}}}, separators=(",", ":")) + "\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event.encode()))
            self.wfile.flush()
            asked_for_next.wait(60)
        self.wfile.write(b"0\r\n\r\n")

    def echo(self):
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Key: "
                         + self.headers["Sec-WebSocket-Key"].encode() + b"\r\n\r\nhello\n")
        self.wfile.flush()
        while line := self.rfile.readline():
            self.wfile.write(line.upper())
            self.wfile.flush()
        self.close_connection = True

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path.endswith("/echo") and self.headers.get("Upgrade") == "echo":
            return self.echo()
        if "watch=1" in query:
            return self.watch()
        if path.endswith("/next"):
            asked_for_next.set()
        if path == "/nothing":
            return self.send_error(404)
        if path.endswith("/one") and "protobuf" in self.headers.get("Accept", ""):
            return self.answer(b"k8s\0flunder", "application/vnd.kubernetes.protobuf")
        self.answer(json.dumps(aggregated(self.path.split("?")[0], self.headers)).encode())

    def answer(self, body, content_type="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("X-Flunder", "yes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client):
        pass


server = Server(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
