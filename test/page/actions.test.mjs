// SPDX-License-Identifier: Apache-2.0
// What may be done on the page is done, and what destroys is asked about first.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close, go, open, picture, shown } from "./browser.mjs";
import { Server, until } from "./server.mjs";
import { shop } from "./shop.mjs";

let server;

before(async () => {
  await open();
  server = await Server.start(shop);
});
after(async () => {
  await close();
  await server.stop();
});

const state = (page) => page.locator(".heading .badge").first();

test("a long run is canceled, and runs again", async () => {
  const run = await server.runOf("nightly");
  const page = await shown(server, `#/runs/${run}`);
  await page.getByRole("log").getByText("begun").waitFor();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("dialog", { name: "Cancel this run?" }).waitFor();
  await picture(page, "question");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal((await server.get(`v1/runs/${run}`)).state, "running");
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("button", { name: "Cancel the run" }).click();
  await state(page).filter({ hasText: "canceled" }).waitFor();
  await page.locator("#announcer").filter({ hasText: `${run}: canceled` }).waitFor({ state: "attached" });
  assert.equal((await server.get(`v1/runs/${run}`)).outcome, "canceled");
  await page.getByRole("button", { name: "Run again" }).click();
  await page.waitForFunction((old) => !location.hash.includes(old) && location.hash.includes("nightly"), run);
  await state(page).filter({ hasText: "running" }).waitFor();
  await page.getByRole("tab", { name: "Routing" }).click();
  await page.getByRole("row", { name: /subprocess/ }).getByText("taken").waitFor();
  await page.keyboard.press("x");
  await page.getByRole("button", { name: "Cancel the run" }).click();
  await state(page).filter({ hasText: "canceled" }).waitFor();
  await page.done();
});

test("dead letters are replayed and purged", async () => {
  const jobs = [];
  for (let i = 0; i < 3; i++) jobs.push((await server.post("v1/jobs", { spec: { task: "mail" }, topic: "mail" })).job_id);
  const page = await shown(server, "#/dead");
  for (const job of jobs) await page.getByRole("button", { name: `Replay ${job}`, exact: true }).waitFor();
  const before = (await server.get(`v1/jobs/${jobs[0]}`)).run_id;
  await page.getByRole("button", { name: `Replay ${jobs[0]}`, exact: true }).click();
  await page.getByText(`${jobs[0]} is ready again`).waitFor();
  await until(async () => {
    const job = await server.get(`v1/jobs/${jobs[0]}`);
    return job.dead && job.run_id !== before;
  }, "it has failed again");
  await page.getByRole("checkbox", { name: `Choose ${jobs[1]}`, exact: true }).check();
  await page.getByRole("button", { name: "Purge 1", exact: true }).click();
  await page.getByRole("button", { name: "Not now" }).click();
  assert.equal((await server.get("v1/dead")).jobs.length, 3);
  await page.getByRole("button", { name: "Purge 1", exact: true }).click();
  await page.getByRole("button", { name: "Purge", exact: true }).click();
  await page.getByText("1 dead letter purged").waitFor();
  assert.equal((await server.get("v1/dead")).jobs.length, 2);
  await page.getByRole("button", { name: "Purge all of mail" }).click();
  await page.getByRole("button", { name: "Purge", exact: true }).click();
  await page.getByText("No dead letters").waitFor();
  await page.done();
});

test("the inbox holds what waits for a person", async () => {
  const { job_id: job } = await server.post("v1/jobs", { spec: { task: "mail" }, topic: "mail" });
  await until(async () => (await server.get("v1/dead")).jobs.length === 1, "a dead letter");
  await server.post("v1/slots/a.b/pause", {});
  const page = await shown(server, "#/inbox");
  await page.getByRole("button", { name: "resume: slot a.b is paused" }).click();
  await page.getByText("slot a.b is paused").waitFor({ state: "detached" });
  await page.getByRole("button", { name: new RegExp(`^purge: job ${job} `) }).click();
  await page.getByRole("button", { name: "Purge", exact: true }).click();
  await page.getByText("All clear").waitFor();
  await page.done();
});

test("topics, slots and all of it are paused and go on", async () => {
  await server.post("v1/jobs", { spec: { task: "resize" }, topic: "images" });
  const page = await shown(server, "#/queue");
  await page.getByRole("button", { name: "Pause images" }).click();
  await page.getByRole("button", { name: "Resume images" }).waitFor();
  assert.equal((await server.get("v1/topics")).topics.find((topic) => topic.topic === "images").paused, true);
  await page.getByRole("button", { name: "Resume images" }).click();
  await page.getByRole("button", { name: "Limit of images" }).click();
  await page.getByLabel("Jobs that run at once").fill("7");
  await page.getByRole("button", { name: "Set" }).click();
  await until(async () => (await server.get("v1/topics")).topics.find((topic) => topic.topic === "images").limit === 7, "the limit");
  await go(page, "#/tasks");
  await page.getByRole("button", { name: "Pause slot web" }).click();
  await page.getByRole("button", { name: "Resume slot web" }).click();
  await page.getByRole("button", { name: "Pause slot web" }).waitFor();
  await page.getByRole("button", { name: "Stop web" }).click();
  await page.getByRole("button", { name: "Stop it" }).click();
  await until(async () => !(await server.get("v1/slots")).slots.some((slot) => slot.slot === "web"), "web has stopped");
  await page.getByRole("button", { name: "Start web", exact: true }).click();
  await until(async () => (await server.get("v1/slots")).slots.some((slot) => slot.slot === "web"), "web runs");
  await go(page, "#/");
  await page.getByRole("button", { name: "Pause all" }).click();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("button", { name: "Resume all" }).waitFor();
  assert.equal((await server.get("v1/status")).paused, true);
  await page.getByRole("button", { name: "Resume all" }).click();
  await page.getByRole("button", { name: "Pause all" }).waitFor();
  await page.getByRole("button", { name: "Reload files" }).click();
  await page.getByText("The files were read again.").waitFor();
  await page.done();
});

test("what is refused is said", async () => {
  const run = await server.runOf("nightly");
  const page = await shown(server, `#/runs/${run}`, { expected: /status of (404|409|422)/ });
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await server.post(`v1/runs/${run}/cancel`, {});
  await server.ended(run);
  await page.getByRole("button", { name: "Cancel the run" }).click();
  await page.locator('.note[data-tone="bad"]').waitFor();
  await page.done();
});
