// Watches and informers: what they see when nothing goes wrong, when connections are cut and when the server restarts.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as k8s from '@kubernetes/client-node';
import { Cluster, eventually, Proxy } from './cluster.js';

const namespace = 'default';
const list = `/api/v1/namespaces/${namespace}/configmaps`;
const own = { labelSelector: 'test=informer' };
const configMap = (name, value) => ({ metadata: { name, labels: { test: 'informer' } }, data: { value } });

// An informer that, as the documentation of the client asks for, is started again after an error.
function informerOf(config, events) {
  const core = config.makeApiClient(k8s.CoreV1Api);
  const informer = k8s.makeInformer(config, list, () => core.listNamespacedConfigMap({ namespace, ...own }), own.labelSelector);
  for (const verb of ['add', 'update', 'delete']) {
    informer.on(verb, (object) => events.push(`${verb} ${object.metadata.name} ${object.data?.value}`));
  }
  informer.errors = 0;
  informer.on('error', () => {
    informer.errors += 1;
    if (!informer.ended) setTimeout(() => informer.ended || informer.start(), 50);
  });
  informer.end = () => {
    informer.ended = true;
    return informer.stop();
  };
  return informer;
}

describe('watches and informers', () => {
  let cluster, core;
  const database = path.join(mkdtempSync(path.join(tmpdir(), 'kubemu-')), 'state.db');
  const flags = ['--db', database, '--nodes', '0'];
  before(async () => {
    cluster = await Cluster.start({ flags });
    core = cluster.config().makeApiClient(k8s.CoreV1Api);
  });
  after(() => cluster.stop());

  it('watches by selector until aborted', async () => {
    const events = [];
    const watch = new k8s.Watch(cluster.config());
    let ended;
    const end = new Promise((resolve) => { ended = resolve; });
    const { metadata } = await core.listNamespacedConfigMap({ namespace });
    const request = await watch.watch(list, { fieldSelector: 'metadata.name=watched', resourceVersion: metadata.resourceVersion },
      (type, object) => events.push(`${type} ${object.metadata.name}`), ended);
    await core.createNamespacedConfigMap({ namespace, body: configMap('other', '1') });
    await core.createNamespacedConfigMap({ namespace, body: configMap('watched', '1') });
    await core.deleteNamespacedConfigMap({ name: 'watched', namespace });
    await core.deleteNamespacedConfigMap({ name: 'other', namespace });
    await eventually('both events', () => events.length === 2);
    assert.deepEqual(events, ['ADDED watched', 'DELETED watched']);
    request.abort();
    await end;
  });

  it('misses nothing while its connection is cut', async () => {
    const proxy = await Proxy.start(cluster.port);
    const events = [];
    const informer = informerOf(cluster.config(proxy.port), events);
    await core.createNamespacedConfigMap({ namespace, body: configMap('cut', '0') });
    await informer.start();
    await eventually('the first event', () => events.includes('add cut 0'));
    for (let round = 1; round <= 3; round += 1) {
      proxy.cut();
      const body = configMap('cut', String(round));
      await core.replaceNamespacedConfigMap({ name: 'cut', namespace, body });
      await eventually(`the change of round ${round}`, () => events.includes(`update cut ${round}`));
    }
    assert.ok(informer.errors > 0, 'no connection was cut');
    // Resumed watches bring each change once.
    assert.deepEqual(events, ['add cut 0', 'update cut 1', 'update cut 2', 'update cut 3']);
    await informer.end();
    proxy.stop();
    await core.deleteNamespacedConfigMap({ name: 'cut', namespace });
  });

  for (const signal of ['SIGTERM', 'SIGKILL']) {
    it(`goes on after the server ended with ${signal} and came back`, async () => {
      const events = [];
      await core.createNamespacedConfigMap({ namespace, body: configMap('kept', signal) });
      const informer = informerOf(cluster.config(), events);
      await informer.start();
      await eventually('the first event', () => events.length === 1);
      await cluster.stop(signal);
      const { port } = cluster;
      cluster = await Cluster.start({ port, flags });
      core = cluster.config().makeApiClient(k8s.CoreV1Api);
      await core.createNamespacedConfigMap({ namespace, body: configMap('new', signal) });
      await core.deleteNamespacedConfigMap({ name: 'kept', namespace });
      await core.deleteNamespacedConfigMap({ name: 'new', namespace });
      await eventually('the last event', () => events.at(-1) === `delete new ${signal}`);
      assert.deepEqual(events, [`add kept ${signal}`, `add new ${signal}`, `delete kept ${signal}`, `delete new ${signal}`]);
      assert.equal(informer.list().length, 0);
      await informer.end();
    });
  }
});
