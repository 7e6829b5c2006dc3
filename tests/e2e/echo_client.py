"""Leaves HTTP at a URL for the protocol "echo", whose server greets, and repeats each line in capitals."""
import socket
import sys
import urllib.parse

url = urllib.parse.urlsplit(sys.argv[1])
connection = socket.create_connection((url.hostname, url.port), timeout=10)
connection.sendall(f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n"
                   "Sec-WebSocket-Key: the-key\r\n\r\nearly\n".encode())
stream = connection.makefile("rb")
head = []
while (line := stream.readline().strip()):
    head.append(line.decode())
assert head[0].startswith("HTTP/1.1 101 "), head
assert "X-Key: the-key" in head, head
assert stream.readline() == b"hello\n"
assert stream.readline() == b"EARLY\n"
big = b"x" * 300000 + b"\n"
for said in (b"one\n", big):
    connection.sendall(said)
    assert stream.readline() == said.upper()
connection.close()
