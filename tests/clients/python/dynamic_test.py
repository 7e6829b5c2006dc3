"""The dynamic client: discovery, kinds that come and go with their definitions, server-side apply, conflicts."""
import json

from cluster import ClusterTest
from kubernetes import client
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import (BadRequestError, ConflictError, NotFoundError, ResourceNotFoundError,
                                           UnprocessibleEntityError)

DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "kettles.python.example.com"},
    "spec": {
        "group": "python.example.com", "scope": "Namespaced",
        "names": {"plural": "kettles", "singular": "kettle", "kind": "Kettle", "shortNames": ["kt"]},
        "versions": [{
            "name": "v1", "served": True, "storage": True,
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.cups",
                                                     "statusReplicasPath": ".status.cups"}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", "required": ["cups"], "properties": {
                    "cups": {"type": "integer", "minimum": 0}, "colour": {"type": "string", "default": "red"}}},
                "status": {"type": "object", "properties": {"cups": {"type": "integer"}}}}}}}]}}


def kettle(name, **spec):
    return {"apiVersion": "python.example.com/v1", "kind": "Kettle", "metadata": {"name": name}, "spec": spec}


class DynamicTest(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dynamic = DynamicClient(client.ApiClient())
        cls.definitions = cls.dynamic.resources.get(api_version="apiextensions.k8s.io/v1",
                                                    kind="CustomResourceDefinition")
        cls.definitions.create(body=DEFINITION)
        for event in cls.definitions.watch(field_selector="metadata.name=" + DEFINITION["metadata"]["name"], timeout=30):
            conditions = event["object"].to_dict().get("status", {}).get("conditions") or []
            if any(item["type"] == "Established" and item["status"] == "True" for item in conditions):
                break
        cls.dynamic.resources.invalidate_cache()
        cls.kettles = cls.dynamic.resources.get(api_version="python.example.com/v1", kind="Kettle")

    @classmethod
    def tearDownClass(cls):
        cls.definitions.delete(name=DEFINITION["metadata"]["name"])
        super().tearDownClass()

    def apply(self, resource, body, **options):
        # This release of the client encodes JSON only; YAML has to be text, and JSON is YAML.
        return resource.server_side_apply(body=json.dumps(body), name=body["metadata"]["name"],
                                          namespace=self.namespace, **options)

    def test_what_discovery_says(self):
        pods = self.dynamic.resources.get(api_version="v1", kind="Pod")
        self.assertEqual((pods.name, pods.namespaced, pods.short_names), ("pods", True, ["po"]))
        self.assertLessEqual({"status", "log", "eviction"}, set(pods.subresources))
        self.assertEqual(set(self.kettles.subresources), {"status", "scale"})
        self.assertEqual(self.dynamic.resources.search(short_names=["kt"])[0].kind, "Kettle")
        with self.assertRaises(ResourceNotFoundError):
            self.dynamic.resources.get(api_version="v1", kind="Nothing")

    def test_life_of_a_custom_object(self):
        made = self.kettles.create(namespace=self.namespace, body=kettle("life", cups=2))
        self.assertEqual((made.spec.cups, made.spec.colour, made.metadata.generation), (2, "red", 1))
        changed = self.kettles.patch(namespace=self.namespace, name="life", body={"spec": {"cups": 3}},
                                     content_type="application/merge-patch+json")
        self.assertEqual((changed.spec.cups, changed.metadata.generation), (3, 2))
        self.kettles.status.patch(namespace=self.namespace, name="life", body={"status": {"cups": 1}, "spec": None},
                                  content_type="application/merge-patch+json")
        scale = self.kettles.scale.get(namespace=self.namespace, name="life")
        self.assertEqual((scale.kind, scale.spec.replicas, scale.status.replicas), ("Scale", 3, 1))
        now = self.kettles.get(namespace=self.namespace, name="life")
        now.spec.cups = 4
        replaced = self.kettles.replace(namespace=self.namespace, body=now)
        self.assertEqual((replaced.spec.cups, replaced.status.cups), (4, 1))
        self.kettles.delete(namespace=self.namespace, name="life")
        with self.assertRaises(NotFoundError):
            self.kettles.get(namespace=self.namespace, name="life")

    def test_what_is_refused(self):
        with self.assertRaises(UnprocessibleEntityError) as caught:
            self.kettles.create(namespace=self.namespace, body=kettle("bad", cups=-1))
        self.assertIn("spec.cups in body should be greater than or equal to 0", caught.exception.summary())
        with self.assertRaises(client.ApiException) as unsupported:
            self.core.api_client.call_api(
                f"/apis/python.example.com/v1/namespaces/{self.namespace}/kettles/bad", "PATCH", body={},
                header_params={"Content-Type": "application/strategic-merge-patch+json"}, auth_settings=[])
        self.assertEqual(unsupported.exception.status, 415)
        with self.assertRaises(BadRequestError):
            self.kettles.get(namespace=self.namespace, label_selector="a in")

    def test_apply(self):
        body = kettle("applied", cups=1)
        self.apply(self.kettles, body, field_manager="mine")
        body["spec"] = {"cups": 5}
        with self.assertRaises(ConflictError) as caught:
            self.apply(self.kettles, body, field_manager="yours")
        self.assertIn('conflict with "mine": .spec.cups', caught.exception.summary())
        applied = self.apply(self.kettles, body, field_manager="yours", force_conflicts=True)
        self.assertEqual(applied.spec.cups, 5)
        owners = {entry.manager: entry.operation for entry in applied.metadata.managedFields}
        self.assertEqual(owners, {"yours": "Apply"})

    def test_apply_to_a_deployment(self):
        deployments = self.dynamic.resources.get(api_version="apps/v1", kind="Deployment")
        container = {"name": "web", "image": "nginx:1.25", "ports": [{"containerPort": 80}]}
        body = {"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "applied", "namespace": self.namespace},
                "spec": {"selector": {"matchLabels": {"a": "b"}},
                         "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}}}
        self.apply(deployments, body, field_manager="mine")
        body["spec"]["template"]["spec"]["containers"] = [{"name": "side", "image": "busybox"}]
        both = self.apply(deployments, body, field_manager="yours", force_conflicts=True)
        self.assertEqual([c.name for c in both.spec.template.spec.containers], ["web", "side"])

    def test_lists_carry_the_kind_of_their_items(self):
        self.kettles.create(namespace=self.namespace, body=kettle("listed", cups=1))
        listed = self.kettles.get(namespace=self.namespace, limit=10)
        self.assertEqual(listed.kind, "KettleList")
        self.assertEqual({item.kind for item in listed.items}, {"Kettle"})
