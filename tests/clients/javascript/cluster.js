// A kubemu process of the test's own, the configuration that leads to it, and waiting for conditions.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import readline from 'node:readline';
import * as k8s from '@kubernetes/client-node';

const program = process.env.KUBEMU;

export class Cluster {
  // Port 0 takes a free one; a restarted cluster gets the port it had.
  static async start({ port = 0, flags = ['--ephemeral'] } = {}) {
    const cluster = new Cluster();
    cluster.process = spawn(program, ['serve', '--http', `127.0.0.1:${port}`, '--pod-startup-latency', '200ms', ...flags]);
    cluster.process.stderr.resume();
    // A test that fails on its way leaves no process behind.
    process.on('exit', () => cluster.process.kill('SIGKILL'));
    for await (const line of readline.createInterface({ input: cluster.process.stdout })) {
      const ready = line.match(/ready on http:\/\/127\.0\.0\.1:(\d+)/);
      if (ready) {
        cluster.port = Number(ready[1]);
        break;
      }
    }
    if (!cluster.port) throw new Error('kubemu ended before it was ready');
    return cluster;
  }

  async stop(signal = 'SIGTERM') {
    const ended = once(this.process, 'exit');
    this.process.kill(signal);
    await ended;
  }

  // A kubeconfig that leads to this cluster, or to a proxy before it.
  kubeconfigText(port = this.port) {
    return execFileSync(program, ['kubeconfig', '--server', `http://127.0.0.1:${port}`], { encoding: 'utf8' });
  }

  config(port = this.port) {
    const config = new k8s.KubeConfig();
    config.loadFromString(this.kubeconfigText(port));
    return config;
  }
}

// A TCP proxy whose connections can be cut.
export class Proxy {
  static async start(target) {
    const proxy = new Proxy();
    proxy.sockets = new Set();
    proxy.connections = 0;
    proxy.server = net.createServer((socket) => {
      const upstream = net.connect(target, '127.0.0.1');
      proxy.connections += 1;
      for (const one of [socket, upstream]) {
        proxy.sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          proxy.sockets.delete(one);
          socket.destroy();
          upstream.destroy();
        });
      }
      socket.pipe(upstream).pipe(socket);
    });
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.port = proxy.server.address().port;
    return proxy;
  }

  cut() {
    for (const socket of this.sockets) socket.destroy();
  }

  stop() {
    this.server.close();
    this.cut();
  }
}

// Calls `condition` until it gives something true, and gives that.
export async function eventually(what, condition, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// The Status that the call is refused with.
export async function refused(code, call) {
  try {
    await call;
  } catch (error) {
    if (error.code !== code) throw error;
    return typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
  }
  throw new Error(`was not refused with ${code}`);
}

export function deployment(name, replicas = 1) {
  const labels = { app: name };
  return {
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'web', image: 'nginx:1.25', ports: [{ containerPort: 80 }] }] },
      },
    },
  };
}
