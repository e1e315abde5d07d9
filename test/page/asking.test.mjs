// SPDX-License-Identifier: Apache-2.0
// The token, and all of it by the keys alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, close, open, picture, settled, shown, tab } from "./browser.mjs";
import { Server, TOKEN } from "./server.mjs";
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

test("the token is asked for once, and stays in the tab", async () => {
  const page = await tab({ expected: /status of 401/ });
  await page.goto(server.url);
  await page.getByRole("heading", { name: "Token" }).waitFor();
  await accessible(page, "the form");
  await picture(page, "token");
  await page.getByLabel("Token").fill("wrong-wrong-wrong-wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "not the token" }).waitFor();
  await page.getByLabel("Token").fill(TOKEN);
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await page.getByRole("banner").getByText("Live").waitFor();
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  const kept = await page.evaluate(() => [JSON.stringify(localStorage), document.cookie, location.href].join());
  assert.ok(!kept.includes(TOKEN), kept);
  const other = await page.context().newPage();
  await other.goto(server.url);
  await other.getByRole("heading", { name: "Token" }).waitFor();
  await page.done();
});

test("a token in the address leaves it at once", async () => {
  const page = await tab();
  await page.goto(`${server.url}#token=${TOKEN}`);
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  assert.ok(!page.url().includes(TOKEN), page.url());
  await page.goBack();
  assert.ok(!page.url().includes(TOKEN), page.url());
  await page.done();
});

test("a token that is none is asked for", async () => {
  const page = await tab({ expected: /status of 401/ });
  await page.goto(`${server.url}#token=%zz`);
  await page.getByRole("heading", { name: "Token" }).waitFor();
  assert.ok(page.url().endsWith("#/"), page.url());
  await page.done();
});

const focused = (page) => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);

test("keys alone", async () => {
  const page = await shown(server, "#/");
  await page.reload();
  await settled(page);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  assert.ok(page.url().endsWith("#/"), page.url());
  await page.keyboard.press("Tab");
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(ring, "solid", "what has the focus is seen");

  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await accessible(page, "the keys");
  await picture(page, "keys");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
  await page.getByRole("link", { name: /subprocess-web-/ }).waitFor();
  await page.keyboard.press("j");
  assert.match(await focused(page), /^subprocess-web-/);
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.type), "search");
  await page.keyboard.type("jjjg");
  assert.equal(await page.getByRole("searchbox").inputValue(), "jjjg");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await page.getByRole("heading", { level: 1, name: "Plugins" }).waitFor();
  await page.done();
});

test("keys may be switched off", async () => {
  const page = await shown(server, "#/");
  await page.getByRole("button", { name: "Keys" }).click();
  await page.getByLabel("Use these keys").uncheck();
  await page.getByRole("button", { name: "Close" }).click();
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.getByRole("button", { name: "Keys" }).click();
  assert.ok(page.url().endsWith("#/"), page.url());
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await page.done();
});

test("without a queue the page says so", async (t) => {
  const { sources, ...alone } = shop;
  const bare = await Server.start({ ...alone, server: { without: ["queue"] } });
  t.after(() => bare.stop());
  const page = await shown(bare, "#/queue", { expected: /status of 501/ });
  await page.getByText("There is no queue").waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.getByText("There is no queue").waitFor();
  await page.done();
});
