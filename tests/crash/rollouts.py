#!/usr/bin/env python3
"""Kills the server (SIGKILL) again and again in the middle of rollouts and Jobs, and starts it on the same database.

Afterwards everything must have converged: each workload has its pods, all of the last template; nothing is left over or
owned twice; every completion of a Job ran exactly once.

    rollouts.py KUBEMU [ROUNDS [SEED]]
"""
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request


def container(image, command=None):
    return {"name": "c", "image": image, **({"command": ["sh", "-c", command]} if command else {})}


def template(app, image, command=None, **spec):
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container(image, command)], **spec}}


def workload(kind, name, replicas, **spec):
    body = {"selector": {"matchLabels": {"app": name}}, "template": template(name, "nginx:1.25"), **spec}
    if replicas is not None:
        body["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


def job(name, completions, parallelism, **spec):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"completions": completions, "parallelism": parallelism, "backoffLimit": 0,
                     "template": template(name, "busybox", "sleep 0.3", restartPolicy="Never"), **spec}}


class Server:
    def __init__(self, kubemu, folder):
        self.command = [kubemu, "serve", "--http", "127.0.0.1:0", "--db", os.path.join(folder, "k.db"),
                        "--pod-startup-latency", "150ms"]
        self.process = None
        self.url = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"ready on (http://[^,]+),", line)
        if not found:
            raise SystemExit("the server did not start: " + line + self.process.stdout.read())
        self.url = found.group(1)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def call(self, method, path, body=None, content_type="application/json"):
        request = urllib.request.Request(self.url + path, method=method, headers={"Content-Type": content_type},
                                         data=json.dumps(body).encode() if body is not None else None)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def items(self, path):
        return self.call("GET", path)["items"]


APPS = "/apis/apps/v1/namespaces/default/"
JOBS = "/apis/batch/v1/namespaces/default/jobs"
PODS = "/api/v1/namespaces/default/pods"
IMAGES = ["nginx:1.26", "nginx:1.27", "httpd:2.4", "redis:7", "nginx:1.25"]
REPLICAS = {"web": 6, "api": 4}


def create_all(server):
    for name, replicas in REPLICAS.items():
        server.call("POST", APPS + "deployments", workload("Deployment", name, replicas))
    server.call("POST", APPS + "statefulsets", workload("StatefulSet", "db", 3, serviceName="db"))
    server.call("POST", APPS + "daemonsets", workload("DaemonSet", "agent", None))
    server.call("POST", JOBS, job("indexed", 24, 4, completionMode="Indexed"))
    server.call("POST", JOBS, job("plain", 16, 3))


def new_image(server, image):
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}}
    for path in ["deployments/web", "deployments/api", "statefulsets/db", "daemonsets/agent"]:
        server.call("PATCH", APPS + path, patch, "application/strategic-merge-patch+json")


def owner(pod):
    owners = [o for o in pod["metadata"].get("ownerReferences", []) if o.get("controller")]
    return owners[0] if len(owners) == 1 else {"kind": "none", "name": "none", "uid": ""}


def ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def troubles(server, image):
    """What is not yet, or not at all, as it must be at the end."""
    found = []
    pods = server.items(PODS)
    uids = {o["metadata"]["uid"] for kind in ["replicasets", "statefulsets", "daemonsets"] for o in server.items(APPS + kind)}
    uids |= {o["metadata"]["uid"] for o in server.items(JOBS)}
    found += ["orphan " + pod["metadata"]["name"] for pod in pods if owner(pod)["uid"] not in uids]
    nodes = server.items("/api/v1/nodes")
    workers = [n for n in nodes if not any(t["effect"] == "NoSchedule" for t in n["spec"].get("taints", []))]
    for app, wanted in [*REPLICAS.items(), ("db", 3), ("agent", len(workers))]:
        mine = [p for p in pods if p["metadata"]["labels"].get("app") == app]
        good = [p for p in mine if ready(p) and p["spec"]["containers"][0]["image"] == image]
        if len(mine) != wanted or len(good) != wanted:
            found.append(f"{app}: {len(good)} good ones of {len(mine)} pods, {wanted} wanted")
    for replica_set in server.items(APPS + "replicasets"):
        if replica_set["spec"]["template"]["spec"]["containers"][0]["image"] != image and replica_set["status"]["replicas"]:
            found.append("an old ReplicaSet still has pods: " + replica_set["metadata"]["name"])
    for one in server.items(JOBS):
        name, status = one["metadata"]["name"], one.get("status", {})
        mine = [p for p in pods if owner(p)["uid"] == one["metadata"]["uid"]]
        done = [p for p in mine if p["status"]["phase"] == "Succeeded"]
        completions = one["spec"]["completions"]
        if status.get("succeeded") != completions or not any(c["type"] == "Complete" for c in status.get("conditions", [])):
            found.append(f"{name}: {status.get('succeeded', 0)} of {completions} completions")
        if len(mine) > completions:
            found.append(f"{name} ran {len(mine)} pods for {completions} completions")
        indexes = [p["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"] for p in mine
                   if one["spec"].get("completionMode") == "Indexed"]
        if len(set(indexes)) != len(indexes):
            found.append(f"{name} ran an index twice: {sorted(indexes)}")
        if len(done) == completions and any(p["metadata"].get("finalizers") for p in done):
            found.append(f"{name}: a counted pod still has its finalizer")
    return found


def main():
    kubemu = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    choices = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(kubemu, folder)
        server.start()
        try:
            create_all(server)
            image = "nginx:1.25"
            for count in range(rounds):
                if count % 2 == 1:
                    image = IMAGES[count // 2 % len(IMAGES)]
                    new_image(server, image)
                # Where in the rollout it strikes is up to chance; nothing is waited for.
                pause = choices.uniform(0.02, 0.5)
                end = time.monotonic() + pause
                while time.monotonic() < end:
                    server.call("GET", "/api/v1/namespaces/default/pods?limit=1")
                server.kill()
                server.start()
            deadline = time.monotonic() + 90
            left = troubles(server, image)
            while left and time.monotonic() < deadline:
                time.sleep(0.2)
                left = troubles(server, image)
        finally:
            server.kill()
    if left:
        print("\n".join(left))
        raise SystemExit(f"not converged after {rounds} kills")
    print(f"converged after {rounds} kills")


if __name__ == "__main__":
    main()
