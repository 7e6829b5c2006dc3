"""Pods through the client: logs at once and followed, eviction, the events of a start, tokens of service accounts."""
from cluster import ClusterTest
from kubernetes import client, watch


def pod(name, command):
    return {"metadata": {"name": name, "labels": {"pod": name}}, "spec": {
        "restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox", "command": ["sh", "-c", command]}]}}


class PodsTest(ClusterTest):
    def wait_for_phase(self, name, phase):
        for event in watch.Watch().stream(self.core.list_namespaced_pod, self.namespace,
                                          field_selector=f"metadata.name={name}", timeout_seconds=60):
            if event["object"].status.phase == phase:
                return event["object"]
        self.fail(f"pod {name} never was {phase}")

    def test_logs(self):
        self.core.create_namespaced_pod(self.namespace, pod("speaks", "echo one; echo two"))
        self.wait_for_phase("speaks", "Succeeded")
        self.assertEqual(self.core.read_namespaced_pod_log("speaks", self.namespace), "one\ntwo\n")
        self.assertEqual(self.core.read_namespaced_pod_log("speaks", self.namespace, tail_lines=1), "two\n")
        followed = list(watch.Watch().stream(self.core.read_namespaced_pod_log, "speaks", self.namespace))
        self.assertEqual(followed[:2], ["one", "two"])
        status = self.refused(400, "BadRequest", self.core.read_namespaced_pod_log, "speaks", self.namespace,
                              container="nobody")
        self.assertEqual(status["message"], "container nobody is not valid for pod speaks")

    def test_eviction_minds_the_budget(self):
        self.core.create_namespaced_pod(self.namespace, pod("kept", "sleep 3600"))
        self.wait_for_phase("kept", "Running")
        client.PolicyV1Api().create_namespaced_pod_disruption_budget(self.namespace, {
            "metadata": {"name": "kept"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"pod": "kept"}}}})
        eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name="kept", namespace=self.namespace))
        status = self.refused(429, "TooManyRequests", self.core.create_namespaced_pod_eviction, "kept", self.namespace,
                              eviction)
        self.assertIn("Cannot evict pod", status["message"])

    def test_events_tell_of_the_start(self):
        self.core.create_namespaced_pod(self.namespace, pod("told", "sleep 3600"))
        reasons = []
        for event in watch.Watch().stream(self.core.list_namespaced_event, self.namespace,
                                          field_selector="involvedObject.name=told", timeout_seconds=60):
            reasons.append(event["object"].reason)
            if reasons[-1] == "Started":
                break
        self.assertEqual([r for r in reasons if r in ("Scheduled", "Pulled", "Created", "Started")],
                         ["Scheduled", "Pulled", "Created", "Started"])

    def test_tokens_of_service_accounts(self):
        self.core.create_namespaced_service_account(self.namespace, {"metadata": {"name": "robot"}})
        answer = self.core.create_namespaced_service_account_token("robot", self.namespace, {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}})
        review = client.AuthenticationV1Api().create_token_review({"spec": {"token": answer.status.token}})
        self.assertEqual(review.status.user.username, f"system:serviceaccount:{self.namespace}:robot")
