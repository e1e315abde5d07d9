// SPDX-License-Identifier: Apache-2.0
// Finding and following: filters in the address, what happens as it happens, and a lot of it.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { close, go, open, settled, shown } from "./browser.mjs";
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

test("the address keeps what is looked for", async () => {
  const failed = await server.runOf("twice");
  await server.ended(failed);
  const page = await shown(server, "#/runs");
  await page.getByRole("link", { name: /subprocess-web-/ }).waitFor();
  await page.getByRole("button", { name: "Failed" }).click();
  await page.getByRole("link", { name: /subprocess-web-/ }).waitFor({ state: "detached" });
  await page.getByRole("searchbox").fill("twice");
  await page.waitForFunction(() => location.hash.includes("search=twice") && location.hash.includes("outcome=failed"));
  await page.reload();
  await page.getByRole("link", { name: failed }).waitFor();
  assert.equal(await page.getByRole("searchbox").inputValue(), "twice");
  assert.equal(await page.getByRole("button", { name: "Failed" }).getAttribute("aria-pressed"), "true");
  await page.goBack();
  await page.getByRole("link", { name: /subprocess-web-/ }).waitFor();
  await page.getByRole("searchbox").fill("left behind");
  await go(page, "#/tasks");
  await page.getByRole("button", { name: "Start web", exact: true }).waitFor();
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300))); // a timer that is due behind the one of typing
  assert.ok(page.url().endsWith("#/tasks"), page.url());
  await go(page, "#/runs");
  await page.getByRole("link", { name: /subprocess-web-/ }).waitFor();
  await page.getByLabel("Task", { exact: true }).selectOption("web");
  await page.getByRole("link", { name: failed }).waitFor({ state: "detached" });
  await page.done();
});

test("what happens is seen at once", async () => {
  const page = await shown(server, "#/runs");
  const run = await server.runOf("nightly");
  await page.getByRole("row", { name: new RegExp(run) }).getByText("running").waitFor();
  await server.post(`v1/runs/${run}/cancel`, {});
  await page.getByRole("row", { name: new RegExp(run) }).getByText("canceled").waitFor();
  await page.done();
});

test("attempts stand in their order", async () => {
  const run = await server.runOf("twice");
  await server.ended(run);
  const page = await shown(server, `#/runs/${run}`);
  const attempts = page.getByRole("region", { name: "Attempts" }).getByRole("button");
  assert.equal(await attempts.count(), 2);
  assert.match(await attempts.nth(0).textContent(), /failed #1.*exit code 1/);
  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByRole("rowheader", { name: "attempt.backoff" }).waitFor();
  await page.getByRole("tab", { name: "Events" }).press("ArrowRight");
  await page.getByRole("tab", { name: "Spec", selected: true }).waitFor();
  await page.getByText('"command": "echo trying; exit 1"').waitFor();
  await page.done();
});

test("output is followed, paused, wrapped, and bounded", async () => {
  const page = await shown(server, "#/runs/web");
  const log = page.getByRole("log");
  await log.getByText("up", { exact: true }).waitFor();
  const pause = page.getByRole("button", { name: "Pause", exact: true }), wrap = page.getByRole("button", { name: "Wrap" });
  const wraps = (word) => until(async () => await log.getAttribute("data-wrap") === word, `it wraps: ${word}`);
  await wrap.click();
  await wraps("off");
  await page.keyboard.press("w");
  await wraps("on");
  await page.evaluate(async () => { // twice before the next frame is drawn: as it was
    for (let i = 0; i < 2; i++) {
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "w", bubbles: true }));
      await Promise.resolve().then(() => {});
    }
  });
  await wraps("on");
  await pause.click();
  await page.getByRole("button", { name: "Paused" }).click();

  const run = await server.runOf("many");
  await go(page, `#/runs/${run}`);
  await page.getByText("Nothing yet.").waitFor();
  writeFileSync(server.path("first"), "");
  await log.getByText("half").waitFor();
  writeFileSync(server.path("second"), "");
  await log.getByText("the end").waitFor();
  const lines = await log.locator(".line").count();
  assert.ok(lines > 5000 && lines <= 10000, `${lines} lines are kept`);
  await until(() => log.evaluate((node) => node.scrollHeight - node.scrollTop - node.clientHeight < 5), "the end in sight");
  await log.hover();
  await page.mouse.wheel(0, -2000);
  await page.getByRole("button", { name: "Follow", pressed: false }).waitFor();
  await page.getByRole("button", { name: /To the end/ }).click();
  await page.getByRole("button", { name: "Follow", pressed: true }).waitFor();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  assert.equal(file.suggestedFilename(), `${run}.log`);
  assert.match(readFileSync(await file.path(), "utf8"), /\n25998\n25999\nthe end\n$/);
  await page.done();
});

test("a thousand runs are pages", async () => {
  for (let i = 0; i < 1000; i += 50) await Promise.all(Array.from({ length: 50 }, () => server.post("v1/runs", { name: `bulk`, kind: "echo", slot: `s${i}` }).catch(() => {})));
  await until(async () => (await server.get("v1/runs?task=bulk&limit=1000")).runs.length > 60, "many runs");
  const page = await shown(server, "#/runs?task=bulk");
  assert.equal(await page.locator("main tbody tr").count(), 50);
  const first = await page.locator("main tbody tr a").first().textContent();
  await page.getByRole("button", { name: /Older/ }).click();
  await page.getByText("Page 2").waitFor();
  await settled(page);
  assert.notEqual(await page.locator("main tbody tr a").first().textContent(), first);
  await page.getByRole("button", { name: /Newer/ }).click();
  await page.getByText("Page 1").waitFor();
  await page.done();
});

test("a server that comes back is found again", async () => {
  const old = await server.runOf("hostile");
  await server.ended(old);
  const page = await shown(server, "#/", { expected: /ERR_|status of 503/ });
  const said = page.getByRole("banner").getByRole("status");
  await said.filter({ hasText: "Live" }).waitFor();
  await server.end();
  await said.filter({ hasText: "Reconnecting" }).waitFor();
  await server.run();
  await said.filter({ hasText: "Live" }).waitFor();
  const run = await server.runOf("nightly");
  await page.getByRole("region", { name: "Going on now" }).getByRole("link", { name: run }).waitFor();
  await go(page, `#/runs/${old}`); // which the archive has kept
  await page.getByRole("log").getByText("more", { exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Run again" }).count(), 0);
  await page.done();
});
