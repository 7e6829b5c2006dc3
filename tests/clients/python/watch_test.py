"""Watches: events as models, going on where a stream ended, bookmarks, selectors."""
import threading

from cluster import ClusterTest, config_map
from kubernetes import client, watch


class WatchTest(ClusterTest):
    def test_goes_on_where_it_stopped(self):
        start = self.core.list_namespaced_config_map(self.namespace).metadata.resource_version
        for name in ("first", "second", "third"):
            self.core.create_namespaced_config_map(self.namespace, config_map(name))
        stream = watch.Watch()
        seen = []
        for event in stream.stream(self.core.list_namespaced_config_map, self.namespace, resource_version=start):
            seen.append(event["object"].metadata.name)
            if len(seen) == 2:
                stream.stop()
        # A second call of the same Watch carries on from the last version that it saw.
        for event in stream.stream(self.core.list_namespaced_config_map, self.namespace,
                                   resource_version=stream.resource_version):
            seen.append(event["object"].metadata.name)
            stream.stop()
        self.assertEqual(seen, ["first", "second", "third"])

    def test_asks_again_when_the_server_ends_the_watch(self):
        """The client asks again from its last version when a stream ends without an error; nothing is seen twice."""
        made = self.core.create_namespaced_config_map(self.namespace, config_map("again", n="0"))
        requests = []

        def list_for_a_second(*args, **kwargs):
            """:param bool watch: as the generated call says
            :return: V1ConfigMapList"""
            requests.append(kwargs.get("resource_version"))
            answer = self.core.list_namespaced_config_map(
                *args, timeout_seconds=1, field_selector="metadata.name=again", **kwargs)
            if len(requests) == 2:
                self.core.patch_namespaced_config_map("again", self.namespace, {"data": {"n": "1"}})
            return answer

        stream = watch.Watch()
        seen = []
        for event in stream.stream(list_for_a_second, self.namespace):
            seen.append((event["type"], event["object"].data["n"]))
            if len(seen) == 2:
                stream.stop()
        self.assertEqual(seen, [("ADDED", "0"), ("MODIFIED", "1")])
        self.assertEqual(requests, [None, made.metadata.resource_version])

    def test_selectors_make_objects_come_and_go(self):
        self.core.create_namespaced_config_map(self.namespace, config_map("labelled"))
        seen = []
        stream = watch.Watch()
        started = threading.Event()

        def follow():
            for event in stream.stream(self.core.list_namespaced_config_map, self.namespace, label_selector="in=yes",
                                       timeout_seconds=30):
                name = event["object"].metadata.name
                if name == "start":
                    started.set()
                    continue
                seen.append(event["type"])
                if event["type"] == "DELETED":
                    stream.stop()

        follower = threading.Thread(target=follow)
        follower.start()
        self.core.create_namespaced_config_map(
            self.namespace, {"metadata": {"name": "start", "labels": {"in": "yes"}}})
        self.assertTrue(started.wait(30))
        for labels in ({"in": "yes"}, {"more": "x"}, {"in": None}):
            self.core.patch_namespaced_config_map("labelled", self.namespace, {"metadata": {"labels": labels}})
        follower.join(30)
        self.assertEqual(seen, ["ADDED", "MODIFIED", "DELETED"])

    def test_bookmarks_are_left_out_of_models(self):
        stream = watch.Watch()
        kinds = set()
        for event in stream.stream(self.core.list_namespaced_config_map, self.namespace, allow_watch_bookmarks=True,
                                   timeout_seconds=2):
            kinds.add((event["type"], type(event["object"]).__name__))
        self.assertLessEqual(kinds, {("ADDED", "V1ConfigMap"), ("BOOKMARK", "dict")})
        self.assertIn(("ADDED", "V1ConfigMap"), kinds)

    def test_custom_objects_are_watched_as_dictionaries(self):
        api = client.CustomObjectsApi()
        leases = "coordination.k8s.io", "v1", self.namespace, "leases"
        api.create_namespaced_custom_object(*leases, {
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "held"}, "spec": {}})
        stream = watch.Watch()
        for event in stream.stream(api.list_namespaced_custom_object, *leases, timeout_seconds=30):
            self.assertEqual(event["object"]["metadata"]["name"], "held")
            stream.stop()
