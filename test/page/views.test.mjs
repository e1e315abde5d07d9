// SPDX-License-Identifier: Apache-2.0
// Every view, on a phone, a desk and a wall, in light and in dark: whole, readable, open to all.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, close, fits, go, open, picture, settled, shown } from "./browser.mjs";
import { Server, until } from "./server.mjs";
import { busy, HOSTILE, shop } from "./shop.mjs";

const VIEWS = [
  ["overview", "#/", "Overview"], ["runs", "#/runs", "Runs"], ["run", "#/runs/twice", /^subprocess-twice-/], ["output", "#/runs/hostile", /^subprocess-hostile-/],
  ["events", "#/runs/twice?tab=events", /^subprocess-twice-/], ["spec", "#/runs/nightly?tab=spec", /^subprocess-nightly-/], ["routing", "#/runs/nightly?tab=routing", /^subprocess-nightly-/],
  ["queue", "#/queue", "Queue"], ["dead", "#/dead", "Dead letters"], ["tasks", "#/tasks", "Tasks and slots"], ["plugins", "#/plugins", "Plugins"], ["inbox", "#/inbox", "Inbox"],
  ["unknown", "#/nothing", "Nothing here"], ["forgotten", "#/runs/never-1", "never-1"],
];
const SCREENS = [["phone", 360, 740], ["desk", 1280, 800], ["wall", 2560, 1440]];
let server;

before(async () => {
  await open();
  server = await Server.start(shop);
  await busy(server);
  await until(async () => (await server.get("v1/status")).queue.dead === 1, "a dead letter");
});
after(async () => {
  await close();
  await server.stop();
});

for (const theme of ["light", "dark"]) {
  for (const [screen, width, height] of SCREENS) {
    test(`${theme} on a ${screen}`, async () => {
      const page = await shown(server, "#/", { theme, width, height, expected: /status of 404/ });
      for (const [name, hash, title] of VIEWS) {
        const what = `${name}, ${theme}, ${screen}`;
        await go(page, hash);
        await page.getByRole("heading", { level: 1, name: title, exact: typeof title === "string" }).waitFor();
        await settled(page);
        await fits(page, what);
        await picture(page, `${name}-${theme}-${screen}`);
        if (screen !== "wall") await accessible(page, what);
      }
      await page.done();
    });
  }
}

test("a view says what it is", async () => {
  const page = await shown(server, "#/");
  const titles = { Runs: "Runs · Paddock", Queue: "Queue · Paddock", Plugins: "Plugins · Paddock" };
  for (const [name, title] of Object.entries(titles)) {
    const link = page.getByRole("navigation", { name: "Views" }).getByRole("link", { name, exact: true });
    await link.click();
    await page.waitForFunction((wanted) => document.title === wanted, title);
    assert.equal(await link.getAttribute("aria-current"), "page");
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  }
  for (const table of await page.getByRole("table").all()) {
    assert.ok(await table.locator("caption").textContent());
    assert.ok(await table.locator("thead th[scope=col]").count());
  }
  await page.done();
});

test("colours stay as they were chosen", async () => {
  const page = await shown(server, "#/", { theme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  const button = page.getByRole("button", { name: /^Colours/ });
  await button.click();
  assert.equal(await ground(), light);
  await button.click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await settled(page);
  assert.equal(await ground(), dark);
  assert.equal(await page.evaluate(() => localStorage.getItem("paddock.theme")), "dark");
  await button.click(); // as the system again
  assert.equal(await ground(), light);
  await page.done();
});

for (const without of [[], ["archive"]]) test(`what tasks say is text, without ${without[0] ?? "nothing"}`, async (t) => {
  const server = await Server.start({ ...shop, server: { without } });
  t.after(() => server.stop());
  await server.ended(await server.runOf("hostile"));
  const page = await shown(server, "#/runs/hostile");
  const log = page.getByRole("log");
  await log.getByText(HOSTILE).waitFor();
  await log.getByText("more", { exact: true }).waitFor();
  assert.equal(await page.locator("main img, main script").count(), 0);
  assert.equal(await log.locator(".fg2").textContent(), "green");
  assert.equal(await log.locator(".fg1.bold").textContent(), "red");
  assert.ok(!/10%|title|\x1b|\ufffd/.test(await log.textContent()), await log.textContent());
  await go(page, "#/tasks");
  await page.getByText(`The shop ${HOSTILE}`).waitFor();
  await go(page, `#/runs?search=${encodeURIComponent(HOSTILE)}`);
  await page.getByText("No run is like that").waitFor();
  assert.equal(await page.locator("main img, main script").count(), 0);
  await page.done();
});
