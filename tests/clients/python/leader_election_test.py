"""Leader election over a ConfigMap's annotation: one candidate leads, the other follows when it stops."""
import logging
import threading

from cluster import ClusterTest
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock


class StoppableLock(ConfigMapLock):
    """A lock whose holder can be made to stop renewing: its updates fail from then on."""
    stopped = False

    def update(self, name, namespace, updated_record):
        return False if self.stopped else super().update(name, namespace, updated_record)


class LeaderElectionTest(ClusterTest):
    def candidate(self, identity, leading):
        lock = StoppableLock("leader", self.namespace, identity)
        election = leaderelection.LeaderElection(electionconfig.Config(
            lock, lease_duration=3, renew_deadline=2, retry_period=1,
            onstarted_leading=lambda: leading[identity].set(), onstopped_leading=lambda: None))
        threading.Thread(target=election.run, daemon=True).start()
        return lock

    def test_the_second_leads_when_the_first_stops(self):
        logging.disable()  # the library tells each step of the election
        leading = {"first": threading.Event(), "second": threading.Event()}
        first = self.candidate("first", leading)
        self.assertTrue(leading["first"].wait(30))
        self.candidate("second", leading)
        self.assertFalse(leading["second"].wait(4), "two candidates lead")
        first.stopped = True
        self.assertTrue(leading["second"].wait(30))
        record = self.core.read_namespaced_config_map("leader", self.namespace).metadata.annotations
        self.assertIn('"holderIdentity": "second"', record["control-plane.alpha.kubernetes.io/leader"])
