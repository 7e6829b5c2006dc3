"""Commands in pods and their ports through the client's WebSockets: one call, a conversation, exit codes, a connection."""
import time

from cluster import ClusterTest
from kubernetes import client, watch
from kubernetes.stream import portforward, stream


class StreamsTest(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.core.create_namespaced_pod(cls.namespace, {"metadata": {"name": "web"}, "spec": {"containers": [
            {"name": "main", "image": "nginx:1.25", "ports": [{"containerPort": 80}]}]}})
        for event in watch.Watch().stream(cls.core.list_namespaced_pod, cls.namespace, timeout_seconds=60):
            if event["object"].status.phase == "Running":
                break

    def exec(self, *command, **options):
        # A client that streams answers everything by WebSocket, so it is one of its own.
        core = client.CoreV1Api(client.ApiClient())
        options = {"stdin": False, "stdout": True, "stderr": True, "tty": False, **options}
        return stream(core.connect_get_namespaced_pod_exec, "web", self.namespace, command=list(command), **options)

    def test_one_call(self):
        self.assertEqual(self.exec("sh", "-c", "echo out; echo err >&2"), "out\nerr\n")

    def test_conversation_and_exit_code(self):
        talk = self.exec("sh", stdin=True, _preload_content=False)
        talk.write_stdin("echo hello\n")
        self.assertEqual(talk.readline_stdout(timeout=10), "hello")
        talk.write_stdin("echo wrong >&2\n")
        self.assertEqual(talk.readline_stderr(timeout=10), "wrong")
        talk.write_stdin("exit 4\n")
        talk.run_forever(timeout=10)
        self.assertEqual(talk.returncode, 4)

    def test_refusals(self):
        with self.assertRaises(client.ApiException) as caught:
            self.exec("ls", container="nobody")
        self.assertIn("400", str(caught.exception))

    def test_port_forward(self):
        core = client.CoreV1Api(client.ApiClient())
        forward = portforward(core.connect_get_namespaced_pod_portforward, "web", self.namespace, ports="80,81")
        socket = forward.socket(80)
        socket.setblocking(True)
        socket.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
        answer = b""
        while b"</html>" not in answer:
            part = socket.recv(4096)
            if not part:
                break
            answer += part
        self.assertIn(b"Welcome to nginx!", answer)
        for _ in range(100):
            if forward.error(81):
                break
            time.sleep(0.05)
        self.assertIn("connection refused", forward.error(81))
