// SPDX-License-Identifier: Apache-2.0
// What is served in most tests: a service, periodic work, failures, and a program that would like to be the page.
export const HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>";

/* A lot at once, when there is a file of this name. */
const burst = (name, from, to) => `until [ -e ${name} ]; do sleep 0.01; done; for i in $(seq ${from} ${to}); do seq \${i}001 \${i}999; done`;

export const shop = {
  tasks: {
    web: { command: "echo up; echo slow >&2; exec sleep 1000", restart: "always", description: `The shop ${HOSTILE}` },
    hostile: { command: `printf '\\033[32mgreen\\033[0m \\033[1;31mred\\033[0m \\033]0;title\\007${HOSTILE}\\n'; printf '10%%\\r100%%\\n'; echo more`, manual: true },
    many: { command: `${burst("first", 1, 12)}; echo half; ${burst("second", 13, 25)}; echo the end`, manual: true },
    resize: { command: "echo resized", manual: true },
    mail: { command: "echo refused >&2; exit 3", manual: true },
    twice: { command: "echo trying; exit 1", retries: 1, backoff: { first: "10ms", max: "10ms" }, manual: true },
    nightly: { command: "echo begun; exec sleep 1000", selector: { zone: "local" }, manual: true },
  },
  plugins: [{ use: "subprocess", labels: { zone: "local" } }, { use: "echo" }],
  sources: [{ use: "queue", tasks: ["resize", "mail"], config: { topics: { night: { paused: true } } } }],
};

/** Something of everything. */
export async function busy(server) {
  await server.post("v1/jobs", { spec: { task: "resize" }, topic: "images", priority: 5 });
  await server.post("v1/jobs", { spec: { task: "resize" }, topic: "night" });
  await server.post("v1/jobs", { spec: { task: "mail" }, topic: "mail" });
  await server.ended(await server.runOf("hostile"));
  await server.ended(await server.runOf("twice"));
  await server.runOf("nightly");
}
