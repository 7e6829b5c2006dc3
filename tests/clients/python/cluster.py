"""What the tests share: a namespace of their own, and the error that an API call ends with."""
import json
import unittest
import uuid

from kubernetes import client, config, watch


class ClusterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        config.load_kube_config()
        cls.api = client.ApiClient()
        cls.core = client.CoreV1Api(cls.api)
        cls.apps = client.AppsV1Api(cls.api)
        cls.namespace = "python-" + uuid.uuid4().hex[:8]
        cls.core.create_namespace({"metadata": {"name": cls.namespace}})
        # Pods are refused before their service account is there.
        for event in watch.Watch().stream(cls.core.list_namespaced_service_account, cls.namespace, timeout_seconds=60):
            if event["object"].metadata.name == "default":
                break

    @classmethod
    def tearDownClass(cls):
        cls.core.delete_namespace(cls.namespace)

    def refused(self, code, reason, call, *args, **kwargs):
        """The Status that the call is refused with."""
        with self.assertRaises(client.ApiException) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.status, code, caught.exception.body)
        status = json.loads(caught.exception.body)
        self.assertEqual((status["kind"], status["apiVersion"]), ("Status", "v1"))
        self.assertEqual((status["status"], status["code"], status["reason"]), ("Failure", code, reason))
        return status


def config_map(name, **data):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=data)


def deployment(name, replicas=1, image="nginx:1.25"):
    labels = {"app": name}
    return client.V1Deployment(
        metadata=client.V1ObjectMeta(name=name, labels=labels),
        spec=client.V1DeploymentSpec(
            replicas=replicas, selector=client.V1LabelSelector(match_labels=labels),
            template=client.V1PodTemplateSpec(
                metadata=client.V1ObjectMeta(labels=labels),
                spec=client.V1PodSpec(containers=[client.V1Container(
                    name="web", image=image, ports=[client.V1ContainerPort(container_port=80)])]))))
