"""Typed calls: what the models make of objects, the four kinds of patches, lists in pages, and the errors' bodies."""
import datetime

from cluster import ClusterTest, config_map, deployment
from kubernetes import client, utils, watch


class TypedTest(ClusterTest):
    def test_objects_come_back_as_models(self):
        made = self.apps.create_namespaced_deployment(self.namespace, deployment("models", replicas=2))
        self.assertIsInstance(made.metadata.creation_timestamp, datetime.datetime)
        self.assertEqual(made.spec.strategy.rolling_update.max_surge, "25%")
        self.assertEqual(made.spec.template.spec.containers[0].image_pull_policy, "IfNotPresent")
        for event in watch.Watch().stream(self.apps.list_namespaced_deployment, self.namespace,
                                          field_selector="metadata.name=models", timeout_seconds=60):
            if event["object"].status.available_replicas == 2:
                break
        else:
            self.fail("the deployment never became available")
        pods = self.core.list_namespaced_pod(self.namespace, label_selector="app=models").items
        self.assertEqual({pod.status.phase for pod in pods}, {"Running"})
        self.assertTrue(all(pod.metadata.owner_references[0].kind == "ReplicaSet" for pod in pods))
        self.apps.patch_namespaced_deployment_scale("models", self.namespace, {"spec": {"replicas": 1}})
        self.assertEqual(self.apps.read_namespaced_deployment_scale("models", self.namespace).spec.replicas, 1)

    def test_every_kind_of_body_is_taken(self):
        self.core.create_namespaced_secret(self.namespace, {"metadata": {"name": "dict"}, "stringData": {"a": "b"}})
        self.assertEqual(self.core.read_namespaced_secret("dict", self.namespace).data, {"a": "Yg=="})
        made = utils.create_from_dict(self.api, {
            "apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"k": "1"}},
                {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "two"}, "spec": {"ports": [{"port": 80}]}},
            ]}, namespace=self.namespace)
        self.assertEqual(len(made), 2)
        self.assertTrue(self.core.read_namespaced_service("two", self.namespace).spec.cluster_ip)

    def test_patches(self):
        self.apps.create_namespaced_deployment(self.namespace, deployment("patches"))
        patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.26"}]}}}}
        self.api.set_default_header("Content-Type", "application/strategic-merge-patch+json")
        merged = self.apps.patch_namespaced_deployment("patches", self.namespace, patch)
        del self.api.default_headers["Content-Type"]
        container = merged.spec.template.spec.containers[0]
        self.assertEqual((container.image, container.ports[0].container_port), ("nginx:1.26", 80))
        # A list is a JSON patch to this client, which picks the content type by the body.
        changed = self.apps.patch_namespaced_deployment("patches", self.namespace, [
            {"op": "test", "path": "/spec/replicas", "value": 1}, {"op": "replace", "path": "/spec/replicas", "value": 3}])
        self.assertEqual(changed.spec.replicas, 3)
        scaled = self.apps.patch_namespaced_deployment_status(
            "patches", self.namespace, {"metadata": {"annotations": {"seen": "yes"}}})
        self.assertEqual(scaled.metadata.annotations["seen"], "yes")

    def test_replace_needs_the_newest_version(self):
        made = self.core.create_namespaced_config_map(self.namespace, config_map("replaced", a="1"))
        made.data = {"a": "2"}
        self.core.replace_namespaced_config_map("replaced", self.namespace, made)
        status = self.refused(409, "Conflict", self.core.replace_namespaced_config_map, "replaced", self.namespace, made)
        self.assertIn("the object has been modified", status["message"])

    def test_lists_in_pages(self):
        for number in range(7):
            self.core.create_namespaced_config_map(self.namespace, config_map(f"page-{number}", n=str(number)))
        names, token, pages = [], None, 0
        while True:
            page = self.core.list_namespaced_config_map(self.namespace, limit=3, _continue=token)
            names += [item.metadata.name for item in page.items]
            pages += 1
            token = page.metadata._continue
            if not token:
                break
        self.assertEqual([name for name in names if name.startswith("page-")], [f"page-{n}" for n in range(7)])
        self.assertGreaterEqual(pages, 3)

    def test_deletes(self):
        self.core.create_namespaced_config_map(self.namespace, config_map("gone"))
        done = self.core.delete_namespaced_config_map("gone", self.namespace)
        self.assertEqual((done.status, done.details.kind, done.details.name), ("Success", "configmaps", "gone"))
        self.apps.create_namespaced_deployment(self.namespace, deployment("tree"))
        self.apps.delete_namespaced_deployment("tree", self.namespace, propagation_policy="Foreground",
                                               grace_period_seconds=0)
        for event in watch.Watch().stream(self.apps.list_namespaced_deployment, self.namespace, timeout_seconds=60):
            if event["type"] == "DELETED" and event["object"].metadata.name == "tree":
                break
        self.assertEqual(self.apps.list_namespaced_replica_set(self.namespace, label_selector="app=tree").items, [])

    def test_dry_run_stores_nothing(self):
        made = self.core.create_namespaced_config_map(self.namespace, config_map("dry"), dry_run="All")
        self.assertTrue(made.metadata.uid)
        self.refused(404, "NotFound", self.core.read_namespaced_config_map, "dry", self.namespace)

    def test_bodies_of_errors(self):
        status = self.refused(404, "NotFound", self.core.read_namespaced_pod, "nobody", self.namespace)
        self.assertEqual(status["message"], 'pods "nobody" not found')
        self.assertEqual(status["details"], {"name": "nobody", "kind": "pods"})
        self.core.create_namespaced_config_map(self.namespace, config_map("twice"))
        status = self.refused(409, "AlreadyExists", self.core.create_namespaced_config_map, self.namespace,
                              config_map("twice"))
        self.assertEqual(status["message"], 'configmaps "twice" already exists')
        wrong = deployment("Wrong_Name")
        wrong.spec.replicas = -1
        status = self.refused(422, "Invalid", self.apps.create_namespaced_deployment, self.namespace, wrong)
        self.assertEqual({cause["field"] for cause in status["details"]["causes"]}, {"metadata.name", "spec.replicas"})
        self.assertEqual({cause["reason"] for cause in status["details"]["causes"]}, {"FieldValueInvalid"})
        status = self.refused(400, "BadRequest", self.core.list_namespaced_pod, self.namespace, label_selector="a in")
        self.assertIn("unable to parse requirement", status["message"])

    def test_who_asks_decides(self):
        configuration = client.Configuration.get_default_copy()
        configuration.api_key = {"authorization": "Bearer pa55"}
        core = client.CoreV1Api(client.ApiClient(configuration))
        status = self.refused(403, "Forbidden", core.list_namespaced_secret, self.namespace)
        self.assertEqual(status["message"], f'secrets is forbidden: User "ann" cannot list resource "secrets" in API '
                                            f'group "" in the namespace "{self.namespace}"')
        rbac = client.RbacAuthorizationV1Api()
        rbac.create_namespaced_role(self.namespace, {"metadata": {"name": "reader"}, "rules": [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]})
        rbac.create_namespaced_role_binding(self.namespace, {
            "metadata": {"name": "ann"}, "subjects": [{"kind": "User", "name": "ann"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}})
        self.assertEqual(core.list_namespaced_secret(self.namespace).kind, "SecretList")
        review = client.AuthorizationV1Api(core.api_client).create_self_subject_access_review(
            {"spec": {"resourceAttributes": {"namespace": self.namespace, "verb": "get", "resource": "secrets"}}})
        self.assertFalse(review.status.allowed)

    def test_apis_of_the_server(self):
        self.assertRegex(client.VersionApi().get_code().git_version, r"^v1\.\d+\.")
        groups = {group.name for group in client.ApisApi().get_api_versions().groups}
        self.assertLessEqual({"apps", "batch", "rbac.authorization.k8s.io", "apiextensions.k8s.io"}, groups)
        verbs = {resource.name: resource.verbs for resource in self.core.get_api_resources().resources}
        self.assertIn("watch", verbs["pods"])
        self.assertEqual(verbs["pods/eviction"], ["create"])
