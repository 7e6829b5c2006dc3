// Exec, Attach, PortForward and Cp over the client's WebSockets.
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import * as k8s from '@kubernetes/client-node';
import { Cluster, eventually } from './cluster.js';

const namespace = 'default';

class Text extends Writable {
  text = '';
  _write(chunk, encoding, done) {
    this.text += chunk.toString();
    done();
  }
}

describe('streams of pods', () => {
  let cluster, config, core;
  before(async () => {
    cluster = await Cluster.start();
    config = cluster.config();
    core = config.makeApiClient(k8s.CoreV1Api);
    await eventually('the pod', async () => core.createNamespacedPod({ namespace, body: { metadata: { name: 'web' }, spec: { containers: [
      { name: 'nginx', image: 'nginx:1.25', ports: [{ containerPort: 80 }] },
      { name: 'shell', image: 'busybox', stdin: true }] } } }).then(() => true, () => false));
    await eventually('it runs', async () => (await core.readNamespacedPod({ name: 'web', namespace })).status.phase === 'Running');
  });
  after(() => cluster.stop());

  const exec = (container, command, input) => {
    const out = new Text(), err = new Text();
    return new Promise((resolve, reject) => {
      new k8s.Exec(config).exec(namespace, 'web', container, command, out, err, input ?? null, false,
        (status) => resolve({ status, out: out.text, err: err.text })).catch(reject);
    });
  };

  it('runs commands and tells how they ended', async () => {
    const good = await exec('nginx', ['sh', '-c', 'echo out; echo err >&2']);
    assert.deepEqual([good.status.status, good.out, good.err], ['Success', 'out\n', 'err\n']);
    const bad = await exec('nginx', ['sh', '-c', 'exit 5']);
    assert.equal(bad.status.reason, 'NonZeroExitCode');
    assert.deepEqual(bad.status.details.causes, [{ reason: 'ExitCode', message: '5' }]);
    const unknown = await exec('nginx', ['nope']);
    assert.match(unknown.status.message, /exec: "nope": executable file not found in \$PATH/);
  });

  it('gives a command its input', async () => {
    const input = new PassThrough();
    const running = exec('nginx', ['sh'], input);
    input.write('echo one\nexit 2\n');
    const { status, out } = await running;
    assert.equal(out, 'one\n');
    assert.equal(status.details.causes[0].message, '2');
  });

  it('attaches to a shell', async () => {
    const out = new Text(), input = new PassThrough();
    const socket = await new k8s.Attach(config).attach(namespace, 'web', 'shell', out, null, input, false);
    input.write('echo attached\n');
    await eventually('the answer', async () => out.text.includes('attached\n'));
    socket.close();
  });

  it('forwards a port', async () => {
    const forward = new k8s.PortForward(config);
    const server = net.createServer((socket) => forward.portForward(namespace, 'web', [80], socket, null, socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, { headers: { connection: 'close' } });
    assert.match(await answer.text(), /Welcome to nginx!/);
    server.close();
  });
});
